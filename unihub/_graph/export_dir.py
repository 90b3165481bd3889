"""A directory that a model is written to: it appears whole, or not at all.

It is filled in a private place beside its own and then renamed, so that whoever reads it sees all of it, and what was
there before is still there when writing fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import Any, Iterator

from unihub import errors


def check(export_dir: Any, overwrite: bool) -> str:
    """The directory to be written, as a path.

    Args:
        export_dir: A str or a path.
        overwrite: Whether something may be there already.

    Returns:
        The absolute path.

    Raises:
        HandleError: It is no path, or something is there that must not be overwritten; an empty directory may be.
    """
    if not isinstance(export_dir, (str, os.PathLike)) or not str(export_dir):
        raise errors.HandleError.not_a_target(export_dir)
    path = os.path.abspath(os.path.expanduser(os.fspath(export_dir)))
    is_empty = os.path.isdir(path) and not os.listdir(path)
    if os.path.lexists(path) and not is_empty and not overwrite:
        raise errors.HandleError.exists(path)
    return path


@contextlib.contextmanager
def writing(export_dir: Any, overwrite: bool = False) -> Iterator[str]:
    """Gives an empty directory to fill, which takes the place of ``export_dir`` when the block ends without an error.

    Args:
        export_dir: The directory to be written.
        overwrite: Whether what is there may be replaced.

    Yields:
        The directory to fill.

    Raises:
        HandleError: As ``check`` says.
    """
    path = check(export_dir, overwrite)
    parent, name = os.path.split(path)
    os.makedirs(parent, exist_ok=True)
    private = tempfile.mkdtemp(prefix=".{}.writing-".format(name), dir=parent)
    try:
        # A directory inside it, for mkdtemp's own can be read by nobody else.
        content = os.path.join(private, "content")
        os.mkdir(content)
        yield content
        _replace(path, content, os.path.join(private, "before"))
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _replace(path: str, content: str, before: str) -> None:
    """Puts the content in the path's place; what was there comes back if that fails."""
    there = os.path.lexists(path)
    if there:
        os.rename(path, before)
    try:
        os.rename(content, path)
    except OSError:
        if there:
            os.rename(before, path)
        raise
