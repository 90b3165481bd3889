"""Programs that call tensorflow_hub print the same when they were rewritten: unihub migrate.

Each program of tests/programs is run as it is, with the real tensorflow_hub, and as it was rewritten, with unihub, in
processes of their own; what both print has to be the same text. A program says itself on which TensorFlow it runs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from live_runtime import HAS_HUB_MODULE, RUNTIME, TENSORFLOW
from paths import SUPPORT, TESTS
from unihub import _cli as cli

PROGRAMS = TESTS / "programs"
RUNNER = str(SUPPORT / "run_programs.py")
HERE = "{}.{}".format(*TENSORFLOW)
# What they leave alone is said in their docstrings, and by name here.
LEFT = {
    "image_features.ipynb": [""],
    "make_image_classifier.py": ["hub.KerasLayer", "hub.KerasLayer"],
    "tf1_image_retraining.py": ["hub.get_expected_image_size", "hub.load_module_spec"],
    "tf1_text_classification_columns.py": ["hub.text_embedding_column"],
}
Run = namedtuple("Run", ["status", "stdout", "stderr"])


def versions(path):
    """The versions of TensorFlow that a program says it runs on."""
    return re.findall(
        r"\d+\.\d+", re.search(r"Runs on TensorFlow ([\d. and]+)\.", path.read_text(encoding="utf-8")).group(1)
    )


ALL = sorted(path for path in PROGRAMS.iterdir() if path.suffix in (".py", ".ipynb"))
CHOSEN = [path for path in ALL if HERE in versions(path)]

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not CHOSEN, reason="the programs run on TensorFlow 1.15 and 2.15"),
    pytest.mark.skipif(RUNTIME == "tf1-compat", reason="the programs switch v2 behaviour off themselves"),
    pytest.mark.skipif(not HAS_HUB_MODULE, reason="needs the hub.Module that some programs call"),
]
programs = pytest.mark.parametrize("path", CHOSEN, ids=[path.name for path in CHOSEN])


def script(path):
    """The source of a program; of a notebook its cells, without what is not Python."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return source
    cells = ["".join(cell["source"]) for cell in json.loads(source)["cells"] if cell["cell_type"] == "code"]
    lines = "\n".join(cell for cell in cells if not cell.startswith("%%bash")).splitlines()
    lines = [re.sub(r"^%time ", "", line) for line in lines]
    return "\n".join(line for line in lines if not re.match(r"%|!|.*= !|.*\?$", line)) + "\n"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A copy of the programs that is rewritten, and what the command said."""
    target = tmp_path_factory.mktemp("migrated") / "programs"
    shutil.copytree(str(PROGRAMS), str(target))
    assert cli.main(["migrate", str(target), "--write", "--json"]) == 9
    return target


@pytest.fixture(scope="module")
def runs(migrated, tmp_path_factory):
    """What each program did, as it is and rewritten."""
    root = tmp_path_factory.mktemp("runs")
    (root / "models").mkdir()
    places = {}
    for path in CHOSEN:
        for kind, source in (("original", path), ("rewritten", migrated / path.name)):
            places[path.name, kind] = place = root / "{}.{}".format(path.name, kind)
            place.mkdir()
            (place / "program.py").write_text(script(source), encoding="utf-8")
    command = [sys.executable, RUNNER, str(root / "models"), *map(str, places.values())]
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1", PYTHONHASHSEED="0")
    subprocess.run(command, env=environment, check=True)
    assert read(root / "models").status == "0", read(root / "models").stderr
    return {key: read(place) for key, place in places.items()}


def read(place):
    return Run(*((place / name).read_text(encoding="utf-8") for name in Run._fields))


@programs
def test_prints_the_same(runs, path):
    original, rewritten = runs[path.name, "original"], runs[path.name, "rewritten"]
    assert original.status == "0", original.stderr
    assert rewritten.status == "0", rewritten.stderr
    assert re.search(r"\d\.\d", original.stdout), "it prints no numbers"
    assert rewritten.stdout == original.stdout


@programs
def test_is_rewritten(migrated, path):
    """What runs is really unihub."""
    source = (migrated / path.name).read_text(encoding="utf-8")
    assert source != path.read_text(encoding="utf-8")
    assert re.search(r"unihub\.(Module|KerasLayer|load)\b", source)
    assert bool(re.search(r"import tensorflow_hub|from tensorflow_hub", source)) == (path.name in LEFT)


def test_rewriting_again_changes_nothing(migrated, capsys):
    before = {path.name: path.read_bytes() for path in migrated.iterdir()}
    assert cli.main(["migrate", str(migrated), "--write", "--json"]) == 9
    assert {path.name: path.read_bytes() for path in migrated.iterdir()} == before
    found = json.loads(capsys.readouterr().out)
    assert (found["changed"], found["replaced"], found["looked_at"]) == (0, 0, len(ALL))
    assert {Path(file["path"]).name: sorted(each["name"] for each in file["left"]) for file in found["files"]} == LEFT


def test_there_are_enough_programs():
    assert len(ALL) >= 15
