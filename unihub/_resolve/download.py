"""A file on its way from the web, which can be read from its start while its end is still coming.

One thread receives and appends to a file; whoever reads waits for the bytes and, meanwhile, watches over the receiver:
one that failed, or from which hardly anything comes, is given up, and another goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from unihub._resolve import cache, manifest, progress, requests_client, settings
from unihub.errors import DownloadError, IntegrityError, UnihubError

if TYPE_CHECKING:
    import requests

# As much has to come within UNIHUB_TIMEOUT seconds.
_CHUNK = 2**16
# An attempt that brought as much was no failure.
_WORTH_IT = 2**20


class Restarted(Exception):
    """The server does not go on where it stopped, so what was read of the file is void."""


class Download:
    """A file from the web, to be read like one on the disk.

    Args:
        url: Where it is.
        directory: Where to keep what has come of it, for the next ``Download`` of the URL to go on with.

    Raises:
        DownloadError: From each call that reads: it cannot be fetched.
        Restarted: From each call that reads: call ``begin_again``.

    Attributes:
        resumed: Whether some of it came before.
    """

    def __init__(self, url: str, directory: str) -> None:
        self._url = url
        self._file = _Partial(url, directory)
        self.resumed = self._file.size > 0
        self._complete = self._file.is_complete
        self._position = 0
        self._is_void = False
        self._failures = 0
        self._most = self._file.size
        self._news = threading.Condition()
        self._receiver: Optional[_Receiver] = None
        self._bar = progress.bar(requests_client.shown(url).rpartition("/")[2], self._file.total, self._file.size)

    @property
    def final_url(self) -> str:
        """Where it came from after all redirects, without what may be secret."""
        return str(self._file.about.get("final_url", ""))

    def read(self, size: int = -1) -> bytes:
        """Reads so many bytes, or as many as there are up to the end."""
        self._wait_for(None if size < 0 else self._position + size)
        data = self._file.read(self._position, size)
        self._position += len(data)
        return data

    def seekable(self) -> bool:
        """True; for a place that is not there yet the next read waits."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Chooses where the next read begins; the end is known only when all has come."""
        if whence == os.SEEK_END:
            self._wait_for(None)
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}[whence]
        return self._position

    def begin_again(self, afresh: bool = False) -> None:
        """Goes back to the start; afresh, also without what came before."""
        with self._news:
            self._position = 0
            self._is_void = False
            if afresh:
                self.resumed = self._complete = False
                self._receiver = None
                self._file.restart({})

    def digest(self, algorithm: str) -> str:
        """The digest of the whole file."""
        self._wait_for(None)
        return manifest.hash_file(self._file.path, algorithm)

    def check(self) -> None:
        """Compares the whole file with what the server says it is.

        Raises:
            IntegrityError: It is something else.
        """
        self._wait_for(None)
        promised = self._file.about.get("md5")
        if promised and self.digest("md5") != promised:
            raise IntegrityError.not_as_promised(requests_client.shown(self._url), promised, self.digest("md5"))

    def close(self) -> None:
        """Stops receiving, and keeps what has come."""
        with self._news:
            self._receiver = None
            self._bar.close()
            self._file.close()

    def discard(self) -> None:
        """Stops receiving, and removes what has come."""
        self.close()
        self._file.remove()

    def _wait_for(self, end: Optional[int]) -> None:
        """Waits until so many bytes are there, or all."""
        with self._news:
            while not self._complete and (end is None or self._file.size < end):
                self._watch()
            if self._is_void:
                raise Restarted

    def _watch(self) -> None:
        """Waits for news of the receiver; starts one where none is, or the last has failed."""
        if self._receiver is None:
            self._receiver = _Receiver(self)
            self._receiver.start()
        self._news.wait(1)
        receiver = self._receiver
        if receiver.error is None and time.monotonic() - receiver.last_news > settings.number(settings.TIMEOUT):
            receiver.error = requests_client.Stalled()
        if receiver.error is not None:
            self._receiver = None
            self._wait_before_the_next(receiver.error)

    def _wait_before_the_next(self, error: BaseException) -> None:
        if isinstance(error, UnihubError):
            raise error
        self._failures = 1 if self._file.size >= self._most + _WORTH_IT else self._failures + 1
        self._most = max(self._most, self._file.size)
        wait = requests_client.wait_before_retry(error, self._failures)
        if wait is None or self._failures > settings.number(settings.RETRIES):
            raise requests_client.failure(self._url, error) from error
        time.sleep(wait)

    # What the thread of a receiver calls.

    def request(self) -> Tuple[str, Dict[str, str]]:
        """What to ask for: the URL, and headers by which only the rest comes where that is possible."""
        return self._url, self._file.request_headers()

    def accept(self, receiver: _Receiver, response: requests.Response) -> bool:
        """Takes note of an answer; gives back whether its body is to be received."""
        import requests

        with self._news:
            if self._receiver is not receiver:
                return False
            if response.status_code == 200:
                self._restart(_describe(response, self._url))
            elif response.status_code != 206 or not self._file.goes_on_with(response):
                if response.status_code in (206, 416):
                    # The rest of another file, or of a shorter one.
                    self._restart({})
                raise requests.HTTPError(response=response)
            self._bar.total, self._bar.n = self._file.total, self._file.size
            self._check_space()
            receiver.last_news = time.monotonic()
            return True

    def append(self, receiver: _Receiver, chunk: bytes) -> bool:
        """Adds to the file; gives back whether this receiver is still wanted."""
        with self._news:
            if self._receiver is not receiver:
                return False
            self._file.append(chunk)
            self._bar.update(len(chunk))
            receiver.last_news = time.monotonic()
            self._news.notify_all()
            return True

    def finish(self, receiver: _Receiver, error: Optional[BaseException]) -> None:
        """Takes note of the end of an answer, or of what went wrong."""
        with self._news:
            missing = (self._file.total or 0) - self._file.size
            if error is None and missing > 0:
                error = http.client.IncompleteRead(b"", missing)
            if self._receiver is receiver:
                receiver.error = error
                self._complete = error is None
            self._news.notify_all()

    def _restart(self, about: Dict[str, Any]) -> None:
        self._is_void = self._is_void or self._position > 0
        self._file.restart(about)

    def _check_space(self) -> None:
        """Refuses what can be seen not to fit: the rest of the file, and its content, which is hardly smaller."""
        if self._file.total:
            needed = 2 * self._file.total - self._file.size
            free = shutil.disk_usage(self._file.directory).free
            if free < needed:
                raise DownloadError.no_space(requests_client.shown(self._url), cache.root(), needed, free)


class _Receiver(threading.Thread):
    """One request, and what comes of it; one that is not wanted any more ends at its next chunk."""

    def __init__(self, download: Download) -> None:
        super().__init__(daemon=True)
        self._download = download
        self.error: Optional[BaseException] = None
        self.last_news = time.monotonic()

    def run(self) -> None:
        """Receives."""
        error: Optional[BaseException] = None
        try:
            self._receive()
        except BaseException as exc:  # Whatever it is, the reader has to know.
            error = exc
        self._download.finish(self, error)

    def _receive(self) -> None:
        url, headers = self._download.request()
        with requests_client.get(url, headers) as response:
            if self._download.accept(self, response):
                # Of response.raw, for requests would unpack what the server says is compressed.
                chunk = response.raw.read(_CHUNK)
                while chunk and self._download.append(self, chunk):
                    chunk = response.raw.read(_CHUNK)


class _Partial:
    """What has come of a file, and the note of which file that is."""

    def __init__(self, url: str, directory: str) -> None:
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.path = os.path.join(directory, "data")
        self._note = os.path.join(directory, "about.json")
        self.about = self._read_note()
        is_ours = self.about.get("url") == url and self.about.get("validator")
        self._file = open(self.path, "ab" if is_ours else "wb", buffering=0)  # noqa: SIM115
        self._reader = open(self.path, "rb", buffering=0)  # noqa: SIM115
        self.size = os.fstat(self._file.fileno()).st_size
        if not is_ours:
            self.about = {}

    @property
    def total(self) -> Optional[int]:
        """How long the whole file is, if the server said so."""
        return self.about.get("total")

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.total is not None and self.size == self.total

    def request_headers(self) -> Dict[str, str]:
        """What asks for the rest of the same file; nothing where that is not known to be the same."""
        validator = self.about.get("validator")
        if not (self.size and validator):
            return {}
        return {"Range": "bytes={}-".format(self.size), "If-Range": validator}

    def goes_on_with(self, response: requests.Response) -> bool:
        """Whether the body of an answer is the rest."""
        span, _, total = response.headers.get("Content-Range", "").partition("/")
        goes_on = span.startswith("bytes {}-".format(self.size)) and total in ("*", str(self.total))
        return goes_on and self.size > 0

    def restart(self, about: Dict[str, Any]) -> None:
        """Begins anew, with a note of what will come."""
        self.about = about
        if self.size:
            # Of a file that was cut to nothing ext4 writes all to the disk when it is closed, and this one will go.
            self._file.truncate(0)
            self.size = 0
        with open(self._note, "w", encoding="utf-8") as file:
            json.dump(about, file)

    def append(self, chunk: bytes) -> None:
        """Adds to the end."""
        try:
            while chunk:
                written = self._file.write(chunk) or 0
                self.size += written
                chunk = chunk[written:]
        except OSError as error:
            raise DownloadError.cannot_write(self.about["url"], cache.root(), str(error)) from error

    def read(self, position: int, size: int) -> bytes:
        """Reads what is there."""
        self._reader.seek(position)
        return self._reader.read(size) or b""

    def close(self) -> None:
        """Ends reading and writing."""
        self._file.close()
        self._reader.close()

    def remove(self) -> None:
        """Removes all."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _read_note(self) -> Dict[str, Any]:
        with contextlib.suppress(OSError, ValueError), open(self._note, encoding="utf-8") as file:
            return dict(json.load(file))
        return {}


def _describe(response: requests.Response, url: str) -> Dict[str, Any]:
    """What an answer says of the file."""
    headers = response.headers
    length = headers.get("Content-Length", "")
    etag = headers.get("ETag", "")
    return {
        "url": url,
        "final_url": requests_client.shown(response.url),
        "total": int(length) if length.isdigit() and "Transfer-Encoding" not in headers else None,
        # A weak one may stand for other bytes of the same meaning.
        "validator": etag if etag and not etag.startswith("W/") else headers.get("Last-Modified"),
        "md5": requests_client.promised_md5(headers),
    }
