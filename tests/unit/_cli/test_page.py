"""What a terminal, a pipe and a file get of the command line: widths and colours."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest

from choices import also_slow
from paths import ROOT
from processes import environment
from terminals import run_in_terminal
from unihub._cli.exit_status import BROKEN_PIPE
from unihub._cli.page import Page
from unihub._cli.report import BAD, FAINT, GOOD, LABEL, PLAIN, TITLE, Exact, Fields, Line, Table, fields, lines

# Where the models are, which are named from there; and the unihub that is tested, which may be installed.
COMMAND = [sys.executable, "-c", "import sys; del sys.path[0]; from unihub._cli import main; sys.exit(main())"]
ESCAPE = re.compile("\x1b\\[[0-9;]*m")
MODEL = "tests/data/tf1_hub/convnet"
COMMANDS = [
    ["inspect", MODEL],
    ["plan", MODEL, "--operation", "fine-tune", "--runtime", "tf1-compat", "--tensorflow", "2.15"],
    ["matrix"],
    ["matrix", "--tensorflow", "2.15"],
    ["env"],
    ["cache", "ls"],
]


def settings(own_cache, **variables):
    own = {"UNIHUB_CACHE_DIR": str(own_cache), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    return environment(**dict(own, **variables))


def in_terminal(words, columns, env):
    """What a command writes to a terminal of a width, and its status."""
    return run_in_terminal([*COMMAND, *words], columns, env, cwd=str(ROOT))


def in_pipe(words, env):
    command = [*COMMAND, *words]
    done = subprocess.run(command, env=env, cwd=str(ROOT), capture_output=True, text=True)
    return done.stdout, done.stderr, done.returncode


def words_of(text):
    """What it says, however it is broken into lines."""
    return re.sub(r"\s", "", ESCAPE.sub("", text))


class TestTerminal:
    @pytest.mark.parametrize("columns", also_slow([80, 120], 1))
    @pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
    def test_fits_is_coloured_and_says_the_same(self, words, columns, tmp_path):
        env = settings(tmp_path)
        text, status = in_terminal(words, columns, env)
        assert status == 0
        assert ESCAPE.search(text)
        found = ESCAPE.sub("", text).splitlines()
        assert max(map(len, found)) <= columns
        assert not any(line.endswith(" ") for line in found)
        plain = in_pipe(words, env)[0]
        # In a table the columns are interleaved when they are wrapped, but each character stands somewhere.
        assert sorted(words_of(text)) == sorted(words_of(plain)) and not ESCAPE.search(plain)
        if words[0] in ("inspect", "plan", "env"):
            assert words_of(text) == words_of(plain)

    @pytest.mark.parametrize("columns", also_slow([80, 120], 1))
    def test_an_error(self, columns, tmp_path):
        words = ["plan", MODEL, "--operation", "fine-tune", "--tensorflow", "2.15"]
        text, status = in_terminal(words, columns, settings(tmp_path))
        assert status == 13 and text.startswith("\x1b[31mUnsupportedError: fine-tuning a tf1-hub model")
        found = ESCAPE.sub("", text).splitlines()
        assert max(map(len, found)) <= columns
        assert [line[:8] for line in found if line[2:6] in ("Why:", "Hint")] == ["  Why:  ", "  Hint: "]
        printed, error, status = in_pipe(words, settings(tmp_path))
        assert (printed, status) == ("", 13) and words_of(error) == words_of(text) and not ESCAPE.search(error)

    @pytest.mark.parametrize(
        "variables, is_coloured",
        [
            ({}, True),
            ({"NO_COLOR": "1"}, False),
            ({"NO_COLOR": ""}, True),
            ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
            ({"CLICOLOR": "0"}, False),
            ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
            ({"TERM": "dumb"}, False),
        ],
    )
    def test_colour_in_a_terminal(self, variables, is_coloured, tmp_path):
        text, _ = in_terminal(["inspect", MODEL], 80, settings(tmp_path, **variables))
        assert bool(ESCAPE.search(text)) == is_coloured

    @pytest.mark.parametrize(
        "variables, is_coloured",
        [
            ({}, False),
            ({"FORCE_COLOR": "1"}, True),
            ({"CLICOLOR_FORCE": "1"}, True),
            ({"CLICOLOR_FORCE": "0"}, False),
            ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ],
    )
    def test_colour_in_a_pipe(self, variables, is_coloured, tmp_path):
        text, _, _ = in_pipe(["inspect", MODEL], settings(tmp_path, **variables))
        assert bool(ESCAPE.search(text)) == is_coloured

    def test_a_reader_that_goes_away(self, tmp_path):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            command = [*COMMAND, "matrix"]
            done = subprocess.run(command, env=settings(tmp_path), cwd=str(ROOT), stdout=writer, stderr=subprocess.PIPE)
        finally:
            os.close(writer)
        assert done.returncode == BROKEN_PIPE and done.stderr == b""


class TestPage:
    def test_nothing_is_wrapped_without_a_width(self):
        text = "word " * 100
        assert Page().render(fields("title", [("label", [text])])) == ["title", "  label  " + text]

    def test_fields(self):
        block = fields("title", [("a", ["one two three four five six"]), ("long", ["x", "y"]), ("none", [])])
        assert Page(20).render(block) == [
            "title",
            "  a     one two",
            "          three four",
            "          five six",
            "  long  x",
            "        y",
        ]

    def test_table(self):
        block = Table(
            ("n", "what"), [[lines(5), lines("ab cd ef gh ij kl mn")], [lines(55), lines("x", "y")]], numbers=(0,)
        )
        assert Page(16).render(block) == [
            " n  what",
            " 5  ab cd ef gh",
            "      ij kl mn",
            "55  x",
            "    y",
        ]

    def test_a_word_that_is_too_long_is_broken(self):
        assert Page(10).render(Line("x" * 15)) == ["x" * 10, "  " + "x" * 5]

    def test_what_is_to_be_copied_is_not(self):
        assert Page(10).render(Exact("x" * 15)) == ["x" * 15]

    def test_colours(self):
        codes = {PLAIN: "x", TITLE: "\x1b[1mx\x1b[0m", LABEL: "\x1b[36mx\x1b[0m", GOOD: "\x1b[32mx\x1b[0m"}
        codes.update({BAD: "\x1b[31mx\x1b[0m", FAINT: "\x1b[2mx\x1b[0m"})
        for style, code in codes.items():
            assert Page(None, True).render(Line("x", style)) == [code]
            assert Page(None, False).render(Line("x", style)) == ["x"]
        block = Fields(Line(""), [("label", [Line("x")])])
        assert Page(None, True).render(block) == ["  \x1b[36mlabel\x1b[0m  x"]

    def test_a_stream_that_is_no_terminal(self, monkeypatch):
        for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
            monkeypatch.delenv(name, raising=False)
        assert Page.of(io.StringIO()) == Page(None, False)
