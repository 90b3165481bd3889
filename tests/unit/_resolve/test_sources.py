"""Where models come from: tfhub.dev, Kaggle with its own client, buckets, and the caches of others; and offline."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import socket
import sys
import textwrap
from pathlib import Path

import pytest

import archives
import paths
import unihub
from choices import also_slow
from servers import FILES, files_in, in_turn, redirect, serve, status, tar_of
from unihub import _cli as cli
from unihub._resolve import redirects
from unihub._resolve.handle import Handle
from unihub.errors import DownloadError, HandleError, IntegrityError, RuntimeUnavailableError
from words import words_of

NNLM = "google/nnlm/tensorFlow2/en-dim50"
PAGE = "/models/" + NNLM + "/1"
TFHUB = "https://tfhub.dev/google/nnlm-en-dim50/2"
DATA = str(paths.DATA)
# The clients of others, which are there on each Python they run on: a missing one is a failure.
needs_kagglehub = pytest.mark.skipif(sys.version_info < (3, 10), reason="kagglehub needs Python 3.10")
needs_moto = pytest.mark.skipif(sys.version_info < (3, 10), reason="the newest s3fs and moto need Python 3.10")

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def no_kagglehub(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)


class KaggleApi:
    """What kagglehub asks of Kaggle to fetch a model."""

    def __init__(self, site, files, page_size=25):
        self.files = files
        self.calls = []
        service = "/v1/models.ModelApiService/"
        site.answers[service + "GetModelInstance"] = self.answer(lambda _: {"versionNumber": 3})
        site.answers[service + "ListModelInstanceVersionFiles"] = self.answer(
            lambda _: {
                "files": [{"name": name, "size": len(data)} for name, data in files.items()][:page_size],
                "nextPageToken": "more" if len(files) > page_size else "",
            }
        )
        site.answers[service + "DownloadModelInstanceVersion"] = self.download
        for name, data in files.items():
            site.answers["/storage/" + name] = serve(data, x_goog_hash="md5=" + _md5(data), Accept_Ranges="bytes")
        site.answers["/storage/"] = serve(tar_of(files), Accept_Ranges="bytes")

    def answer(self, data):
        def answer(handler):
            self.calls.append((handler.path.rpartition("/")[2], json.loads(handler.body.decode())))
            handler.reply(200, json.dumps(data(self.calls[-1][1])).encode(), Content_Type="application/json")

        return answer

    def download(self, handler):
        self.calls.append(("Download", json.loads(handler.body.decode())))
        handler.reply(302, Location="https://models.example.com/storage/" + self.calls[-1][1].get("path", ""))


def _md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def is_moved(site, page="https://www.kaggle.com" + PAGE):
    site.answers["/google/nnlm-en-dim50/2"] = redirect(page + "?tfhub-redirect=true")


# Kaggle, with its own client


@needs_kagglehub
@pytest.mark.parametrize(
    "handle",
    also_slow(
        [
            "kaggle:" + NNLM + "/1",
            NNLM + "/1",
            "https://www.kaggle.com" + PAGE,
            "https://www.kaggle.com/models/google/nnlm/frameworks/TensorFlow2/variations/en-dim50/versions/1",
            TFHUB,
        ],
        first=1,
    ),
)
def test_a_model_on_kaggle(internet, own_cache, handle):
    api = KaggleApi(internet, FILES)
    is_moved(internet)
    model = unihub.resolve(handle)
    assert files_in(model) == FILES
    assert os.path.basename(os.path.dirname(model)).startswith("google-nnlm-tensorFlow2-en-dim50-1-")
    (listing,) = [body for call, body in api.calls if call == "ListModelInstanceVersionFiles"]
    assert listing["ownerSlug"] == "google" and listing["instanceSlug"] == "en-dim50" and listing["versionNumber"] == 1
    # Once; and all spellings are one entry.
    count = len(internet.asked)
    assert unihub.resolve(handle) == unihub.resolve("kaggle:" + NNLM + "/1") == model
    assert len(internet.asked) == count
    assert cli.main(["cache", "rm", handle]) == 0 and not os.path.exists(model)


@needs_kagglehub
def test_the_newest_version(internet, own_cache):
    api = KaggleApi(internet, FILES)
    assert files_in(unihub.resolve(NNLM)) == FILES
    assert [call for call, _ in api.calls][0] == "GetModelInstance"
    assert all(body["versionNumber"] == 3 for call, body in api.calls[1:])


@needs_kagglehub
def test_a_model_of_many_files_comes_as_an_archive(internet, own_cache):
    files = {"variables/{}".format(number): str(number).encode() for number in range(40)}
    KaggleApi(internet, files)
    assert files_in(unihub.resolve(NNLM + "/1")) == files_of(files)


def files_of(files):
    """As they are in the model's directory, which is the single one of them."""
    return {name.partition("/")[2]: data for name, data in files.items()}


@needs_kagglehub
def test_the_client_is_quiet_where_nobody_looks(internet, own_cache, capfd):
    KaggleApi(internet, FILES)
    unihub.resolve(NNLM + "/1")
    assert capfd.readouterr() == ("", "")


@needs_kagglehub
def test_a_pinned_model_on_kaggle(internet, own_cache):
    KaggleApi(internet, FILES)
    with pytest.raises(IntegrityError) as caught:
        unihub.resolve(NNLM + "/1@sha256:" + "0" * 64)
    assert files_in(unihub.resolve("{}/1@sha256:{}".format(NNLM, caught.value.digests[0]))) == FILES


@needs_kagglehub
@pytest.mark.parametrize("code", [403, 404])
def test_what_kaggle_refuses_is_asked_for_at_the_next_place(internet, own_cache, code):
    internet.answers["/v1/models.ModelApiService/ListModelInstanceVersionFiles"] = status(code)
    internet.answers[PAGE] = serve(tar_of())
    assert files_in(unihub.resolve(NNLM + "/1")) == FILES
    assert internet.asked[-1][0] == PAGE + "?tf-hub-format=compressed"


@needs_kagglehub
def test_what_nobody_has(internet, own_cache):
    is_moved(internet)
    internet.answers["/v1/models.ModelApiService/ListModelInstanceVersionFiles"] = status(403)
    with pytest.raises(DownloadError) as caught:
        unihub.resolve(TFHUB)
    assert words_of(caught.value) == textwrap.dedent(
        """\
        https://tfhub.dev/google/nnlm-en-dim50/2 could not be fetched.
          Why:  https://www.kaggle.com/models/google/nnlm/tensorFlow2/en-dim50/1: 403 Forbidden
                https://tfhub.dev/google/nnlm-en-dim50/2: 404 Not Found
          Hint: The model may be private, or require a login or consent: see its page in a browser.
                Check the address, and whether that version of the model still exists.
                Where the network allows it, this fetches it beforehand: unihub resolve
                https://tfhub.dev/google/nnlm-en-dim50/2
                On Kaggle its name is google/nnlm/tensorFlow2/en-dim50/1:
                kagglehub.model_download('google/nnlm/tensorFlow2/en-dim50/1')."""
    )
    assert caught.value.kaggle == NNLM + "/1" and caught.value.status == 404


@needs_kagglehub
def test_trouble_at_kaggle_that_passes(internet, own_cache):
    api = KaggleApi(internet, FILES)
    list_files = internet.answers["/v1/models.ModelApiService/ListModelInstanceVersionFiles"]
    left = [status(500), status(503)]
    internet.answers["/v1/models.ModelApiService/ListModelInstanceVersionFiles"] = lambda handler: (
        left.pop() if left else list_files
    )(handler)
    assert files_in(unihub.resolve(NNLM + "/1")) == FILES and api.calls


# tfhub.dev


def test_the_redirect_is_followed_once_and_remembered(internet, own_cache, no_kagglehub):
    # By way of another address, as such redirects go.
    internet.answers["/google/nnlm-en-dim50/2"] = redirect("https://www.kaggle.com/redirect")
    internet.answers["/redirect"] = redirect("https://www.kaggle.com" + PAGE)
    for _ in range(2):
        with pytest.raises(DownloadError) as caught:
            unihub.resolve(TFHUB)
    assert caught.value.kaggle == NNLM + "/1"
    assert "kaggle:{}/1: kagglehub is not installed".format(NNLM) in caught.value.answers
    assert internet.count("/redirect") == 3  # once to find the name, and twice for the archive
    assert str(redirects.known(Handle.parse(TFHUB)).kaggle) == NNLM + "/1"


def test_a_model_that_has_not_moved(internet, own_cache):
    answers = {
        "": redirect("https://www.kaggle.com/models?tfhub-redirect=true"),
        "tf-hub-format=compressed": serve(tar_of()),
    }
    internet.answers["/google/nnlm-en-dim50/2"] = lambda handler: answers[handler.path.partition("?")[2]](handler)
    internet.answers["/models"] = serve(b"<html>All models</html>")
    assert files_in(unihub.resolve(TFHUB)) == FILES


def test_without_kagglehub_the_hosting_protocol_serves(internet, own_cache, no_kagglehub):
    internet.answers[PAGE] = serve(tar_of())
    assert files_in(unihub.resolve(NNLM + "/1")) == FILES
    assert internet.asked[0][0] == PAGE + "?tf-hub-format=compressed"


# The caches of others


@pytest.mark.parametrize(
    "handle, keyed",
    [
        (TFHUB, TFHUB),
        ("https://example.com/m.tgz", "https://example.com/m.tgz"),
        (NNLM + "/1", "https://www.kaggle.com" + PAGE),
        (
            NNLM + "/1",
            "https://www.kaggle.com/models/google/nnlm/frameworks/tensorFlow2/variations/en-dim50/versions/1",
        ),
    ],
)
def test_the_cache_of_tensorflow_hub(own_cache, tmp_path, monkeypatch, handle, keyed):
    name = hashlib.sha1(keyed.encode()).hexdigest()
    place = tmp_path / "tfhub_modules" / name
    shutil.copytree(os.path.join(DATA, "tf1_hub", "convnet"), str(place))
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "tfhub_modules"))
    assert unihub.resolve(handle, offline=True) == str(place)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    # One that lost some of its files is none.
    (place / "variables" / "variables.index").unlink()
    with pytest.raises(IntegrityError):
        unihub.resolve(handle, offline=True)


def test_what_tensorflow_hub_has_half_is_fetched(plain_site, own_cache, tmp_path, monkeypatch):
    url = plain_site.url + "/m.tgz"
    (tmp_path / hashlib.sha1(url.encode()).hexdigest()).mkdir()
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    plain_site.answers["/m.tgz"] = serve(tar_of())
    assert files_in(unihub.resolve(url)) == FILES


def test_the_cache_of_kagglehub(own_cache, tmp_path):
    variation = Path(os.environ["KAGGLEHUB_CACHE"]) / "models" / "google" / "nnlm" / "tensorFlow2" / "en-dim50"
    for version in ("1", "2", "10", "11"):
        (variation / version).mkdir(parents=True)
        # The last one is not complete.
        if version != "11":
            (variation / (version + ".complete")).touch()
    assert unihub.resolve(NNLM + "/2", offline=True) == str(variation / "2")
    assert unihub.resolve(NNLM, offline=True) == str(variation / "10")
    with pytest.raises(DownloadError):
        unihub.resolve(NNLM + "/11", offline=True)


# Offline


@pytest.fixture
def no_sockets(monkeypatch):
    def fail(*_, **__):
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(socket, "getaddrinfo", fail)


@pytest.mark.parametrize(
    "handle", [TFHUB, NNLM + "/1", "https://example.com/m.tgz", "s3://bucket/model", "gs://b/m.zip"]
)
@pytest.mark.parametrize("how", ["variable", "argument"])
def test_offline_nothing_is_opened(own_cache, no_sockets, monkeypatch, handle, how):
    if how == "variable":
        monkeypatch.setenv("UNIHUB_OFFLINE", "1")
    for call in (unihub.resolve, unihub.inspect):
        with pytest.raises(DownloadError) as caught:
            call(handle, **({"offline": True} if how == "argument" else {}))
        assert caught.value.path == str(own_cache / "models" / Handle.parse(handle).entry)
        assert caught.value.path in str(caught.value).replace("\n", "")
        assert caught.value.command == "unihub resolve " + handle
    with pytest.raises(DownloadError):
        unihub.plan(handle, offline=True if how == "argument" else None)


def test_offline_what_was_fetched_is_there(plain_site, own_cache):
    plain_site.answers["/m.tgz"] = serve(tar_of())
    model = unihub.resolve(plain_site.url + "/m.tgz")
    plain_site.close()
    assert unihub.resolve(plain_site.url + "/m.tgz", offline=True) == model


def test_the_argument_goes_before_the_variable(plain_site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_OFFLINE", "1")
    plain_site.answers["/m.tgz"] = serve(tar_of())
    assert files_in(unihub.resolve(plain_site.url + "/m.tgz", offline=False)) == FILES


# Pins of what is on this machine


def test_a_pinned_directory_and_archive(own_cache, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"graph")
    lines = "{}  saved_model.pb\n".format(hashlib.sha256(b"graph").hexdigest())
    pin = hashlib.sha256(lines.encode()).hexdigest()
    data = tar_of({"saved_model.pb": b"graph"})
    (tmp_path / "m.tgz").write_bytes(data)
    for name in ("model", "m.tgz"):
        handle = "{}@sha256:{}".format(tmp_path / name, pin)
        assert files_in(unihub.resolve(handle)) == {"saved_model.pb": b"graph"}
        with pytest.raises(IntegrityError):
            unihub.resolve("{}@sha256:{}".format(tmp_path / name, "0" * 64))
    assert unihub.resolve("{}@sha256:{}".format(tmp_path / "m.tgz", hashlib.sha256(data).hexdigest()))


# Buckets


@pytest.fixture
def bucket(own_cache):
    import fsspec

    found = fsspec.filesystem("memory")
    yield found
    found.store.clear()
    found.pseudo_dirs[:] = [""]


def test_a_directory_in_a_bucket(bucket):
    for name, data in FILES.items():
        with bucket.open("/models/convnet/" + name, "wb") as file:
            file.write(data)
    for _ in range(2):
        assert files_in(unihub.resolve("memory://models/convnet")) == FILES
    bucket.rm("/models", recursive=True)
    assert files_in(unihub.resolve("memory://models/convnet")) == FILES


@pytest.mark.parametrize("name", ["m.tar.gz", "m.zip", "m.tar"])
def test_an_archive_in_a_bucket(bucket, name):
    data = tar_of()
    if name.endswith(".zip"):
        data = archives.zipped((inner, content, 0) for inner, content in FILES.items())
    with bucket.open("/" + name, "wb") as file:
        file.write(gzip.decompress(data) if name.endswith(".tar") else data)
    assert files_in(unihub.resolve("memory://" + name)) == FILES


def test_what_is_not_in_a_bucket(bucket, own_cache):
    for handle in ("memory://models/missing", "memory://missing.tgz"):
        with pytest.raises(DownloadError) as caught:
            unihub.resolve(handle)
        assert caught.value.status == 404 and handle + ": not found" in str(caught.value)
    assert list((own_cache / "models").iterdir()) == []


def test_a_damaged_archive_in_a_bucket(bucket):
    with bucket.open("/m.tgz", "wb") as file:
        file.write(tar_of()[:1000])
    with pytest.raises(IntegrityError):
        unihub.resolve("memory://m.tgz")


def test_a_name_in_a_bucket_that_leads_elsewhere(bucket, own_cache, tmp_path, monkeypatch):
    monkeypatch.setattr(
        type(bucket), "find", lambda *_, **__: {"/models/../../evil": {"type": "file", "size": 1, "name": "evil"}}
    )
    with pytest.raises(IntegrityError, match="evil"):
        unihub.resolve("memory://models")
    assert not list(tmp_path.rglob("evil"))


def test_what_fsspec_does_not_know(own_cache):
    with pytest.raises(HandleError) as caught:
        unihub.resolve("nonesuch://bucket/model")
    assert words_of(caught.value) == textwrap.dedent(
        """\
        unihub cannot read nonesuch:// URLs (nonesuch://bucket/model).
          Why:  Supported are file://, http://, https:// and the schemes that fsspec knows.
          Hint: Copy the model to a local directory and pass that."""
    )


@pytest.mark.parametrize("missing", ["fsspec", "gcsfs"])
def test_a_package_that_is_missing(own_cache, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(RuntimeUnavailableError) as caught:
        unihub.resolve("gs://bucket/model")
    assert "pip install 'unihub[buckets]'" in caught.value.hint


@pytest.mark.slow
@needs_moto
def test_a_bucket_on_a_server_that_speaks_s3(own_cache, monkeypatch):
    import boto3
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_ENDPOINT_URL", url)):
            monkeypatch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1")
        client.create_bucket(Bucket="models")
        client.put_object(Bucket="models", Key="convnet/", Body=b"")
        for name, data in FILES.items():
            client.put_object(Bucket="models", Key="convnet/" + name, Body=data)
        client.put_object(Bucket="models", Key="convnet.tar.gz", Body=tar_of())
        fsspec.config.conf["s3"] = {"client_kwargs": {"region_name": "us-east-1"}}
        assert files_in(unihub.resolve("s3://models/convnet")) == FILES
        assert files_in(unihub.resolve("s3://models/convnet.tar.gz")) == FILES
        with pytest.raises(DownloadError) as caught:
            unihub.resolve("s3://models/missing")
        assert caught.value.status == 404
    finally:
        fsspec.config.conf.pop("s3", None)
        server.stop()


def test_a_zip_file_on_the_web_is_read_from_its_end(plain_site, own_cache):
    packed = archives.zipped(("model/" + name, data, 0) for name, data in FILES.items())
    plain_site.answers["/m.zip"] = in_turn(serve(packed, cut_at=100000), serve(packed))
    model = unihub.resolve(plain_site.url + "/m.zip")
    assert files_in(model) == FILES and os.path.basename(model) == "model"


def test_a_plain_tar_file_on_the_web(plain_site, own_cache):
    plain_site.answers["/m.tar"] = serve(gzip.decompress(tar_of()))
    assert files_in(unihub.resolve(plain_site.url + "/m.tar")) == FILES
