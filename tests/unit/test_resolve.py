"""From a handle to a directory: what is understood, what is refused, and in which words."""
from __future__ import annotations

import io
import os
import pathlib
import pickle
import subprocess
import sys
import tarfile
import textwrap
import urllib.error

import pytest

from unihub import _compat
from unihub._resolve import resolve
from unihub._resolve.handle import Handle, Kind
from unihub._resolve.sources import SOURCES
from unihub.errors import (
    DownloadError,
    HandleError,
    IntegrityError,
    ModelNotFoundError,
    RuntimeUnavailableError,
    UnknownFormatError,
)

KAGGLE = "google/universal-sentence-encoder/tensorFlow2/universal-sentence-encoder"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(str(here))
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))
    return here


@pytest.fixture
def model(in_an_empty_directory):
    directory = in_an_empty_directory / "a model 100% ü"
    directory.mkdir()
    (directory / "saved_model.pb").write_bytes(b"")
    return directory


class Hub:
    """Stands where tensorflow_hub would."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def resolve(self, handle):
        self.asked.append(handle)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def no_hub(monkeypatch):
    monkeypatch.setattr(_compat, "import_tensorflow_hub", lambda: pytest.fail("tensorflow_hub was imported"))


# Handles

SPELLINGS = [
    (".", Kind.DIRECTORY),
    ("models/convnet", Kind.DIRECTORY),
    ("/models/convnet/", Kind.DIRECTORY),
    ("~/convnet", Kind.DIRECTORY),
    ("C:/models/convnet", Kind.DIRECTORY),
    ("C:\\models\\convnet", Kind.DIRECTORY),
    ("a:b", Kind.DIRECTORY),
    ("model.h5", Kind.DIRECTORY),
    (" model ", Kind.DIRECTORY),
    ("models/of/four/names", Kind.DIRECTORY),
    ("/google/bert/tensorFlow2/base", Kind.DIRECTORY),
    ("file:///models/convnet", Kind.DIRECTORY),
    ("file:/models/convnet", Kind.DIRECTORY),
    ("FILE://localhost/models/convnet", Kind.DIRECTORY),
    ("m.tar.gz", Kind.ARCHIVE),
    ("m.tgz", Kind.ARCHIVE),
    ("m.tar", Kind.ARCHIVE),
    ("M.TAR.GZ", Kind.ARCHIVE),
    ("file:///m%2Etgz", Kind.ARCHIVE),
    ("https://tfhub.dev/google/nnlm-en-dim50/2", Kind.URL),
    ("HTTP://example.com/m.tar.gz?x=1", Kind.URL),
    ("gs://bucket/model", Kind.BUCKET),
    ("s3://bucket/model.tgz", Kind.BUCKET),
    (KAGGLE, Kind.KAGGLE),
    (KAGGLE + "/2", Kind.KAGGLE),
    ("google/nnlm/TensorFlow1/en-dim50/1", Kind.KAGGLE),
    ("google/nnlm/tensorFlow1/en-dim50/one", Kind.DIRECTORY),
]


@pytest.mark.parametrize("text, kind", SPELLINGS)
def test_a_handle_prints_as_it_was_written(text, kind):
    handle = Handle.parse(text)
    assert (handle.kind, str(handle)) == (kind, text)
    assert Handle.parse(str(handle)) == Handle.parse(handle) == handle == pickle.loads(pickle.dumps(handle))


def test_paths_and_bytes_are_handles():
    assert Handle.parse(pathlib.Path("a") / "b.tgz") == Handle(Kind.ARCHIVE, os.path.join("a", "b.tgz"))
    assert Handle.parse("ü".encode()) == Handle(Kind.DIRECTORY, "ü")


def test_a_handle_never_changes():
    with pytest.raises(AttributeError):
        Handle.parse("a").text = "b"


@pytest.mark.skipif(os.name == "nt", reason="POSIX paths")
@pytest.mark.parametrize(
    "text, path",
    [
        ("/a/../b/", "/b"),
        ("file:///a%20b/%C3%BC", "/a b/ü"),
        ("file:///a?b#c", "/a?b#c"),
        ("file:/a%2525", "/a%25"),
        ("file://localhost/a", "/a"),
        ("file:///%FF", os.fsdecode(b"/\xff")),
        ("https://a/b", ""),
        ("gs://a/b", ""),
    ],
)
def test_the_path_of_a_handle(text, path):
    assert Handle.parse(text).path == path


def test_the_path_of_a_relative_handle(in_an_empty_directory):
    assert Handle.parse("a/b").path == str(in_an_empty_directory / "a" / "b")
    assert Handle.parse("~").path == os.path.expanduser("~")


# Directories


@pytest.mark.parametrize("spell", [str, os.fsencode, pathlib.Path, pathlib.Path.as_uri, os.path.relpath, Handle.parse])
def test_a_directory_however_it_is_spelled(model, spell, no_hub):
    assert resolve(spell(model)) == str(model)


@pytest.mark.parametrize("name", [KAGGLE, "model.tar.gz", "a:b", "model.h5"])
def test_a_directory_that_exists_goes_before_everything_it_could_also_mean(in_an_empty_directory, name, no_hub):
    (in_an_empty_directory / name).mkdir(parents=True)
    assert resolve(name) == str(in_an_empty_directory / name)


def test_a_link_to_a_directory_is_not_followed_by_name(model, in_an_empty_directory):
    (in_an_empty_directory / "latest").symlink_to(model, target_is_directory=True)
    assert resolve("latest") == str(in_an_empty_directory / "latest")


# Archives


@pytest.mark.parametrize("name", ["m.tar.gz", "m.tgz", "m.tar", "1", "model?tf-hub-format=compressed"])
def test_an_archive_whatever_its_name(model, in_an_empty_directory, name, no_hub):
    with tarfile.open(name, "w" if name.endswith(".tar") else "w:gz") as tar:
        tar.add(str(model), "convnet")
    for handle in (name, pathlib.Path(name), (in_an_empty_directory / name).as_uri()):
        path = resolve(handle)
        assert os.path.isabs(path) and os.listdir(path) == ["saved_model.pb"]
        assert os.path.basename(path) == "convnet"


def test_a_damaged_archive(in_an_empty_directory):
    (in_an_empty_directory / "m.tar.gz").write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(IntegrityError):
        resolve("m.tar.gz")


# What is no model


@pytest.mark.parametrize("name", ["model.h5", "saved_model.pb", "notes.txt"])
def test_a_file_is_named_for_what_it_is(in_an_empty_directory, name):
    (in_an_empty_directory / name).write_bytes({"model.h5": b"\x89HDF\r\n\x1a\n"}.get(name, b"text"))
    with pytest.raises(UnknownFormatError) as caught:
        resolve(name)
    assert str(in_an_empty_directory / name) in str(caught.value)


def test_nothing_is_there(in_an_empty_directory):
    for handle in ("missing", "missing.tar.gz", (in_an_empty_directory / "missing").as_uri(), "a/b/c/d"):
        with pytest.raises(ModelNotFoundError) as caught:
            resolve(handle)
        assert caught.value.path == Handle.parse(handle).path


def test_below_a_file_is_nothing(model):
    with pytest.raises(ModelNotFoundError):
        resolve(model / "saved_model.pb" / "deeper")


@pytest.mark.skipif(os.name == "nt", reason="POSIX devices and limits")
def test_what_cannot_be_opened_as_a_model(in_an_empty_directory):
    os.mkfifo("pipe")
    for handle, reason in (
        ("pipe", "It is neither a directory nor a regular file."),
        ("/dev/null", "It is neither a directory nor a regular file."),
        ("x" * 1000, "File name too long."),
    ):
        with pytest.raises(HandleError) as caught:
            resolve(handle)
        assert caught.value.why == reason


# The web


def test_a_url_goes_to_tensorflow_hub(monkeypatch, in_an_empty_directory):
    hub = Hub(b"cached/model")
    monkeypatch.setattr(_compat, "import_tensorflow_hub", lambda: hub)
    assert resolve("https://tfhub.dev/google/nnlm-en-dim50/2") == str(in_an_empty_directory / "cached" / "model")
    assert hub.asked == ["https://tfhub.dev/google/nnlm-en-dim50/2"]


@pytest.mark.parametrize(
    "error, status, reason",
    [
        (
            urllib.error.HTTPError("https://a/b", 403, "Forbidden", None, io.BytesIO()),
            403,
            "HTTPError: HTTP Error 403: Forbidden",
        ),
        (urllib.error.URLError("no route"), None, "URLError: <urlopen error no route>"),
        (OSError("https://a/b does not appear to be a valid module."), None, None),
        (EOFError("cut off"), None, "EOFError: cut off"),
    ],
)
def test_a_url_that_cannot_be_fetched(monkeypatch, error, status, reason):
    monkeypatch.setattr(_compat, "import_tensorflow_hub", lambda: Hub(error))
    with pytest.raises(DownloadError) as caught:
        resolve("https://a/b")
    assert caught.value.__cause__ is error
    assert caught.value.status == status
    assert reason is None or caught.value.reason == reason


def test_a_url_without_tensorflow_hub(monkeypatch):
    missing = RuntimeUnavailableError("no.", why="no.", hint="no.")

    def fail():
        raise missing

    monkeypatch.setattr(_compat, "import_tensorflow_hub", fail)
    with pytest.raises(RuntimeUnavailableError) as caught:
        resolve("https://a/b")
    assert caught.value is missing


def test_an_interrupt_is_not_taken_for_a_failure(monkeypatch):
    monkeypatch.setattr(_compat, "import_tensorflow_hub", lambda: Hub(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        resolve("https://a/b")


# The order of the sources


def test_the_sources_in_order():
    assert [type(source).__name__ for source in SOURCES] == [
        "Directory",
        "Archive",
        "Web",
        "Bucket",
        "Kaggle",
        "Nothing",
    ]


def test_resolving_a_path_imports_nothing_heavy(model):
    program = """
        import sys
        from unihub._resolve import resolve
        resolve(sys.argv[1])
        heavy = {"tensorflow", "tensorflow_hub", "keras", "numpy", "http.client", "platformdirs"}
        print(sorted(heavy & set(sys.modules)))
    """
    root = str(pathlib.Path(__file__).resolve().parents[2])
    environment = dict(os.environ, PYTHONPATH=root)
    command = [sys.executable, "-c", textwrap.dedent(program), str(model)]
    assert subprocess.check_output(command, env=environment).decode().strip() == "[]"


# The words


@pytest.mark.parametrize(
    "handle, text",
    [
        (
            5,
            """\
            a handle of type int names no place.
              Why:  A model is looked for by a str, a pathlib path, or bytes.
              Hint: Pass the directory, archive or URL of the model. A callable or a hub.ModuleSpec is a model already and needs
                    no resolving: give it to unihub.load.""",
        ),
        (
            "",
            """\
            the handle '' is empty.
              Why:  An empty string names no model; most often a variable was never set.
              Hint: Pass the directory, archive or URL of the model; the current directory is '.'.""",
        ),
        (
            b" \n",
            """\
            the handle ' \\n' is empty.
              Why:  An empty string names no model; most often a variable was never set.
              Hint: Pass the directory, archive or URL of the model; the current directory is '.'.""",
        ),
        (
            "a\0b",
            """\
            the handle 'a\\x00b' holds a NUL byte.
              Why:  No path can hold one; the text was probably read from a binary file.
              Hint: Remove it, with handle.replace('\\0', '') for instance.""",
        ),
        (
            "file:///a%00b",
            """\
            the handle 'file:///a%00b' holds a NUL byte.
              Why:  No path can hold one; the text was probably read from a binary file.
              Hint: Remove it, with handle.replace('\\0', '') for instance.""",
        ),
        (
            pathlib.PurePosixPath("https://tfhub.dev/google/nnlm-en-dim50/2"),
            """\
            the URL 'https:/tfhub.dev/google/nnlm-en-dim50/2' has lost a slash.
              Why:  It went through pathlib.Path or os.path.normpath, which make one slash of two.
              Hint: Pass 'https://tfhub.dev/google/nnlm-en-dim50/2' as a str.""",
        ),
        (
            "hdfs://cluster/model",
            """\
            nothing here can read hdfs:// (hdfs://cluster/model).
              Why:  URLs are understood with file://, http:// and https://.
              Hint: Copy the model to a local directory and pass that.""",
        ),
        (
            "file://models/convnet",
            """\
            the file URL file://models/convnet names the machine 'models'.
              Why:  What stands between file:// and the next slash is a machine, and only this one's files can be read.
              Hint: Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.""",
        ),
        (
            "file://models",
            """\
            the file URL file://models has no path.
              Why:  What stands between file:// and the next slash is a machine, and there is nothing after it.
              Hint: Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.""",
        ),
        (
            "gs://bucket/model",
            """\
            models are not read from gs:// yet (gs://bucket/model).
              Why:  A model is loaded from a directory on this machine.
              Hint: Copy it here first, and pass the directory:
                    gcloud storage cp --recursive gs://bucket/model models/""",
        ),
        (
            "s3://bucket/model",
            """\
            models are not read from s3:// yet (s3://bucket/model).
              Why:  A model is loaded from a directory on this machine.
              Hint: Copy it here first, and pass the directory:
                    aws s3 cp --recursive s3://bucket/model models/""",
        ),
        (
            KAGGLE + "/2",
            """\
            models are not downloaded from Kaggle by their name yet ({0}/2).
              Why:  There is no directory of that name here, and it reads as owner/model/framework/variation.
              Hint: Install kagglehub, and pass the directory that this returns:
                    kagglehub.model_download('{0}/2')""".format(KAGGLE),
        ),
        pytest.param(
            "/dev/null",
            """\
            /dev/null cannot be used as a model.
              Why:  It is neither a directory nor a regular file.
              Hint: Pass a directory or an archive that this user may read.""",
            marks=pytest.mark.skipif(os.name == "nt", reason="POSIX devices"),
        ),
    ],
)
def test_the_words_of_a_refusal(handle, text):
    with pytest.raises(HandleError) as caught:
        resolve(handle)
    assert str(caught.value) == textwrap.dedent(text)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), vars(copy)) == (HandleError, str(caught.value), vars(caught.value))


@pytest.mark.parametrize("handle", [None, 5, 1.5, ["a"], object(), len, type("Spec", (), {})])
def test_what_names_no_place(handle):
    with pytest.raises(HandleError) as caught:
        resolve(handle)
    assert caught.value.type == type(handle).__name__


def test_the_words_of_a_failed_download():
    error = DownloadError.through_tensorflow_hub("https://a/b", urllib.error.URLError("no route"))
    assert str(error) == textwrap.dedent(
        """\
        https://a/b could not be fetched.
          Why:  tensorflow_hub was asked for it and raised URLError: <urlopen error no route>
          Hint: Look whether the URL opens in a browser here, and whether a proxy is needed (https_proxy). With the model's
                archive or directory on this machine, pass its path instead."""
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
