"""Models in cloud buckets and wherever else fsspec reads: ``gs://``, ``s3://``, ``hdfs://`` and so on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Tuple

from unihub._resolve.entries import Origin
from unihub._resolve.handle import ARCHIVE_SUFFIXES, Handle, Kind
from unihub._resolve.source import Source, fetch
from unihub.errors import DownloadError, HandleError, IntegrityError, RuntimeUnavailableError, UnihubError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


class Bucket(Source):
    """A URL of any other scheme: a directory of files, or an archive."""

    online = True

    def recognises(self, handle: Handle) -> bool:
        """Whether it is spelled so."""
        return handle.kind is Kind.BUCKET

    def locate(self, handle: Handle) -> str:
        """The model's directory in the cache."""
        return fetch(handle, lambda content, _: _fill(handle, content))


def _fill(handle: Handle, content: str) -> Origin:
    from unihub._resolve import archive

    url = handle.location
    files, path = _file_system(handle)
    try:
        if url.lower().endswith(ARCHIVE_SUFFIXES):
            with files.open(path, "rb") as file:
                archive.unpack(file, url, content)
        else:
            _copy(files, path, url, content)
    except UnihubError:
        raise
    except FileNotFoundError as error:
        raise DownloadError.answered(url, 404, "not found") from error
    except PermissionError as error:
        raise DownloadError.answered(url, 403, "forbidden") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DownloadError.through_fsspec(url, error) from error
    except Exception as error:  # Each of its file systems lets through what its own client raises.
        raise DownloadError.through_fsspec(url, error) from error
    return Origin("bucket", url)


def _file_system(handle: Handle) -> Tuple[AbstractFileSystem, str]:
    """The file system that reads a URL, and the path within it."""
    try:
        import fsspec

        fsspec.get_filesystem_class(handle.scheme)
        files, path = fsspec.core.url_to_fs(handle.location)
        return files, path
    except ImportError as error:
        raise RuntimeUnavailableError.no_file_system(handle.location, handle.scheme, error) from error
    except ValueError as error:
        raise HandleError.unknown_scheme(str(handle), handle.scheme) from error


def _copy(files: AbstractFileSystem, path: str, url: str, content: str) -> None:
    from unihub._resolve import archive

    infos = {name: info for name, info in files.find(path, detail=True).items() if info["type"] == "file"}
    if not infos:
        raise FileNotFoundError(path)
    for name, info in infos.items():
        parts = archive.safe_parts(url, name[len(path.rstrip("/")) :].lstrip("/"))
        if not parts:
            continue
        target = os.path.join(content, *parts)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        files.get_file(name, target)
        if info.get("size") not in (None, os.path.getsize(target)):
            raise IntegrityError.short_file(name, os.path.getsize(target), info["size"])
