"""The command line: what it prints for people and for machines, and how it ends."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import time

import pytest

import paths
import processes
import unihub
from servers import FILES, files_in, serve, tar_of
from unihub import _cli as cli
from unihub import errors
from unihub._cli import model_commands
from unihub._cli.exit_status import BROKEN_PIPE, INCOMPLETE, INTERRUPTED, STATUSES, USAGE, status_of
from unihub._types import Api, Keras, Operation, RuntimeMode

DATA = str(paths.DATA)
CONVNET = os.path.join(DATA, "tf1_hub", "convnet")
TEXT = os.path.join(DATA, "saved_model", "text")

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
    assert status == 4 and "is not in the cache" in error


def test_cache_prune(run, url, own_cache, tmp_path):
    model = unihub.resolve(url)
    whole = unihub.resolve(url + "?another")
    os.remove(os.path.join(model, "saved_model.pb"))
    dead = own_cache / "models" / ".filling-x-nobody-1"
    (dead / "download").mkdir(parents=True)
    alive = own_cache / "models" / ".filling-x-2"
    alive.mkdir()
    parts = own_cache / "parts"
    for name, target in (("gone", tmp_path / "nowhere"), ("there", tmp_path)):
        (parts / name).mkdir(parents=True)
        (parts / name / "variables").symlink_to(target, target_is_directory=True)
    locks = [own_cache / "locks" / ("x" + kind) for kind in (".lock", ".owner")]
    for lock in locks:
        lock.write_text("")
    paths = {os.path.dirname(model), str(dead), str(parts / "gone"), *map(str, locks)}
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


@pytest.mark.parametrize(
    "words, status, name",
    [
        (["inspect", CONVNET, "--signature"], 2, "UsageError"),
        (["nonesuch"], 2, "UsageError"),
        (["matrix", "--here", "--tensorflow", "2.15"], 2, "UsageError"),
        (["plan", CONVNET, "--keras-version", "new"], 2, "UsageError"),
        (["inspect", "models/missing"], 4, "ModelNotFoundError"),
        (["plan", CONVNET, "--tensorflow", "2.15", "--signature", "defualt"], 10, "SignatureError"),
        (["plan", CONVNET, "--tensorflow", "2.15", "--tags", "gpu"], 11, "TagsError"),
        (["plan", CONVNET, "--tensorflow", "2.15", "--runtime", "tf1"], 12, "InputError"),
        (["plan", CONVNET, "--tensorflow", "2.15", "--operation", "fine-tune"], 13, "UnsupportedError"),
        (
            ["plan", CONVNET, "--tensorflow", "2.15", "--tensorflow-hub", "none", "--api", "keras"],
            8,
            "RuntimeUnavailableError",
        ),
    ],
)
def test_an_error_is_json_too(words, status, name, capsys):
    try:
        ended = cli.main([*words, "--json"])
    except SystemExit as exc:
        ended = exc.code
    printed = capsys.readouterr()
    (error,) = json.loads(printed.out).values()
    assert (ended, error["status"], error["type"], printed.err) == (status, status, name, "")
    assert list(error) == ["type", "what", "why", "hint", "docs", "status"] and all(error.values())


def test_what_stands_behind_two_dashes_is_no_option(capsys):
    with pytest.raises(SystemExit):
        cli.main(["inspect", "--", "a", "--json"])
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("usage: unihub")


def test_every_class_of_errors_has_a_status_of_its_own():
    classes = {
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.UnihubError)
    }
    own = [STATUSES[kind] for kind in classes]
    taken = [USAGE, INCOMPLETE, INTERRUPTED, BROKEN_PIPE]
    assert len(set(own + taken)) == len(own + taken) and 0 not in own
    assert STATUSES[errors.UnihubError] == 1


def test_an_error_of_a_class_of_somebody_else_has_the_status_of_its_base():
    class Own(errors.HandleError):
        pass

    assert status_of(Own("it.", why="so.", hint="do.")) == 3


def test_an_error_in_the_words_of_its_message(monkeypatch, capsys):
    error = errors.HandleError("it.", why="so:\n  a table", hint="do.")

    def failing(*_, **__):
        raise error

    monkeypatch.setattr("unihub._resolve.resolve", failing)
    assert cli.main(["resolve", "x"]) == 3
    assert capsys.readouterr().err == "HandleError: {}\n".format(error)


def test_ctrl_c(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("unihub._resolve.resolve", interrupted)
    assert cli.main(["resolve", "x"]) == 130
    assert capsys.readouterr() == ("", "")


def test_inspect(run):
    info = unihub.inspect(CONVNET)
    status, text, _ = run("inspect", CONVNET)
    assert (status, text) == (0, str(info) + "\n")
    assert run("inspect", CONVNET, "--json")[1] == json.loads(json.dumps(info.to_dict()))


class TestPlan:
    def plan(self, run, *words):
        status, data, _ = run("plan", "--json", *words)
        assert status == 0
        return data

    def test_elsewhere(self, run):
        found = self.plan(run, CONVNET, "--operation", "fine-tune", "--runtime", "tf1-compat", "--tensorflow", "2.15")
        wanted = ("fine-tune", "module", "tensorflow_hub", ["train"], "default")
        assert tuple(found[name] for name in ("operation", "api", "backend", "tags", "signature")) == wanted
        assert found["runtime"]["mode"] == "tf1-compat" and found["runtime"]["tensorflow_hub"] == "0.15.0"
        assert (found["trainable"]["variables"], found["frozen"]["variables"]) == (12, 6)

    @pytest.mark.parametrize(
        "words, mode, hub, keras, api, backend",
        [
            (["--tensorflow", "1.15"], "tf1", "0.12.0", "keras2", "load", "unihub"),
            (["--tensorflow", "2.15"], "tf2", "0.15.0", "keras2", "load", "unihub"),
            (["--tensorflow", "2.16.0rc0"], "tf2", "0.16.1", "keras3", "load", "unihub"),
            (["--tensorflow", "2.15", "--api", "keras"], "tf2", "0.15.0", "keras2", "keras", "tensorflow_hub"),
            (["--tensorflow", "2.18", "--api", "keras"], "tf2", "0.16.1", "keras3", "keras", "unihub"),
            (
                ["--tensorflow", "2.18", "--api", "keras", "--keras-version", "2.18"],
                *("tf2", "0.16.1", "keras2", "keras", "tensorflow_hub"),
            ),
            (["--tensorflow", "1.15", "--runtime", "tf2"], "tf2", "0.12.0", "keras2", "load", "unihub"),
            (["--tensorflow", "2.10", "--runtime", "tf2-graph"], "tf2-graph", "0.15.0", "keras2", "load", "unihub"),
            (["--tensorflow", "2.10", "--tensorflow-hub", "none"], "tf2", None, "keras2", "load", "unihub"),
        ],
    )
    def test_what_is_there(self, run, monkeypatch, words, mode, hub, keras, api, backend):
        monkeypatch.delenv("TF_USE_LEGACY_KERAS", raising=False)
        found = self.plan(run, TEXT, *words)
        runtime = found["runtime"]
        assert (runtime["mode"], runtime["tensorflow_hub"], runtime["keras"]) == (mode, hub, keras)
        assert (found["api"], found["backend"]) == (api, backend)

    @pytest.mark.parametrize("words, tags", [(["--tags", ""], []), (["--tags", "train"], ["train"]), ([], ["train"])])
    def test_tags(self, run, words, tags):
        words = [CONVNET, "--operation", "fine-tune", "--tensorflow", "1.15", *words]
        assert self.plan(run, *words)["tags"] == tags

    def test_without_hub_the_module_is_our_own(self, run):
        found = self.plan(run, CONVNET, "--tensorflow", "1.15", "--tensorflow-hub", "none")
        assert (found["api"], found["backend"]) == ("module", "unihub")

    def test_the_words_are_those_of_the_vocabulary(self):
        assert list(model_commands.OPERATIONS) == [str(word) for word in Operation if word is not Operation.CREATE]
        assert list(model_commands.RUNTIMES) == [str(word) for word in RuntimeMode]
        assert list(model_commands.APIS) == ["auto"] + [str(word) for word in Api]
        assert list(model_commands.KERAS) == ["auto"] + [str(word) for word in Keras]


class TestMatrix:
    def test_has_all_rows(self, run):
        _, data, _ = run("matrix", "--json")
        found = {(row["format"], row["operation"], row["runtime"]): row for row in data["rows"]}
        assert len(found) == len(data["rows"]) == len(unihub.matrix())
        for cell in unihub.matrix():
            row = found[cell.format, cell.operation, cell.runtime]
            assert row["supported"] == cell.supported and (row["reason"], row["hint"]) == (cell.reason, cell.hint)
            assert [choice["call"] for choice in row["choices"]] == [choice.call for choice in cell.choices]
            assert all(choice["here"] == [] for choice in row["choices"])

    @pytest.mark.parametrize(
        "version, runtimes", [("1.14", {"tf1", "tf2"}), ("2.15", {"tf1-compat", "tf2-graph", "tf2"})]
    )
    def test_for_a_tensorflow(self, run, version, runtimes):
        rows = run("matrix", "--json", "--tensorflow", version)[1]["rows"]
        assert {row["runtime"] for row in rows} == runtimes
        supported = {row["supported"] for row in rows if row["format"] == "tf2-saved-model"}
        assert supported == ({False} if version == "1.14" else {True})

    def test_text(self, run):
        _, text, _ = run("matrix")
        first, *rest = text.splitlines()
        assert first.split() == ["format", "operation", "runtime", "what", "to", "call"]
        for cell in unihub.matrix():
            assert (cell.choices[0].call if cell.supported else cell.reason) in text


class TestEnv:
    def test_says_what_is_there(self, run, own_cache, monkeypatch, url):
        unihub.resolve(url)
        _, data, _ = run("env", "--json")
        assert data["unihub"] == unihub.__version__ and data["python"] == platform.python_version()
        assert data["cache"] == {"path": str(own_cache), "entries": 1, "bytes": sum(map(len, FILES.values()))}
        assert data["packages"]["libcst"] and data["imported"] is None
        _, text, _ = run("env")
        assert str(own_cache) in text and data["packages"]["libcst"] in text

    def test_variables_without_secrets(self, run, own_cache, monkeypatch):
        for name in [name for name in os.environ if name.startswith(("TF_", "UNIHUB_", "KAGGLE"))]:
            monkeypatch.delenv(name)
        values = {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "UNIHUB_API_KEY": "hunter1",
            "TF_VAR_password": "hunter2",
            "KAGGLE_KEY": "hunter3",
            "TFHUB_CACHE_DIR": "https://me:hunter4@example.com/x",
            "HOME_OF_MINE": "hunter5",
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        _, data, _ = run("env", "--json")
        found = {name: value for name, value in data["variables"].items() if name in values}
        assert found == {
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "UNIHUB_API_KEY": "(set)",
            "TFHUB_CACHE_DIR": "https://(hidden)@example.com/x",
        }
        assert "hunter" not in run("env")[1]


TRIPWIRE = """
import sys

class Wire:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tensorflow_hub", "keras", "tf_keras"):
            print("IMPORTED", name)
            sys.exit(77)

sys.meta_path.insert(0, Wire())
from unihub import _cli
status = _cli.main(sys.argv[1:])
print("STATUS", status)
"""


def imports_of(words, cache):
    """What a command prints last, in a process where importing TensorFlow ends it."""
    return processes.run(TRIPWIRE, *words, UNIHUB_CACHE_DIR=str(cache)).stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", CONVNET],
        ["plan", CONVNET, "--runtime", "tf1-compat", "--tensorflow", "2.15"],
        ["plan", TEXT, "--tensorflow", "2.15", "--api", "keras"],
        ["matrix"],
        ["matrix", "--tensorflow", "2.15"],
        ["resolve", CONVNET],
        ["export", CONVNET, "OUT"],
        ["cache", "ls"],
        ["cache", "verify"],
        ["cache", "prune"],
        ["env"],
        ["migrate", str(paths.SUPPORT / "servers.py")],
    ],
    ids=lambda words: " ".join(os.path.basename(word) for word in words),
)
def test_no_tensorflow_is_imported(words, tmp_path):
    words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    assert imports_of(words, tmp_path / "cache") == "STATUS 0"


@pytest.mark.parametrize(
    "words", [["plan", CONVNET], ["matrix", "--here"], ["env", "--import"], ["convert", CONVNET, "OUT"]]
)
def test_tensorflow_is_imported_where_it_must_be(words, tmp_path):
    words = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    assert imports_of(words, tmp_path / "cache") == "IMPORTED tensorflow"


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
    command = [sys.executable, "-m", "unihub", "cache", "ls", "--json"]
    assert subprocess.check_output(command, env=processes.environment()) == b"[]\n"
