"""Write a model to a directory atomically: the directory is complete or absent.

The files are written to a private directory beside it, which is then renamed. A reader never sees a partial model, and
if writing fails, the earlier content is still there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import Iterator, Union

from unihub import errors


def check(export_dir: Union[str, os.PathLike[str]], overwrite: bool) -> str:
    """Check that a directory can be written.

    Args:
        export_dir: The path.
        overwrite: Whether the directory may exist already.

    Returns:
        The absolute path.

    Raises:
        HandleError: ``export_dir`` is not a path, or exists, must not be overwritten, and is not an empty directory.
    """
    if not isinstance(export_dir, (str, os.PathLike)) or not str(export_dir):
        raise errors.HandleError.not_a_target(export_dir)
    path = os.path.abspath(os.path.expanduser(os.fspath(export_dir)))
    is_empty = os.path.isdir(path) and not os.listdir(path)
    if os.path.lexists(path) and not is_empty and not overwrite:
        raise errors.HandleError.exists(path)
    return path


@contextlib.contextmanager
def writing(export_dir: Union[str, os.PathLike[str]], overwrite: bool = False) -> Iterator[str]:
    """Yield an empty directory, which replaces ``export_dir`` when the block ends without an error.

    Args:
        export_dir: The directory to write.
        overwrite: Whether to replace what is there.

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
        # Use a directory inside it: only its owner can read the one that mkdtemp makes.
        content = os.path.join(private, "content")
        os.mkdir(content)
        yield content
        _replace(path, content, os.path.join(private, "before"))
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _replace(path: str, content: str, before: str) -> None:
    """Move the content to the path; if that fails, restore what was there."""
    exists = os.path.lexists(path)
    if exists:
        os.rename(path, before)
    try:
        os.rename(content, path)
    except OSError:
        if exists:
            os.rename(before, path)
        raise
