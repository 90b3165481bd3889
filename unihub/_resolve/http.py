"""Models on the web, as archives: by the hosting protocol of TensorFlow Hub, or as plain files.

By the protocol (https://www.tensorflow.org/hub/hosting) a server answers a URL that ends in
``?tf-hub-format=compressed`` with a gzipped tar file; so did tfhub.dev, and so does Kaggle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from unihub._resolve.entries import Origin
from unihub._resolve.handle import ARCHIVE_SUFFIXES, Handle, Kind
from unihub._resolve.source import Source, empty, fetch
from unihub._saved_model.other_formats import is_web_page
from unihub.errors import DownloadError, IntegrityError

if TYPE_CHECKING:
    from unihub._resolve.download import Download

_COMPRESSED = "tf-hub-format=compressed"
_HEAD = 1024
# The causes of errors after which a download may go on.
_BROKE_OFF = ("http", "connection", "timeout")


class Hosted(Source):
    """A URL of ``http`` or ``https``."""

    online = True

    def recognises(self, handle: Handle) -> bool:
        """Whether it is spelled so, or has a page on Kaggle."""
        return handle.kind in (Kind.URL, Kind.KAGGLE)

    def locate(self, handle: Handle) -> str:
        """The model's directory in the cache."""
        page = handle.kaggle.pages[0] if handle.kaggle else handle.location
        return fetch(handle, lambda content, directory: _fill(_archive_url(page), handle.pin, content, directory))


def _archive_url(url: str) -> str:
    """The URL of the archive: itself if it is named as one, else what the protocol makes of it."""
    parts = urlsplit(url)
    if parts.path.lower().endswith(ARCHIVE_SUFFIXES) or _COMPRESSED in parts.query.split("&"):
        return url
    query = "&".join(part for part in (parts.query, _COMPRESSED) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def _fill(url: str, pin: str, content: str, directory: str) -> Origin:
    """Unpacks an archive while it is still coming."""
    from unihub._resolve import requests_client
    from unihub._resolve.download import Download

    download = Download(url, directory)
    try:
        _unpack(download, requests_client.shown(url), content)
        origin = Origin("web", download.final_url, download.digest("sha256") if pin else "")
    except Exception as error:
        # What is wrong is of no use to the next one, and what does not fit is in the way.
        if getattr(error, "cause", "") not in _BROKE_OFF:
            download.discard()
        raise
    finally:
        download.close()
    download.discard()
    return origin


def _unpack(download: Download, name: str, content: str) -> None:
    from unihub._resolve import archive
    from unihub._resolve.download import Restarted

    while True:
        try:
            if is_web_page(download.read(_HEAD)):
                raise DownloadError.web_page(name)
            download.seek(0)
            archive.unpack(download, name, content)
            download.check()
            return
        except Restarted:
            download.begin_again()
        except IntegrityError:
            # What was kept of an earlier attempt may be what is wrong.
            if not download.resumed:
                raise
            download.begin_again(afresh=True)
        empty(content)
