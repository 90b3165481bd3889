"""Servers on localhost that do what real ones do on bad days: HTTP, with and without TLS, and a proxy to reach any name."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import os
import socket
import socketserver
import ssl
import threading
import time

import archives

NAMES = ("127.0.0.1", "localhost", "tfhub.dev", "www.kaggle.com", "kaggle.com", "api.kaggle.com", "models.example.com")
FILES = {
    "saved_model.pb": b"graph",
    "variables/variables.index": b"index",
    "variables/variables.data-00000-of-00001": os.urandom(300000),
    "assets/words.txt": b"a\nb\n",
}


def tar_of(files=None):
    """A gzipped tar file."""
    found = FILES if files is None else files
    return archives.tar([archives.member(*file) for file in found.items()], "w:gz", compresslevel=1)


def files_in(directory):
    found = {}
    for parent, _, names in os.walk(str(directory)):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, str(directory)).replace(os.sep, "/")] = file.read()
    return found


class Authority:
    """Certificates for all of the names."""

    def __init__(self, directory):
        import trustme

        authority = trustme.CA()
        self.path = os.path.join(str(directory), "authority.pem")
        authority.cert_pem.write_to_path(self.path)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*NAMES).configure_cert(self.context)


class Site:
    """A server that answers each path by a function of the request, and counts.

    Attributes:
        answers: The functions by path, without the query.
        asked: The paths and headers that were asked for.
        sent: How many bytes of bodies were sent.
    """

    def __init__(self, context=None):
        self.answers = {}
        self.asked = []
        self.sent = 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.site = self
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self.url = "{}://127.0.0.1:{}".format("http" if context is None else "https", self.port)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        for answer in list(self.answers.values()):
            if isinstance(answer, Held):
                answer.release()
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, requests):
        """Waits until so many requests came."""
        wait_until(lambda: len(self.asked) >= requests)

    def count(self, path):
        return sum(each.partition("?")[0] == path for each, _ in self.asked)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site = self.server.site
        site.asked.append((self.path, dict(self.headers)))
        answer = site.answers.get(self.path) or site.answers.get(self.path.partition("?")[0], status(404))
        with contextlib.suppress(OSError):
            answer(self)

    def do_POST(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def reply(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in dict({"Content_Length": str(len(body))}, **headers).items():
            if value is not None:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.send_body(body)

    def send_body(self, body):
        self.server.site.sent += len(body)
        self.wfile.write(body)
        self.wfile.flush()

    def cut(self):
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


def status(code, **headers):
    return lambda handler: handler.reply(code, b"no", **headers)


def redirect(target):
    return lambda handler: handler.reply(302, Location=target)


def serve(data, etag='"1"', cut_at=None, **headers):
    """Answers with data, or with the rest that is asked for; cut off where the range of the whole would go over a place."""

    def answer(handler):
        start = 0
        asked = handler.headers.get("Range")
        if asked and etag and handler.headers.get("If-Range") == etag:
            start = int(asked[len("bytes=") :].rstrip("-"))
        facts = dict(headers, ETag=etag)
        if start:
            facts["Content_Range"] = "bytes {}-{}/{}".format(start, len(data) - 1, len(data))
        if cut_at is None or not start <= cut_at < len(data):
            handler.reply(206 if start else 200, data[start:], **facts)
            return
        handler.reply(206 if start else 200, Content_Length=str(len(data) - start), **facts)
        handler.send_body(data[start:cut_at])
        handler.cut()

    return answer


def in_turn(*answers):
    """The first answer to the first request, and so on; the last one ever after."""
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


def wait_until(happened, seconds=300):
    """Waits for something to happen in another thread or process; the bound is for what never happens."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


class Held:
    """Answers with data up to a place, and goes on when it is released.

    Attributes:
        reached: Set when the data up to the place was sent.
    """

    def __init__(self, data, place=0):
        self.reached = threading.Event()
        self._released = threading.Event()
        self._data = data
        self._place = place

    def release(self):
        self._released.set()

    def __call__(self, handler):
        asked = handler.headers.get("Range") if handler.headers.get("If-Range") == '"1"' else None
        start = int(asked[len("bytes=") :].rstrip("-")) if asked else 0
        facts = {"Content_Range": "bytes {}-{}/{}".format(start, len(self._data) - 1, len(self._data))} if start else {}
        handler.reply(206 if start else 200, Content_Length=str(len(self._data) - start), ETag='"1"', **facts)
        place = max(start, self._place)
        handler.send_body(self._data[start:place])
        self.reached.set()
        self._released.wait()
        handler.send_body(self._data[place:])


def drip(data, seconds=0.2):
    """One byte at a time."""

    def answer(handler):
        handler.reply(200, Content_Length=str(len(data)), ETag='"1"')
        for place in range(len(data)):
            handler.send_body(data[place : place + 1])
            time.sleep(seconds)

    return answer


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(100):
        handler.wfile.write(b"a")
        handler.wfile.flush()
        time.sleep(0.2)


class Proxy:
    """A proxy that connects to the same server whatever name is asked for.

    Attributes:
        asked: The names and ports.
        refuses: The status it answers with instead of connecting, or none.
    """

    def __init__(self, port):
        self.asked = []
        self.refuses = None
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Tunnel)
        self._server.daemon_threads = True
        self._server.proxy = self
        self._server.port = port
        self.url = "http://127.0.0.1:{}".format(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        proxy = self.server.proxy
        proxy.asked.append(self.rfile.readline().split()[1].decode())
        while self.rfile.readline().strip():
            pass
        if proxy.refuses:
            self.wfile.write("HTTP/1.1 {} No\r\nContent-Length: 0\r\n\r\n".format(proxy.refuses).encode())
            return
        with socket.create_connection(("127.0.0.1", self.server.port)) as server:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=_pipe, args=(server, self.connection), daemon=True)
            back.start()
            _pipe(self.connection, server)
            back.join()


def _pipe(source, target):
    with contextlib.suppress(OSError):
        for data in iter(lambda: source.recv(65536), b""):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


WRONG = {"text": gzip.compress(b"no archive" * 1000), "nothing": gzip.compress(b"")}
