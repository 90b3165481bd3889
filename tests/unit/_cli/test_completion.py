"""What shells complete, asked as argcomplete's own shell code asks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import unihub
from processes import environment, printed
from servers import serve, tar_of


def complete(line, directory):
    """The completions of a command line whose cursor is at its end."""
    answer = directory / "answer"
    answer.write_text("")
    env = environment(_ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=str(len(line)))
    env.update(_ARGCOMPLETE_STDOUT_FILENAME=str(answer), _ARGCOMPLETE_IFS="\n", _ARGCOMPLETE_SUPPRESS_SPACE="1")
    # Bash breaks words at these, so that a URL is more than one.
    env["_ARGCOMPLETE_COMP_WORDBREAKS"] = " \t\n\"'><=;|&(:"
    subprocess.run([sys.executable, "-m", "unihub"], env=env, cwd=str(directory), check=True, stderr=subprocess.DEVNULL)
    return {word.rstrip(" ") for word in answer.read_text().split("\n") if word}


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "model.tgz").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    "line, words",
    [
        ("unihub in", {"inspect"}),
        ("unihub c", {"convert", "cache"}),
        ("unihub cache ", {"ls", "verify", "rm", "prune"}),
        ("unihub plan x --operation ", {"inference", "fine-tune"}),
        ("unihub plan x --runtime tf1", {"tf1", "tf1-compat"}),
        ("unihub plan x --api k", {"keras"}),
        ("unihub matrix --h", {"--help", "--here"}),
        ("unihub inspect mod", {"models/", "model.tgz"}),
        ("unihub convert x mod", {"models/"}),
        ("unihub migrate mod", {"models/", "model.tgz"}),
    ],
)
def test_words(line, words, directory, own_cache):
    found = complete(line, directory)
    assert {word for word in found if not word.startswith("-") or line.endswith("--h")} == words


def test_what_is_in_the_cache(directory, own_cache, plain_site):
    plain_site.answers["/convnet.tar.gz"] = serve(tar_of())
    url = plain_site.url + "/convnet.tar.gz"
    entry = os.path.basename(os.path.dirname(unihub.resolve(url)))
    # What stands before the last colon is in the line already.
    assert complete("unihub inspect http", directory) == {url}
    assert complete("unihub cache rm models/con", directory) == {"models/" + entry}


def test_without_completion_nothing_of_it_is_imported():
    code = "import sys; from unihub import _cli; _cli.main(['matrix']); print('argcomplete' in sys.modules)"
    assert printed(code)[-1] == "False"
