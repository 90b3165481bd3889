"""Writes archives, honest and hostile ones."""

from __future__ import annotations

import io
import tarfile
import zipfile


def member(name, data=b"", **attributes):
    """A member of a tar file."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, data


def tar(members, mode="w", **options):
    """The bytes of a tar file."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode, **options) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def zipped(members, method=zipfile.ZIP_DEFLATED):
    """The bytes of a zip file: names, data, and modes of files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data, mode in members:
            info = zipfile.ZipInfo(name)
            info.filename = info.orig_filename = name  # as it is, for zipfile would mend it
            info.external_attr = mode << 16
            info.compress_type = method
            archive.writestr(info, data)
    return packed.getvalue()


def folder(directory):
    """The bytes of a gzipped tar file of a directory."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as archive:
        archive.add(str(directory), ".")
    return packed.getvalue()
