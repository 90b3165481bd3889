"""What a handle's spelling tells: the place, the entry in the cache, the format, and why some can name nothing."""

import hashlib

import pytest

from unihub._resolve.handle import Handle, KaggleModel, Kind, entry_name, parse_kaggle_page
from unihub.errors import HandleError

PIN = "0a" * 32
MODEL = KaggleModel("google", "nnlm", "tensorFlow2", "en-dim50", "1")


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/m",
        "gs://bucket/m",
        "kaggle:google/nnlm/tensorFlow2/en-dim50",
        "kaggle://google/nnlm/tensorFlow2/en-dim50/1",
        "https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1",
    ],
)
def test_what_has_no_path(text):
    assert Handle.parse(text).path == ""


def test_a_name_of_kaggle_may_be_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    handle = Handle.parse("google/nnlm/tensorFlow2/en-dim50")
    assert handle.kind is Kind.KAGGLE
    assert handle.path == str(tmp_path / "google" / "nnlm" / "tensorFlow2" / "en-dim50")


@pytest.mark.parametrize(
    "text, scheme",
    [
        ("HTTPS://a/b", "https"),
        ("gs://a", "gs"),
        ("a/b", ""),
        ("C:/a", ""),
        ("C://a", ""),
        ("file:///a", "file"),
        ("x-y+z.1://a", "x-y+z.1"),
    ],
)
def test_schemes(text, scheme):
    assert Handle.parse(text).scheme == scheme


@pytest.mark.parametrize(
    "text, is_tfhub",
    [
        ("https://tfhub.dev/google/nnlm/1", True),
        ("http://www.tfhub.dev/google/nnlm/1", True),
        ("https://example.com/tfhub.dev/1", False),
        ("https://tfhub.dev.example.com/1", False),
        ("gs://tfhub.dev/1", False),
        ("tfhub.dev/1", False),
    ],
)
def test_addresses_on_tfhub(text, is_tfhub):
    assert Handle.parse(text).is_tfhub is is_tfhub


@pytest.mark.parametrize(
    "text, other",
    [
        ("https://tfhub.dev/google/imagenet/1?lite-format", "tflite"),
        ("https://tfhub.dev/google/imagenet/1?x=1&tfjs-format=", "tfjs"),
        ("https://tfhub.dev/google/lite-models/imagenet/1", ""),
        ("https://example.com/google/lite-model/imagenet/1", ""),
        ("https://www.tfhub.dev/google/lite-model/imagenet/1", "tflite"),
        ("https://example.com/model.KERAS", "keras"),
        ("https://tfhub.dev/lite-model/m.h5?tfjs-format=file", "tfjs"),
        ("https://example.com/model.hdf5", "h5"),
        ("https://example.com/amodel.json", ""),
        ("https://example.com/m.tar.gz", ""),
        ("https://example.com/m?name=a.h5", ""),
        ("model.h5", ""),
        ("gs://bucket/model", ""),
        ("kaggle:google/nnlm/tensorFlow1/en-dim50", ""),
        ("kaggle:google/nnlm/TENSORFLOW2/en-dim50", ""),
        ("kaggle:google/nnlm/TFLITE/en-dim50", "tflite"),
        ("kaggle:google/nnlm/TfJs/en-dim50", "tfjs"),
        ("kaggle:google/nnlm/own/en-dim50", "framework"),
    ],
)
def test_the_format_that_is_spelled(text, other):
    assert Handle.parse(text).other_format == other


def test_keys():
    assert Handle.parse("https://example.com/m?x=1").key == "https://example.com/m?x=1"
    assert Handle.parse("m.tgz@sha256:" + PIN.upper()).key == "m.tgz@sha256:" + PIN
    kaggle = Handle.parse("https://kaggle.com/models/google/nnlm/tensorflow2/en-dim50/1@sha256:" + PIN)
    assert kaggle.key == "kaggle:google/nnlm/tensorFlow2/en-dim50/1@sha256:" + PIN


@pytest.mark.parametrize(
    "text, stem",
    [
        ("https://example.com/models/m.tar.gz?x=1", "models-m"),
        ("https://example.com/", "model"),
        ("kaggle:google/nnlm/tensorFlow2/en-dim50/1", "google-nnlm-tensorFlow2-en-dim50-1"),
    ],
)
def test_the_entry_in_the_cache(text, stem):
    handle = Handle.parse(text)
    assert handle.entry == "{}-{}".format(stem, hashlib.sha256(handle.key.encode()).hexdigest()[:16])


@pytest.mark.parametrize(
    "stem, readable",
    [
        ("m.tar.gz", "m"),
        ("m.TGZ", "m"),
        ("m.tar", "m"),
        ("m.zip", "m"),
        ("m.tar.zip", "m.tar"),
        ("zip", "zip"),
        ("", "model"),
        (".tgz", "model"),
        ("--..", "model"),
        (".-a", "a"),
        ("a b//c:d", "a-b-c-d"),
        ("a_b.c", "a_b.c"),
        ("ü" * 60, "ü" * 48),
        ("a" + "b" * 48, "b" * 48),
        ("ab" + "-" * 40 + "c" * 20, "c" * 20),
        ("." + "b" * 47, "b" * 47),
    ],
)
def test_what_people_read_of_it(stem, readable):
    name, _, digest = entry_name(stem, "x").rpartition("-")
    assert (name, digest) == (readable, hashlib.sha256(b"x").hexdigest()[:16])
    assert entry_name(stem, "y") != entry_name(stem, "x")


def test_a_model_on_kaggle():
    assert str(MODEL) == "google/nnlm/tensorFlow2/en-dim50/1"
    site = "https://www.kaggle.com/models/google/nnlm/"
    assert MODEL.pages == (
        site + "tensorFlow2/en-dim50/1",
        site + "frameworks/tensorFlow2/variations/en-dim50/versions/1",
    )
    newest = MODEL._replace(version="")
    assert str(newest) == "google/nnlm/tensorFlow2/en-dim50"
    assert newest.pages == (site + "tensorFlow2/en-dim50", site + "frameworks/tensorFlow2/variations/en-dim50")


@pytest.mark.parametrize(
    "url, model",
    [
        (MODEL.pages[0], MODEL),
        (MODEL.pages[1], MODEL),
        (MODEL.pages[0] + "/?x=1", MODEL),
        (MODEL.pages[0].replace("www.", "").replace("tensorFlow2", "TENSORFLOW2"), MODEL),
        (MODEL.pages[0].replace("tensorFlow2", "own"), MODEL._replace(framework="own")),
        (MODEL.pages[0].replace("kaggle.com", "example.com"), None),
        (MODEL.pages[0].replace("/models/", "/datasets/"), None),
        ("https://www.kaggle.com/models/google/nnlm", None),
    ],
)
def test_pages_of_kaggle(url, model):
    assert parse_kaggle_page(url) == model


@pytest.mark.parametrize(
    "handle, error",
    [
        (3, HandleError.not_a_place(3)),
        (None, HandleError.not_a_place(None)),
        ("", HandleError.empty("")),
        (" \n", HandleError.empty(" \n")),
        ("m@sha256:123", HandleError.bad_pin("m@sha256:123", "123")),
        ("@sha256:" + PIN, HandleError.bad_pin("@sha256:" + PIN, PIN)),
        ("https:/a/b", HandleError.one_slash("https:/a/b")),
        ("kaggle:/a/b/c/d", HandleError.one_slash("kaggle:/a/b/c/d")),
        ("kaggle:a/b", HandleError.no_kaggle_model("kaggle:a/b")),
        ("https://www.kaggle.com/models", HandleError.no_kaggle_model("https://www.kaggle.com/models")),
        ("https://kaggle.com/models/a/b", HandleError.no_kaggle_model("https://kaggle.com/models/a/b")),
        ("https:///a", HandleError.bad_url("https:///a", "It names no server")),
        ("http://[::1/a", HandleError.bad_url("http://[::1/a", "Invalid IPv6 URL")),
        ("file://there/a", HandleError.other_machine("file://there/a", "there")),
        ("file://a", HandleError.file_url_without_path("file://a")),
        ("a\0b", HandleError.nul("a\0b")),
        ("file:///a%00b", HandleError.nul("file:///a%00b")),
        ("https://example.com/a\0b", HandleError.nul("https://example.com/a\0b")),
    ],
)
def test_what_can_name_nothing(handle, error):
    with pytest.raises(HandleError) as caught:
        Handle.parse(handle)
    assert (str(caught.value), vars(caught.value)) == (str(error), vars(error))


@pytest.mark.parametrize(
    "text", ["gs:///a", "https://www.kaggle.com/datasets/a", "https://example.com/models/a", "modelshttps:/a"]
)
def test_what_may_name_something(text):
    assert Handle.parse(text).kaggle is None
