"""Requests over HTTP, and what can go wrong with them told apart.

requests honours the variables of proxies (``https_proxy``, ``no_proxy``, ...), of certificates (``REQUESTS_CA_BUNDLE``)
and ``.netrc``. Retries are not its: a download that breaks off goes on in the middle, which it cannot do.
"""

from __future__ import annotations

import base64
import http.client
import os
import random
import socket
import ssl
from typing import TYPE_CHECKING, Dict, Iterator, Mapping, Optional
from urllib.parse import urlsplit, urlunsplit

from unihub._resolve import settings
from unihub._version import __version__
from unihub.errors import DownloadError

if TYPE_CHECKING:
    import requests

_CONNECT_TIMEOUT = 20
_MAX_REDIRECTS = 20

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30
# A server that wants us to come back later than that is not waited for.
_LONGEST_RETRY_AFTER = 120
# Timed out, too early, too many requests; and ranges that do not fit what is here, which is then asked for anew.
_AGAIN = (408, 425, 429, 206, 416)


class Stalled(Exception):
    """Hardly anything came for too long."""


def get(url: str, headers: Optional[Dict[str, str]] = None, follow: bool = True) -> requests.Response:
    """Asks for a URL.

    Args:
        url: The URL.
        headers: More headers.
        follow: Whether to follow redirects.

    Returns:
        A ``requests.Response`` of which the body is not read yet, to be used as a context manager.
    """
    import requests

    session = requests.Session()
    session.max_redirects = _MAX_REDIRECTS
    # requests knows variables of its own only; this one is that of OpenSSL, which others honour.
    session.verify = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or True
    # The bytes as they are: an archive is compressed by itself.
    own = {"User-Agent": "unihub/" + __version__, "Accept-Encoding": "identity"}
    seconds = settings.number(settings.TIMEOUT)
    return session.get(
        url,
        headers=dict(own, **(headers or {})),
        stream=True,
        timeout=(min(seconds, _CONNECT_TIMEOUT), seconds),
        allow_redirects=follow,
    )


def shown(url: str) -> str:
    """A URL without what may be secret: a password, and the signature in a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def wait_before_retry(error: BaseException, failures: int) -> Optional[float]:
    """How many seconds to wait before the next attempt; ``None`` if none will do better.

    Args:
        error: Why the last one failed.
        failures: How many have failed in a row.
    """
    if not _is_transient(error):
        return None
    asked = _retry_after(error)
    if asked is not None:
        return asked if asked <= _LONGEST_RETRY_AFTER else None
    # Not all at the same moment, when many were cut off at one.
    return float(min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (failures - 1)) * random.uniform(0.5, 1.5))


def failure(url: str, error: BaseException) -> DownloadError:
    """The typed error for what a request raised."""
    import requests

    address = shown(url)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        answer = "{} {}".format(error.response.status_code, error.response.reason or "").strip()
        return DownloadError.answered(address, error.response.status_code, answer, _retry_after(error))
    if isinstance(error, requests.exceptions.ProxyError):
        return DownloadError.proxy(address, _innermost(error))
    if _find(error, ssl.SSLCertVerificationError):
        return DownloadError.certificate(address, _innermost(error))
    if isinstance(error, requests.TooManyRedirects):
        return DownloadError.redirects(address, _MAX_REDIRECTS)
    if _find(error, socket.gaierror):
        return DownloadError.no_such_host(address, urlsplit(url).hostname or "", _innermost(error))
    if isinstance(error, (Stalled, requests.Timeout, socket.timeout)) or "timed out" in _innermost(error):
        return DownloadError.timed_out(address, settings.number(settings.TIMEOUT), settings.TIMEOUT)
    return DownloadError.no_connection(address, _innermost(error))


def _is_transient(error: BaseException) -> bool:
    import requests
    import urllib3

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code in _AGAIN
    final = (requests.exceptions.ProxyError, requests.exceptions.ConnectTimeout, requests.TooManyRedirects)
    if isinstance(error, final) or _find(error, urllib3.exceptions.NewConnectionError):
        return False
    encryption = _find(error, ssl.SSLError)
    if encryption is not None:
        # A connection that was cut, in the words of each version of OpenSSL.
        return "eof" in str(encryption).lower()
    broken = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, ConnectionError)
    return isinstance(error, broken + (socket.timeout, http.client.HTTPException, Stalled))


def _retry_after(error: BaseException) -> Optional[float]:
    """The seconds after which a server wants to be asked again, if it said so."""
    import urllib3

    header = getattr(getattr(error, "response", None), "headers", {}).get("Retry-After")
    try:
        return float(urllib3.Retry().parse_retry_after(header)) if header else None
    except urllib3.exceptions.InvalidHeader:
        return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it was raised for; urllib3 and requests keep that in their arguments."""
    seen = []
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if each not in seen:
            seen.append(each)
            yield each
            inner = [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]
            waiting += [cause for cause in inner if isinstance(cause, BaseException)]


def _find(error: BaseException, kind: type) -> Optional[BaseException]:
    return next((each for each in _causes(error) if isinstance(each, kind)), None)


def _innermost(error: BaseException) -> str:
    """What the last of the causes says, without the wrappings of those that passed it on."""
    causes = list(_causes(error))
    return "{}: {}".format(type(causes[-1]).__name__, causes[-1])


def promised_md5(headers: Mapping[str, str]) -> str:
    """The MD5 digest of the body that a server states, as Google Cloud Storage does; or nothing."""
    stated = dict(part.strip().partition("=")[::2] for part in headers.get("x-goog-hash", "").split(","))
    encoded = stated.get("md5") or headers.get("Content-MD5", "")
    try:
        return base64.b64decode(encoded, validate=True).hex()
    except ValueError:
        return ""
