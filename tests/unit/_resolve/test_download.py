"""What can go wrong on the way: each fault ends in the right model, or in a typed error and no entry."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pytest

import unihub
from processes import command, environment, run
from servers import FILES, WRONG, drip, drip_headers, files_in, in_turn, redirect, serve, status, tar_of
from terminals import run_in_terminal
from unihub._resolve import cache, progress, requests_client
from unihub._resolve.download import Download
from unihub.errors import DownloadError, HandleError, IntegrityError, ModelNotFoundError

MODEL = tar_of()
PATH = "/model.tar.gz"
pytestmark = pytest.mark.usefixtures("quick")


def resolved(site, path=PATH):
    return files_in(unihub.resolve(site.url + path))


def entries(own_cache):
    shelf = own_cache / "models"
    return sorted(path.name for path in shelf.iterdir() if path.name[0] != ".") if shelf.exists() else []


def left(own_cache):
    """What is left of failed attempts: nothing, or what was downloaded."""
    found = list((own_cache / "models").glob(".*"))
    assert all([inner.name for inner in path.iterdir()] == ["download"] for path in found)
    return found


def fails(site, kind, own_cache, path=PATH):
    with pytest.raises(kind) as caught:
        unihub.resolve(site.url + path)
    assert entries(own_cache) == []
    left(own_cache)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (type(caught.value), str(caught.value))
    return caught.value


# The way that works


@pytest.mark.parametrize("path", [PATH, "/model.tgz?token=1", "/plain/model"])
def test_fetches_once(site, own_cache, path):
    site.answers[path.partition("?")[0]] = serve(MODEL)
    for _ in range(3):
        assert resolved(site, path) == FILES
    assert len(site.asked) == 1 and left(own_cache) == []
    # The hosting protocol, for what is not named as an archive.
    assert ("tf-hub-format=compressed" in site.asked[0][0]) == (path == "/plain/model")


def test_a_query_is_kept(plain_site):
    plain_site.answers["/m"] = serve(MODEL)
    resolved(plain_site, "/m?version=3")
    assert plain_site.asked[0][0] == "/m?version=3&tf-hub-format=compressed"


def test_what_is_secret_in_a_url_is_not_written_down(plain_site, own_cache):
    plain_site.answers[PATH] = redirect("/signed?signature=secret")
    plain_site.answers["/signed"] = serve(MODEL)
    resolved(plain_site)
    (entry,) = entries(own_cache)
    text = (own_cache / "models" / entry / "manifest.json").read_text()
    assert "/signed" in text and "secret" not in text


def test_a_file_of_unknown_length(site):
    def answer(handler):
        handler.reply(200, Content_Length=None, Transfer_Encoding="chunked")
        for start in range(0, len(MODEL), 50000):
            chunk = MODEL[start : start + 50000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        handler.wfile.write(b"0\r\n\r\n")

    site.answers[PATH] = answer
    assert resolved(site) == FILES


# Connections that break off


def test_a_connection_that_is_cut_at_20_places(site, own_cache):
    for number in range(20):
        place = number * len(MODEL) // 20
        path = "/{}.tar.gz".format(number)
        site.answers[path] = in_turn(serve(MODEL, cut_at=place), serve(MODEL))
        before = site.sent
        assert resolved(site, path) == FILES
        # What has come is not asked for again; of the last chunk less than all may have come.
        assert site.sent - before <= len(MODEL) + 2**16
        assert left(own_cache) == []


def test_a_connection_that_is_cut_where_the_server_cannot_go_on(site):
    for number in range(5):
        path = "/{}.tar.gz".format(number)
        cut = serve(MODEL, etag=None, cut_at=number * len(MODEL) // 5)
        site.answers[path] = in_turn(cut, cut, serve(MODEL, etag=None))
        assert resolved(site, path) == FILES


def test_a_file_that_is_replaced_in_the_middle(site):
    other = tar_of({"saved_model.pb": os.urandom(400000)})
    site.answers[PATH] = in_turn(serve(other, cut_at=200000), serve(MODEL, etag='"2"'))
    assert resolved(site) == FILES


def test_a_connection_that_is_always_cut(site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_RETRIES", "2")
    site.answers[PATH] = serve(MODEL, cut_at=100000)
    error = fails(site, DownloadError, own_cache)
    assert "the connection failed" in error.why
    assert len(site.asked) == 3
    (kept,) = left(own_cache)
    assert (kept / "download" / "data").read_bytes() == MODEL[:100000][: (kept / "download" / "data").stat().st_size]
    # And the next call goes on there.
    site.answers[PATH] = serve(MODEL)
    assert resolved(site) == FILES
    assert site.asked[-1][1]["Range"].startswith("bytes=") and left(own_cache) == []


def test_what_was_kept_and_is_damaged_is_fetched_afresh(site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_RETRIES", "0")
    site.answers[PATH] = serve(MODEL, cut_at=200000)
    fails(site, DownloadError, own_cache)
    (kept,) = left(own_cache)
    with open(str(kept / "download" / "data"), "r+b") as file:
        file.seek(1000)
        file.write(bytes(1000))
    site.answers[PATH] = serve(MODEL)
    assert resolved(site) == FILES


def test_a_rest_that_does_not_fit(site):
    def answer(handler):
        handler.reply(206, MODEL[7:], Content_Range="bytes 7-{}/{}".format(len(MODEL) - 1, len(MODEL)), ETag='"1"')

    site.answers[PATH] = in_turn(serve(MODEL, cut_at=200000), answer, serve(MODEL))
    assert resolved(site) == FILES
    assert "Range" not in site.asked[2][1]


def test_what_was_kept_and_is_too_long(site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_RETRIES", "1")
    site.answers[PATH] = serve(MODEL, cut_at=200000)
    fails(site, DownloadError, own_cache)
    site.answers[PATH] = in_turn(status(416), serve(MODEL))
    assert resolved(site) == FILES


# Wrong lengths and contents


def test_a_length_that_is_too_long(site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_RETRIES", "1")

    def answer(handler):
        handler.reply(200, Content_Length=str(len(MODEL) + 10))
        handler.send_body(MODEL)
        handler.cut()

    site.answers[PATH] = answer
    assert "connection failed" in fails(site, DownloadError, own_cache).why


def test_a_length_that_is_too_short(site, own_cache):
    site.answers[PATH] = lambda handler: handler.reply(200, MODEL[:-1000])
    assert "cut off" in fails(site, IntegrityError, own_cache).why
    assert left(own_cache) == []


def test_a_pinned_archive(site, own_cache):
    site.answers[PATH] = serve(MODEL)
    digest = hashlib.sha256(MODEL).hexdigest()
    assert resolved(site, PATH + "@sha256:" + digest.upper()) == FILES
    error = fails_pinned(site, "0" * 64)
    assert error.digests[1] == digest
    # The digest of the content is as good.
    assert resolved(site, PATH + "@sha256:" + error.digests[0]) == FILES


def fails_pinned(site, digest):
    with pytest.raises(IntegrityError, match="does not match the pinned digest") as caught:
        unihub.resolve("{}{}@sha256:{}".format(site.url, PATH, digest))
    return caught.value


def test_a_hash_that_the_server_promises(site, own_cache):
    right = "crc32c=n03x6A==,md5=" + base64.b64encode(hashlib.md5(MODEL).digest()).decode()
    site.answers[PATH] = serve(MODEL, x_goog_hash="md5=1B2M2Y8AsgTpgAmY7PhCfg==")
    assert "does not match the digest that the server states" in str(fails(site, IntegrityError, own_cache))
    assert left(own_cache) == []
    site.answers[PATH] = serve(MODEL, x_goog_hash=right)
    assert resolved(site) == FILES


def test_a_web_page_instead_of_an_archive(site, own_cache):
    page = b"\n<!DOCTYPE html><html><body>Please log in</body></html>" * 100
    site.answers[PATH] = lambda handler: handler.reply(200, page, Content_Type="text/html")
    error = fails(site, DownloadError, own_cache)
    assert error.why == "{}: a web page, not an archive".format(site.url + PATH)
    assert left(own_cache) == []


@pytest.mark.parametrize("what", sorted(WRONG))
def test_a_gzip_file_of_the_wrong_thing(site, own_cache, what):
    site.answers[PATH] = serve(WRONG[what])
    fails(site, IntegrityError, own_cache)
    assert left(own_cache) == []


# What servers answer


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_final(site, own_cache, code):
    site.answers[PATH] = status(code)
    error = fails(site, DownloadError, own_cache)
    assert (error.status, len(site.asked)) == (code, 1)
    assert "{}: {}".format(site.url + PATH, code) in str(error)
    assert "unihub resolve " + site.url + PATH in error.hint


def test_too_many_requests(site, monkeypatch):
    site.answers[PATH] = in_turn(status(429, Retry_After="7"), serve(MODEL))
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    assert resolved(site) == FILES
    assert waits == [7]


def test_come_back_tomorrow(site, own_cache):
    site.answers[PATH] = status(429, Retry_After="3600")
    error = fails(site, DownloadError, own_cache)
    assert "The server asks clients to retry after 3600 s." in error.hint
    assert len(site.asked) == 1


def test_trouble_that_passes(site):
    site.answers[PATH] = in_turn(status(500), status(503), serve(MODEL))
    assert resolved(site) == FILES
    assert len(site.asked) == 3


def test_trouble_that_stays(site, own_cache, monkeypatch):
    monkeypatch.setenv("UNIHUB_RETRIES", "3")
    site.answers[PATH] = status(500)
    assert fails(site, DownloadError, own_cache).status == 500
    assert len(site.asked) == 4


def test_a_loop_of_redirects(site, own_cache):
    site.answers[PATH] = redirect(PATH + "?")
    assert "more than 20 redirects" in fails(site, DownloadError, own_cache).why


# Slowness


@pytest.mark.parametrize("answer", [drip(MODEL), drip_headers], ids=["body", "headers"])
def test_a_server_that_hardly_sends_anything(site, own_cache, monkeypatch, answer):
    monkeypatch.setenv("UNIHUB_TIMEOUT", "1")
    monkeypatch.setenv("UNIHUB_RETRIES", "1")
    site.answers[PATH] = answer
    error = fails(site, DownloadError, own_cache)
    assert "almost no data arrived for 1 s" in error.why
    assert len(site.asked) == 2


def test_a_server_that_is_slow_for_a_while(site, monkeypatch):
    monkeypatch.setenv("UNIHUB_TIMEOUT", "1")
    site.answers[PATH] = in_turn(drip(MODEL), serve(MODEL))
    assert resolved(site) == FILES


# What is told apart


@pytest.mark.parametrize("site", ["https"], indirect=True)
def test_a_certificate_that_is_not_trusted(site, own_cache, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    site.answers[PATH] = serve(MODEL)
    error = fails(site, DownloadError, own_cache)
    assert error.causes[0] == "certificate" and "REQUESTS_CA_BUNDLE" in error.hint
    assert site.asked == []


@pytest.mark.parametrize("site", ["https"], indirect=True)
def test_the_variable_of_openssl_for_certificates(site, authority, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("SSL_CERT_FILE", authority.path)
    site.answers[PATH] = serve(MODEL)
    assert resolved(site) == FILES


def test_a_proxy(internet):
    internet.answers[PATH] = serve(MODEL)
    assert files_in(unihub.resolve("https://models.example.com" + PATH)) == FILES
    assert internet.proxy.asked == ["models.example.com:443"]


def test_a_proxy_that_refuses(internet, own_cache):
    internet.proxy.refuses = 407
    with pytest.raises(DownloadError) as caught:
        unihub.resolve("https://models.example.com" + PATH)
    assert caught.value.causes[0] == "proxy" and "https_proxy" in caught.value.hint
    assert len(internet.proxy.asked) == 1 and "407" in caught.value.why


def test_a_name_that_nobody_knows(own_cache, monkeypatch):
    def look_up(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(DownloadError) as caught:
        unihub.resolve("https://no-such-host.invalid/model.tar.gz")
    assert caught.value.causes[0] == "dns"
    assert "Check the name no-such-host.invalid" in caught.value.hint


def test_a_port_where_nobody_listens(own_cache):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = "http://127.0.0.1:{}/model.tar.gz".format(free.getsockname()[1])
        with pytest.raises(DownloadError) as caught:
            unihub.resolve(url)
    assert caught.value.causes[0] == "connection"


@pytest.mark.parametrize("failures", range(1, 9))
def test_waits_grow_and_have_a_bound(failures, monkeypatch):
    monkeypatch.setattr(requests_client, "_FIRST_WAIT", 0.5)
    waits = {requests_client.wait_before_retry(ConnectionResetError(), failures) for _ in range(20)}
    middle = min(30, 0.5 * 2 ** (failures - 1))
    assert len(waits) > 1 and all(middle / 2 <= wait <= middle * 1.5 for wait in waits)


# The disk


RESOLVE = "import sys, unihub; print(unihub.resolve(sys.argv[1]))"
# Files no longer than that can be written, as where a quota is used up.
WITH_A_QUOTA = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000));"
)


def test_a_quota_that_is_used_up(site, own_cache):
    site.answers[PATH] = serve(MODEL)
    ended = run(WITH_A_QUOTA + RESOLVE, site.url + PATH)
    assert ended.returncode == 1 and "unihub.errors.DownloadError" in ended.stderr
    assert "could not be written to the cache" in ended.stderr
    assert entries(own_cache) == [] and left(own_cache) == []
    assert resolved(site) == FILES


def in_name_space(script, *arguments):
    """The command line of a shell in which file systems can be mounted that nobody else sees."""
    rights = ["--map-root-user", "--user"] if os.getuid() else []
    return ["unshare", "--mount", *rights, "sh", "-c", script, "sh", *arguments]


def test_a_disk_that_is_full(plain_site, own_cache, tmp_path):
    """On a file system of two megabytes, in a name space of its own, which needs no rights."""
    if not sys.platform.startswith("linux"):
        pytest.skip("a small file system can be made on Linux only")
    probe = subprocess.run(in_name_space("true"), capture_output=True, text=True)
    if probe.returncode:
        pytest.skip("this kernel gives no name spaces; the test with a quota shows the same: " + probe.stderr)
    model = tar_of({"saved_model.pb": os.urandom(700000), "variables/zeros": bytes(30 * 2**20)})
    plain_site.answers[PATH] = serve(model)
    small = tmp_path / "small"
    small.mkdir()
    script = 'mount -t tmpfs -o size=2m none "$1" || exit 9; "$2" -c "$3" "$4"; echo "status $?"; find "$1" -type f'
    command = in_name_space(script, str(small), sys.executable, RESOLVE, plain_site.url + PATH)
    variables = environment(UNIHUB_CACHE_DIR=str(small / "cache"))
    ended = subprocess.run(command, env=variables, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "No space left on device" in ended.stderr and "DownloadError" in ended.stderr
    assert ended.stdout.split() == ["status", "1"], "something was left: " + ended.stdout


def test_room_is_looked_for_before(site, own_cache, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": len(MODEL)}))
    site.answers[PATH] = serve(MODEL)
    error = fails(site, DownloadError, own_cache)
    assert "it needs {:,} bytes".format(2 * len(MODEL)) in error.why and site.sent < 2 * len(MODEL)
    assert left(own_cache) == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX users and modes")
def test_a_cache_that_cannot_be_written(site, own_cache):
    site.answers[PATH] = serve(MODEL)
    assert resolved(site) == FILES
    site.answers["/other.tar.gz"] = serve(MODEL)
    # Root writes anywhere, so the process becomes somebody else, who may read everything there and write nothing; once
    # it has imported what lies where only root may look.
    program = "import sys, unihub, unihub._resolve.http, unihub._resolve.download, requests, filelock, encodings.idna;"
    program += "import os; os.getuid() or os.setuid(65534);" + RESOLVE
    shared = tempfile.mkdtemp()
    try:
        os.rename(str(own_cache), os.path.join(shared, "cache"))
        for parent, _, names in os.walk(shared):
            os.chmod(parent, 0o555)
            for name in names:
                os.chmod(os.path.join(parent, name), 0o444)
        variables = {"UNIHUB_CACHE_DIR": os.path.join(shared, "cache")}
        ended = run(program, site.url + PATH, **variables)
        assert ended.returncode == 0, ended.stderr
        ended = run(program, site.url + "/other.tar.gz", **variables)
        assert ended.returncode == 1 and "could not be written to the cache" in ended.stderr
        assert "UNIHUB_CACHE_DIR" in ended.stderr
    finally:
        for parent, _, _ in os.walk(shared):
            os.chmod(parent, 0o755)
        shutil.rmtree(shared)


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps(site, own_cache, monkeypatch, days):
    real = time.time
    jump = [0]
    monkeypatch.setattr(time, "time", lambda: real() + jump[0])

    def answer(handler):
        # In the middle of the download; and another process begins to fill the same entry.
        jump[0] = days * 86400
        with cache.staging(str(own_cache / "models" / entry)):
            pass
        serve(MODEL, cut_at=100000)(handler)

    entry = unihub._resolve.Handle.parse(site.url + PATH).entry
    site.answers[PATH] = in_turn(answer, serve(MODEL))
    assert resolved(site) == FILES
    assert entries(own_cache) == [entry] and left(own_cache) == []


# Progress


def test_the_bar_is_silent_where_nobody_looks(plain_site):
    plain_site.answers[PATH] = serve(MODEL)
    ended = run(RESOLVE + "; print('tqdm' in sys.modules)", plain_site.url + PATH)
    assert ended.stderr == "" and ended.stdout.endswith("False\n")


@pytest.mark.skipif(os.name == "nt", reason="POSIX terminals")
@pytest.mark.parametrize("switch, shown", [("", True), ("1", False)])
def test_the_bar_in_a_terminal(plain_site, switch, shown):
    plain_site.answers[PATH] = serve(MODEL)
    variables = environment(UNIHUB_NO_PROGRESS=switch)
    seen, ended = run_in_terminal(command(RESOLVE, plain_site.url + PATH), 80, variables, stdout=subprocess.DEVNULL)
    assert ended == 0 and ("model.tar.gz: 100%" in seen) == shown


def test_a_notebook_is_looked_at(own_cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", logging)
    assert progress.is_watched()
    monkeypatch.setenv("UNIHUB_NO_PROGRESS", "1")
    assert not progress.is_watched()


# The file itself


def test_a_download_is_read_like_a_file(plain_site, tmp_path):
    plain_site.answers[PATH] = serve(MODEL)
    file = Download(plain_site.url + PATH, str(tmp_path / "download"))
    assert file.seekable() and file.read(10) == MODEL[:10] and file.tell() == 10
    assert file.seek(-5, os.SEEK_END) == len(MODEL) - 5 and file.read() == MODEL[-5:] and file.read(1) == b""
    assert file.seek(-5, os.SEEK_CUR) == len(MODEL) - 5
    assert file.digest("md5") == hashlib.md5(MODEL).hexdigest()
    file.discard()
    assert not (tmp_path / "download").exists()


@pytest.mark.parametrize("variable", ["UNIHUB_TIMEOUT", "UNIHUB_RETRIES", "UNIHUB_LOCK_TIMEOUT"])
def test_a_bound_that_is_no_number(plain_site, monkeypatch, variable):
    monkeypatch.setenv(variable, "soon")
    plain_site.answers[PATH] = status(500)
    with pytest.raises(HandleError) as caught:
        unihub.resolve(plain_site.url + PATH)
    assert caught.value.variable == variable


def test_a_path_is_never_fetched(own_cache):
    with pytest.raises(ModelNotFoundError):
        unihub.resolve("models/missing")
