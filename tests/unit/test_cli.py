"""The command line: what it prints for people and for machines, and how it ends."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest
from servers import FILES, files_in, serve, tar_of

import unihub
from unihub import _cli as cli

pytest_plugins = ("server_fixtures",)

PATH = "/models/convnet.tar.gz"


@pytest.fixture
def url(plain_site):
    plain_site.answers[PATH] = serve(tar_of())
    return plain_site.url + PATH


@pytest.fixture
def run(capsys):
    def run(*words):
        status = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out if "--json" not in words else json.loads(printed.out), printed.err

    return run


def test_resolve(run, url):
    status, printed, _ = run("resolve", url)
    assert status == 0 and files_in(printed.strip()) == FILES
    assert run("resolve", "--json", "--offline", url)[1] == {"handle": url, "path": printed.strip()}


def test_export(run, url, tmp_path):
    assert run("export", url, tmp_path / "out")[:2] == (0, "{}\n".format(tmp_path / "out"))
    assert files_in(tmp_path / "out") == FILES
    status, _, error = run("export", url, tmp_path / "out")
    assert status == 3 and "exists already" in error
    assert run("export", "--overwrite", url, tmp_path / "out")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == ["out"]


def test_cache_ls(run, url, own_cache):
    assert run("cache", "ls", "--json")[1] == []
    unihub.resolve(url)
    (entry,) = run("cache", "ls", "--json")[1]
    assert entry["handle"] == entry["url"] == url and entry["size"] == sum(map(len, FILES.values()))
    assert re.fullmatch(r"models/models-convnet-[0-9a-f]{16}", entry["entry"])
    listed = run("cache", "ls")[1]
    assert url in listed and entry["sha256"] in listed and "in 1 entries at {}".format(own_cache) in listed
    # What it prints can be pinned.
    assert files_in(unihub.resolve("{}@sha256:{}".format(url, entry["sha256"]))) == FILES


def test_cache_verify(run, url):
    model = unihub.resolve(url)
    status, printed, _ = run("cache", "verify")
    assert status == 0 and printed.startswith("whole")
    path = os.path.join(model, "saved_model.pb")
    times = os.stat(path)
    with open(path, "wb") as file:
        file.write(b"grapH")
    # Not even the time tells: only reading it does.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    status, printed, _ = run("cache", "verify")
    assert status == 6 and printed.startswith("damaged") and "saved_model.pb was changed" in printed
    assert run("cache", "verify", "--json")[1][0]["problems"] == ["saved_model.pb was changed"]


@pytest.mark.parametrize("name", ["handle", "entry"])
def test_cache_rm(run, url, own_cache, name):
    model = unihub.resolve(url)
    named = run("cache", "ls", "--json")[1][0][name]
    assert run("cache", "rm", "--dry-run", named)[1] == "would remove {}\n".format(os.path.dirname(model))
    assert os.path.isdir(model)
    assert run("cache", "rm", named)[:2] == (0, "removed {}\n".format(os.path.dirname(model)))
    assert list((own_cache / "models").iterdir()) == []
    status, _, error = run("cache", "rm", named)
    assert status == 4 and "there is nothing of" in error


def test_cache_prune(run, url, own_cache, tmp_path):
    model = unihub.resolve(url)
    whole = unihub.resolve(url + "?another")
    os.remove(os.path.join(model, "saved_model.pb"))
    dead = own_cache / "models" / ".filling-x-1"
    (dead / "download").mkdir(parents=True)
    alive = own_cache / "models" / ".filling-x-2"
    alive.mkdir()
    parts = own_cache / "parts"
    for name, target in (("gone", tmp_path / "nowhere"), ("there", tmp_path)):
        (parts / name).mkdir(parents=True)
        (parts / name / "variables").symlink_to(target, target_is_directory=True)
    paths = {os.path.dirname(model), str(dead), str(parts / "gone")}
    found = run("cache", "prune", "--dry-run", "--json")[1]
    assert set(found["paths"]) == paths and not found["removed"] and dead.exists()
    assert set(run("cache", "prune", "--json")[1]["paths"]) == paths
    assert not any(os.path.exists(path) for path in paths)
    assert os.path.isdir(whole) and alive.exists() and (parts / "there").exists()
    day_ago = time.time() - 24 * 60 * 60 - 10
    os.utime(str(alive), (day_ago, day_ago))
    assert run("cache", "prune", "--json")[1]["paths"] == [str(alive)]


@pytest.mark.parametrize(
    "words, status, name",
    [
        (["resolve", ""], 3, "HandleError"),
        (["resolve", "models/missing"], 4, "ModelNotFoundError"),
        (["resolve", "--offline", "https://example.com/m.tgz"], 5, "DownloadError"),
        (["resolve", "damaged.tgz"], 6, "IntegrityError"),
        (["resolve", "https://example.com/m.keras"], 7, "UnknownFormatError"),
    ],
)
def test_each_kind_of_error_has_its_status(run, own_cache, tmp_path, monkeypatch, words, status, name):
    monkeypatch.chdir(str(tmp_path))
    (tmp_path / "damaged.tgz").write_bytes(b"\x1f\x8b")
    ended, printed, error = run(*words)
    assert (ended, printed) == (status, "") and error.startswith(name + ": ") and "  Hint: " in error


@pytest.mark.parametrize("words", [[], ["cache"], ["nonesuch"], ["resolve"]])
def test_a_wrong_command_line(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2 and "usage: unihub" in capsys.readouterr().err


def test_each_command_says_what_it_does(capsys):
    for command in cli.COMMANDS:
        with pytest.raises(SystemExit):
            cli.main([*command.words, "--help"])
        assert command.run.__doc__.split()[0] in capsys.readouterr().out


def test_python_m(own_cache):
    root = os.path.dirname(os.path.dirname(os.path.abspath(unihub.__file__)))
    command = [sys.executable, "-m", "unihub", "cache", "ls", "--json"]
    assert subprocess.check_output(command, env=dict(os.environ, PYTHONPATH=root)) == b"[]\n"
