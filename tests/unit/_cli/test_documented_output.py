"""docs/command-line.md is true: its commands are run, and what they print is what stands there."""

from __future__ import annotations

import json
import re

import pytest

from paths import ROOT
from unihub import _cli, errors
from unihub._cli.exit_status import BROKEN_PIPE, INCOMPLETE, INTERRUPTED, STATUSES, USAGE

# The documentation is no part of the package.
DOCS = ROOT / "docs" / "command-line.md"
TEXT = DOCS.read_text(encoding="utf-8")
HOME = "/home/me/work"
BLOCKS = re.findall(r"```console\n\$ unihub ([^\n]*)\n(.*?)```(?:\n\n```json\n(.*?)```)?", TEXT, re.DOTALL)
# They speak of the machine, or need TensorFlow, and are compared by their keys, or not at all.
OF_THE_MACHINE = ("env", "--here", "convert", "cache", "plan tests/data/saved_model/reusable")


def is_of_the_machine(line):
    return any(word in line for word in OF_THE_MACHINE)


def run(line, capsys):
    _cli.main(line.split())
    printed = capsys.readouterr()
    return (printed.out + printed.err).replace(str(ROOT), HOME)


def keys(value):
    """The shape of JSON: the keys of each object, and of the first of each list, with the types of the rest."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_the_blocks_are_found():
    assert len(BLOCKS) == TEXT.count("$ unihub ") >= 15
    assert sum(bool(data) for _, _, data in BLOCKS) == TEXT.count("```json") >= 6


@pytest.mark.parametrize(
    "line, text", [block[:2] for block in BLOCKS if not block[2] and not is_of_the_machine(block[0])], ids=str
)
def test_text(line, text, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TF_USE_LEGACY_KERAS"):
        monkeypatch.delenv(name, raising=False)
    assert run(line, capsys).splitlines() == text.splitlines()


@pytest.mark.parametrize(
    "line, data", [(line, data) for line, _, data in BLOCKS if data and not is_of_the_machine(line)], ids=str
)
def test_json(line, data, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
    documented, found = json.loads(data), json.loads(run(line, capsys))
    for runtime in (documented.get("runtime"), found.get("runtime")):
        if runtime:
            assert re.fullmatch(r"3\.\d+\.\d+", runtime.pop("python"))
    assert found == documented
    # The order is that of the documentation, too.
    assert json.dumps(found) == json.dumps(documented)


def test_json_of_the_machine(capsys):
    """What holds on every machine of what ``env`` and ``matrix`` print."""
    documented = {line: json.loads(data) for line, _, data in BLOCKS if data and is_of_the_machine(line)}
    found = json.loads(run("env --json", capsys))
    assert list(found) == list(documented["env --json"])
    for name in ("packages", "cache"):
        assert list(found[name]) == list(documented["env --json"][name])
    assert all(isinstance(value, str) for value in found["variables"].values())
    found = json.loads(run("matrix --json", capsys))
    wanted = documented["matrix --json --here"]
    assert list(found) == list(wanted)
    assert {json.dumps(list(row)) for row in found["rows"]} == {json.dumps(list(wanted["rows"][0]))}
    first, own = found["rows"][0]["choices"][0], wanted["rows"][0]["choices"][0]
    assert keys({**first, "here": []}) == keys({**own, "here": []})


def test_exit_statuses():
    """The table has each class of errors, with its status, and each other status."""
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", TEXT, re.MULTILINE))
    found = {name: int(status) for status, text in rows.items() for name in re.findall(r"`(\w+Error)`", text)}
    assert found.pop("UsageError") == USAGE
    assert found == {kind.__name__: status for kind, status in STATUSES.items()}
    others = {0, INCOMPLETE, INTERRUPTED, BROKEN_PIPE, USAGE}
    assert set(map(int, rows)) == others | set(STATUSES.values())


def test_each_command_is_in_the_table():
    table = TEXT[: TEXT.index("## inspect")]
    for command in _cli.COMMANDS:
        assert "`{}".format(command.words[-1]) in table or "`unihub {}".format(" ".join(command.words)) in table


def test_the_documented_error_is_real(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    ((line, error),) = [(line, json.loads(data)["error"]) for line, _, data in BLOCKS if data and '"error"' in data]
    assert _cli.main(line.split()) == error["status"] == STATUSES[getattr(errors, error["type"])]
    assert json.loads(capsys.readouterr().out.replace(str(ROOT), HOME))["error"] == error
