"""From a handle to a directory: what is understood, what is refused, and in which words."""

from __future__ import annotations

import os
import pathlib
import pickle
import tarfile
import textwrap

import pytest

from processes import printed
from unihub._resolve import resolve
from unihub._resolve.handle import Handle, Kind
from unihub._resolve.sources import SOURCES
from unihub.errors import (
    HandleError,
    IntegrityError,
    ModelNotFoundError,
    UnknownFormatError,
)
from words import words_of

KAGGLE = "google/universal-sentence-encoder/tensorFlow2/universal-sentence-encoder"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(str(here))
    monkeypatch.setenv("UNIHUB_CACHE_DIR", str(tmp_path / "cache"))
    # What is fetched is tested in other files; here nothing opens a connection.
    monkeypatch.setenv("UNIHUB_OFFLINE", "1")
    return here


@pytest.fixture
def model(in_an_empty_directory):
    directory = in_an_empty_directory / "a model 100% ü"
    directory.mkdir()
    (directory / "saved_model.pb").write_bytes(b"")
    return directory


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
    ("m.zip", Kind.ARCHIVE),
    ("file:///m%2Etgz", Kind.ARCHIVE),
    ("https://tfhub.dev/google/nnlm-en-dim50/2", Kind.URL),
    ("HTTP://example.com/m.tar.gz?x=1", Kind.URL),
    ("gs://bucket/model", Kind.BUCKET),
    ("s3://bucket/model.tgz", Kind.BUCKET),
    (KAGGLE, Kind.KAGGLE),
    (KAGGLE + "/2", Kind.KAGGLE),
    ("google/nnlm/TensorFlow1/en-dim50/1", Kind.KAGGLE),
    ("google/nnlm/tensorFlow1/en-dim50/one", Kind.DIRECTORY),
    ("kaggle:google/nnlm/tensorFlow2/en-dim50", Kind.KAGGLE),
    ("kaggle:google/nnlm/tensorFlow2/en-dim50/1", Kind.KAGGLE),
    ("kaggle://google/nnlm/tensorFlow2/en-dim50/1", Kind.KAGGLE),
    ("https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1", Kind.KAGGLE),
    ("https://www.kaggle.com/models/google/nnlm/TensorFlow2/en-dim50", Kind.KAGGLE),
    ("https://kaggle.com/models/google/nnlm/frameworks/TensorFlow2/variations/en-dim50/versions/1", Kind.KAGGLE),
    ("https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1?tfhub-redirect=true", Kind.KAGGLE),
    ("hdfs://cluster/model", Kind.BUCKET),
    ("memory://model", Kind.BUCKET),
    ("https://example.com/m@sha256:" + "0a" * 32, Kind.URL),
    ("m.tgz@sha256:" + "0A" * 32, Kind.ARCHIVE),
]


@pytest.mark.parametrize("text, kind", SPELLINGS)
def test_a_handle_prints_as_it_was_written(text, kind):
    handle = Handle.parse(text)
    assert (handle.kind, str(handle)) == (kind, text)
    assert Handle.parse(str(handle)) == Handle.parse(handle) == handle == pickle.loads(pickle.dumps(handle))


@pytest.mark.parametrize("text", [text for text, kind in SPELLINGS if kind is Kind.KAGGLE and "nnlm" in text])
def test_all_spellings_of_a_model_on_kaggle_are_one_entry_of_the_cache(text):
    handle = Handle.parse(text)
    model = ("google", "nnlm", handle.kaggle.framework, "en-dim50")
    assert handle.kaggle[:4] == model and handle.kaggle.framework in ("tensorFlow1", "tensorFlow2")
    assert handle.kaggle.version in ("", "1")
    assert Handle.parse("kaggle:{}".format(handle.kaggle)).entry == handle.entry
    assert [Handle.parse(page).entry for page in handle.kaggle.pages] == [handle.entry] * 2


def test_a_pin_is_no_part_of_the_place(in_an_empty_directory):
    pin = "0A" * 32
    handle = Handle.parse("m.tgz@sha256:" + pin)
    assert (handle.pin, handle.location, handle.path) == (pin.lower(), "m.tgz", str(in_an_empty_directory / "m.tgz"))
    assert handle.entry != Handle.parse("m.tgz").entry


@pytest.mark.parametrize(
    "text, kind",
    [
        ("google/mobilenet/tfLite/small", "tflite"),
        ("kaggle:google/mobilenet/tfJs/a/1", "tfjs"),
        ("google/mobilenet/coral/a/1", "tflite"),
        ("kaggle:google/mobilenet/coral/a/1", "tflite"),
        ("https://www.kaggle.com/models/google/mobilenet/frameworks/tfLite/variations/a/versions/1", "tflite"),
        ("keras/bert/keras/base", "framework"),
        ("kaggle:meta/llama/pyTorch/base/1", "framework"),
        ("https://tfhub.dev/google/tfjs-model/imagenet/1", "tfjs"),
        ("https://tfhub.dev/google/lite-model/imagenet/1", "tflite"),
        ("https://tfhub.dev/google/imagenet/1/default/1?tfjs-format=file", "tfjs"),
        ("https://tfhub.dev/google/imagenet/1?lite-format=tflite", "tflite"),
        ("https://example.com/model.keras", "keras"),
        ("https://example.com/model.h5?download=1", "h5"),
        ("s3://bucket/model.tflite", "tflite"),
        ("gs://bucket/web/model.json", "tfjs"),
    ],
)
def test_what_is_no_saved_model_is_told_by_its_handle(text, kind):
    with pytest.raises(UnknownFormatError) as caught:
        resolve(text, offline=False)
    assert caught.value.kind == kind
    assert "The handle shows this, and nothing was downloaded." in caught.value.why


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
def test_a_directory_however_it_is_spelled(model, spell):
    assert resolve(spell(model)) == str(model)


@pytest.mark.parametrize("name", [KAGGLE, "model.tar.gz", "a:b", "model.h5"])
def test_a_directory_that_exists_goes_before_everything_it_could_also_mean(in_an_empty_directory, name):
    (in_an_empty_directory / name).mkdir(parents=True)
    assert resolve(name) == str(in_an_empty_directory / name)


def test_a_link_to_a_directory_is_not_followed_by_name(model, in_an_empty_directory):
    (in_an_empty_directory / "latest").symlink_to(model, target_is_directory=True)
    assert resolve("latest") == str(in_an_empty_directory / "latest")


# Archives


@pytest.mark.parametrize("name", ["m.tar.gz", "m.tgz", "m.tar", "1", "model?tf-hub-format=compressed"])
def test_an_archive_whatever_its_name(model, in_an_empty_directory, name):
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
    for handle in ("missing", "missing.zip", (in_an_empty_directory / "missing").as_uri(), "a/b/c/d"):
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


# The order of the sources


def test_the_sources_in_order():
    assert [type(source).__name__ for source in SOURCES] == [
        "Directory",
        "Archive",
        "OtherFormat",
        "Cached",
        "HubCache",
        "KaggleCache",
        "Kaggle",
        "Hosted",
        "Bucket",
        "MissingPath",
    ]


def test_resolving_a_path_imports_nothing_heavy(model):
    program = """
        import sys
        from unihub._resolve import resolve
        resolve(sys.argv[1])
        heavy = {"tensorflow", "tensorflow_hub", "keras", "numpy", "http.client", "platformdirs"}
        print(sorted(heavy & set(sys.modules)))
    """
    assert printed(textwrap.dedent(program), model) == ["[]"]


# The words


@pytest.mark.parametrize(
    "handle, text",
    [
        (
            5,
            """\
            a handle cannot be of type int.
              Why:  A handle is a str, bytes, or a path such as pathlib.Path.
              Hint: Pass the directory, archive or URL of the model. A callable or a hub.ModuleSpec is already a model and needs
                    no resolving: pass it to unihub.load.""",
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
              Why:  It went through pathlib.Path or os.path.normpath, which collapse two slashes into one.
              Hint: Pass 'https://tfhub.dev/google/nnlm-en-dim50/2' as a str.""",
        ),
        (
            "file://models/convnet",
            """\
            the file URL file://models/convnet names the host 'models'.
              Why:  The part between file:// and the next slash is a host name, and only local files can be read.
              Hint: Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.""",
        ),
        (
            "file://models",
            """\
            the file URL file://models has no path.
              Why:  The part between file:// and the next slash is a host name, and nothing follows it.
              Hint: Write three slashes before an absolute path, as in file:///models/convnet, or pass the path itself.""",
        ),
        (
            "https://www.kaggle.com/models/google/nnlm",
            """\
            https://www.kaggle.com/models/google/nnlm does not name a model on Kaggle.
              Why:  A model there has an owner, a name, a framework and a variation, and may have a version.
              Hint: Open the model's page on www.kaggle.com, choose framework, variation and version, and pass what its download
                    button shows, as in kaggle:google/nnlm/tensorFlow2/en-dim50/1.""",
        ),
        (
            "https://[::1/model",
            """\
            https://[::1/model is not a valid URL.
              Why:  Invalid IPv6 URL.
              Hint: Copy the address from a browser, or from the model's page.""",
        ),
        (
            "http:///model",
            """\
            http:///model is not a valid URL.
              Why:  It names no server.
              Hint: Copy the address from a browser, or from the model's page.""",
        ),
        (
            "m.tgz@sha256:12",
            """\
            the pin of m.tgz@sha256:12 is not a SHA-256 digest.
              Why:  A digest has 64 hexadecimal digits; this one has 2 characters.
              Hint: Pass what sha256sum prints for the archive, or what unihub cache ls prints for the content.""",
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
    assert words_of(caught.value) == textwrap.dedent(text)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), vars(copy)) == (HandleError, str(caught.value), vars(caught.value))


@pytest.mark.parametrize("handle", [None, 5, 1.5, ["a"], object(), len, type("Spec", (), {})])
def test_what_names_no_place(handle):
    with pytest.raises(HandleError) as caught:
        resolve(handle)
    assert caught.value.type == type(handle).__name__
