"""What the user names a model by, read once and never changed.

Only the spelling is looked at here: no disk, no network, so that a handle reads the same on every machine. Whether
something is there is for the sources to find out; a handle prints as it was written, in errors and in saved models.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import Match, NamedTuple, Optional, Tuple
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit

from unihub._types import StrEnum
from unihub.errors import HandleError

ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")

# Two letters at least: "C:/models" is a path on Windows.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FILE_URL = re.compile(r"file:(?://([^/]*)|(?!//))(/.*)", re.IGNORECASE | re.DOTALL)
# What is left of a URL that went through pathlib.Path().
_ONE_SLASH = re.compile(r"(https?|gs|s3|kaggle):/(?!/)", re.IGNORECASE)
_PIN = re.compile(r"(.*)@sha256:(.*)", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")

# The frameworks of Kaggle as they are written there, by their lower-case names.
_FRAMEWORKS = {
    name.lower(): name
    for name in (
        "tensorFlow1", "tensorFlow2", "tfJs", "tfLite", "coral", "keras", "jax", "flax", "pyTorch", "onnx",
        "transformers", "scikitLearn", "other",
    )
}  # fmt: skip
# By its framework, or every path of four names would be taken for a model on Kaggle.
_BARE_KAGGLE = re.compile(r"([\w-]+)/([\w.-]+)/({})/([\w.-]+)(?:/(\d+))?".format("|".join(_FRAMEWORKS)), re.IGNORECASE)
_ANY_KAGGLE = re.compile(r"([\w-]+)/([\w.-]+)/(\w+)/([\w.-]+)(?:/(\d+))?/?")
_OLD_KAGGLE_PAGE = re.compile(r"([\w-]+)/([\w.-]+)/frameworks/(\w+)/variations/([\w.-]+)(?:/versions/(\d+))?/?")
_KAGGLE_PREFIX = re.compile(r"kaggle:(?://)?(.*)", re.IGNORECASE | re.DOTALL)
_KAGGLE_HOSTS = ("kaggle.com", "www.kaggle.com")
_TFHUB_HOSTS = ("tfhub.dev", "www.tfhub.dev")

# What is no SavedModel, by what its URL says.
_OTHER_SUFFIXES = {".keras": "keras", ".h5": "h5", ".hdf5": "h5", ".tflite": "tflite", "/model.json": "tfjs"}
_OTHER_QUERIES = {"tfjs-format": "tfjs", "lite-format": "tflite"}
_OTHER_FOLDERS = {"tfjs-model": "tfjs", "lite-model": "tflite"}

# Room for the digest and, in four-byte letters, still less than the 255 bytes that file systems allow.
_MAX_STEM = 48


class Kind(StrEnum):
    """What a handle is, by its spelling."""

    DIRECTORY = "directory"
    ARCHIVE = "archive"
    URL = "url"
    BUCKET = "bucket"
    KAGGLE = "kaggle"


class KaggleModel(NamedTuple):
    """The name of a model on Kaggle."""

    owner: str
    model: str
    framework: str
    variation: str
    version: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in self if part)

    @property
    def pages(self) -> Tuple[str, ...]:
        """The addresses of its page, the present one first."""
        old = "{}/{}/frameworks/{}/variations/{}".format(*self)
        forms = (str(self), old + ("/versions/" + self.version if self.version else ""))
        return tuple("https://www.kaggle.com/models/" + form for form in forms)


@dataclass(frozen=True)
class Handle:
    """A parsed handle.

    Attributes:
        kind: What it is, by its spelling.
        text: What the user wrote.
        pin: The SHA-256 digest that the content must have, or nothing.
        kaggle: The model's name on Kaggle, if it is one of Kaggle's.
    """

    kind: Kind
    text: str
    pin: str = ""
    kaggle: Optional[KaggleModel] = None

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, handle: object) -> Handle:
        """Reads a handle.

        Args:
            handle: A ``str``, ``bytes`` or ``os.PathLike``, or a ``Handle``, which is given back.

        Returns:
            The parsed handle; printed, it is the text that was parsed.

        Raises:
            HandleError: It can name no model, whatever lies on the disk.
        """
        if isinstance(handle, cls):
            return handle
        text = _text(handle)
        location, pin = _split_pin(text)
        kind, kaggle = _kind(location)
        return cls(kind, text, pin, kaggle)

    @property
    def location(self) -> str:
        """The text without the pin."""
        return _split_pin(self.text)[0]

    @property
    def scheme(self) -> str:
        """The lower-case scheme of a URL, or nothing."""
        return _scheme(self.location)

    @property
    def path(self) -> str:
        """The absolute path this may be on disk; nothing for what can be none."""
        is_elsewhere = self.kind in (Kind.URL, Kind.BUCKET) or self.scheme not in ("", "file")
        is_elsewhere = is_elsewhere or bool(_KAGGLE_PREFIX.match(self.location))
        return "" if is_elsewhere else os.path.abspath(_path(self.location))

    @property
    def is_tfhub(self) -> bool:
        """Whether it is an address on tfhub.dev, whose models have moved to Kaggle."""
        return self.kind is Kind.URL and urlsplit(self.location).hostname in _TFHUB_HOSTS

    @property
    def other_format(self) -> str:
        """What it is by its spelling instead of a SavedModel, or nothing."""
        if self.kaggle is not None:
            framework = self.kaggle.framework.lower()
            names = {"tfjs": "tfjs", "tflite": "tflite", "coral": "tflite"}
            return "" if framework.startswith("tensorflow") else names.get(framework, "framework")
        return _other_format(self.location) if self.kind in (Kind.URL, Kind.BUCKET) else ""

    @property
    def key(self) -> str:
        """What is the same in all spellings of a model, and differs between models."""
        name = self.location if self.kaggle is None else "kaggle:{}".format(self.kaggle)
        return name + ("@sha256:" + self.pin if self.pin else "")

    @property
    def entry(self) -> str:
        """The name of the model's entry in the cache: something to read, and a digest of the key."""
        name = str(self.kaggle) if self.kaggle else urlsplit(self.location).path
        return entry_name(name.strip("/").replace("/", "-"), self.key)


def entry_name(stem: str, identity: str) -> str:
    """The name of an entry in the cache: something to read, and a digest of what tells it from all others."""
    for suffix in ARCHIVE_SUFFIXES:
        if stem.lower().endswith(suffix):
            stem = stem[: -len(suffix)]
            break
    # The end tells more than the beginning; and no file system minds these letters.
    stem = re.sub(r"[^\w.-]+", "-", stem)[-_MAX_STEM:].lstrip("-.") or "model"
    return "{}-{}".format(stem, hashlib.sha256(os.fsencode(identity)).hexdigest()[:16])


def parse_kaggle_page(url: str) -> Optional[KaggleModel]:
    """The model of which a URL is the page on Kaggle, if it is one."""
    parts = urlsplit(url)
    if parts.hostname not in _KAGGLE_HOSTS or not parts.path.startswith("/models/"):
        return None
    name = parts.path[len("/models/") :]
    match = _OLD_KAGGLE_PAGE.fullmatch(name) or _ANY_KAGGLE.fullmatch(name)
    return _kaggle_model(match) if match else None


def _kaggle_model(match: Match[str]) -> KaggleModel:
    owner, model, framework, variation, version = match.groups(default="")
    return KaggleModel(owner, model, _FRAMEWORKS.get(framework.lower(), framework), variation, version)


def _text(handle: object) -> str:
    if not isinstance(handle, (str, bytes, os.PathLike)):
        raise HandleError.not_a_place(handle)
    text = os.fsdecode(handle)
    if not text.strip():
        raise HandleError.empty(text)
    return text


def _split_pin(text: str) -> Tuple[str, str]:
    match = _PIN.fullmatch(text)
    if match is None:
        return text, ""
    location, digest = match.groups()
    if not location or not _DIGEST.fullmatch(digest):
        raise HandleError.bad_pin(text, digest)
    return location, digest.lower()


def _kind(text: str) -> Tuple[Kind, Optional[KaggleModel]]:
    if _ONE_SLASH.match(text):
        raise HandleError.one_slash(text)
    scheme = _checked_scheme(text)
    prefixed = _KAGGLE_PREFIX.fullmatch(text)
    path, kaggle = text, None  # type: str, Optional[KaggleModel]
    if prefixed:
        match = _ANY_KAGGLE.fullmatch(prefixed.group(1))
        if match is None:
            raise HandleError.no_kaggle_model(text)
        kind, kaggle = Kind.KAGGLE, _kaggle_model(match)
    elif scheme in ("http", "https"):
        kaggle = parse_kaggle_page(text)
        if kaggle is None and _is_kaggle_page(text):
            raise HandleError.no_kaggle_model(text)
        kind = Kind.KAGGLE if kaggle else Kind.URL
    elif scheme and scheme != "file":
        kind = Kind.BUCKET
    else:
        path = _path(text)
        kind = _kind_of_path(path)
        match = _BARE_KAGGLE.fullmatch(path) if kind is Kind.KAGGLE else None
        kaggle = _kaggle_model(match) if match else None
    if "\0" in path:
        raise HandleError.nul(text)
    return kind, kaggle


def _is_kaggle_page(url: str) -> bool:
    """Whether it is a page for people among the models of Kaggle, of none of which it names a variation."""
    parts = urlsplit(url)
    return parts.hostname in _KAGGLE_HOSTS and (parts.path + "/").startswith("/models/")


def _kind_of_path(path: str) -> Kind:
    if path.lower().endswith(ARCHIVE_SUFFIXES):
        return Kind.ARCHIVE
    return Kind.KAGGLE if _BARE_KAGGLE.fullmatch(path) else Kind.DIRECTORY


def _other_format(url: str) -> str:
    parts = urlsplit(url)
    known = [kind for name, kind in _OTHER_QUERIES.items() if name in parse_qs(parts.query, keep_blank_values=True)]
    known += [kind for suffix, kind in _OTHER_SUFFIXES.items() if parts.path.lower().endswith(suffix)]
    if parts.hostname in _TFHUB_HOSTS:
        known += [kind for folder, kind in _OTHER_FOLDERS.items() if folder in parts.path.split("/")]
    return known[0] if known else ""


def _scheme(text: str) -> str:
    match = _SCHEME.match(text)
    return match.group(1).lower() if match else ""


def _checked_scheme(text: str) -> str:
    """The same, of a URL that can be taken apart."""
    scheme = _scheme(text)
    try:
        if scheme and not urlsplit(text).netloc and scheme in ("http", "https"):
            raise ValueError("It names no server")
    except ValueError as error:
        raise HandleError.bad_url(text, str(error)) from error
    return scheme


def _path(text: str) -> str:
    url = _FILE_URL.fullmatch(text)
    if url is None:
        if _scheme(text) == "file":
            raise HandleError.file_url_without_path(text)
        return os.path.expanduser(text)
    host, path = url.groups()
    if host and host.lower() != "localhost":
        raise HandleError.other_machine(text, host)
    return _unquoted(path)


def _unquoted(path: str) -> str:
    if os.name == "nt":
        # Drive letters; imported here for it brings the whole of the HTTP client.
        from urllib.request import url2pathname

        return url2pathname(path)
    # As bytes, for a file's name need not be UTF-8.
    return os.fsdecode(unquote_to_bytes(path))
