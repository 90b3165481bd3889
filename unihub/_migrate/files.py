"""Files: finding the programs of a directory, reading them as they are encoded, and writing what became of them."""

from __future__ import annotations

import difflib
import io
import os
import re
import tempfile
import tokenize
from dataclasses import dataclass, replace
from typing import Iterator, Tuple

from unihub._migrate import decide, reasons
from unihub._migrate.edit import Finding, apply_edits
from unihub._tf import packages

_SUFFIXES = (".py", ".ipynb")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class FileMigration:
    """What becomes of one file.

    Attributes:
        path: The file.
        before: Its bytes.
        after: Its new bytes.
        encoding: How they are to be read.
        replaced: How many uses of tensorflow_hub were replaced.
        findings: What was left alone.
    """

    path: str
    before: bytes
    after: bytes
    encoding: str
    replaced: int
    findings: Tuple[Finding, ...]

    @property
    def is_changed(self) -> bool:
        """Whether the new bytes are others."""
        return self.before != self.after

    def diff(self) -> str:
        """The change as a unified diff."""
        before, after = (_LINE.findall(data.decode(self.encoding, "replace")) for data in (self.before, self.after))
        lines = difflib.unified_diff(before, after, self.path, self.path)
        return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)

    def write(self) -> None:
        """Puts the new bytes in the place of the old ones, at once; who may do what with the file stays."""
        target = os.path.realpath(self.path)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".unihub-", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(self.after)
            os.chmod(temporary, os.stat(target).st_mode & 0o7777)
            os.replace(temporary, target)
        except BaseException:
            os.unlink(temporary)
            raise


def find_programs(path: str) -> Iterator[str]:
    """The Python files and notebooks of a directory, sorted, or the file itself.

    Hidden directories, virtual environments and what Python or npm put there are passed over.
    """
    if not os.path.isdir(path):
        yield path
        return
    for directory, names, files in os.walk(path):
        names[:] = sorted(name for name in names if not _is_passed_over(os.path.join(directory, name)))
        for name in sorted(files):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield os.path.join(directory, name)


def _is_passed_over(directory: str) -> bool:
    name = os.path.basename(directory)
    if name.startswith(".") or name in ("__pycache__", "node_modules", "site-packages"):
        return True
    return any(os.path.exists(os.path.join(directory, mark)) for mark in ("pyvenv.cfg", "conda-meta"))


def migrate_file(path: str) -> FileMigration:
    """What becomes of a file; nothing is written.

    Args:
        path: A Python file or a notebook.

    Returns:
        The old and the new bytes, and the findings. A file that cannot be read is one finding.
    """
    with open(path, "rb") as file:
        data = file.read()
    unchanged = FileMigration(path, data, data, "utf-8", 0, ())
    if b"tensorflow_hub" not in data:
        return unchanged
    try:
        return _migrate_notebook(unchanged) if path.endswith(".ipynb") else _migrate_program(unchanged)
    except SyntaxError as exc:
        finding = Finding(exc.lineno or 1, exc.offset or 1, "", reasons.UNREADABLE.format(exc.msg))
    except UnicodeDecodeError as exc:
        finding = Finding(1, 1, "", reasons.UNREADABLE.format(exc))
    return replace(unchanged, findings=(finding,))


def _migrate_program(file: FileMigration) -> FileMigration:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(file.before).readline)
    mark = _BOM if file.before.startswith(_BOM) else b""
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    text = file.before[len(mark) :].decode(encoding)
    decision = decide(text)
    after = mark + apply_edits(text, decision.edits).encode(encoding)
    return replace(file, after=after, encoding=encoding, replaced=decision.replaced, findings=decision.findings)


def _migrate_notebook(file: FileMigration) -> FileMigration:
    packages.import_libcst()
    from unihub._migrate.notebook import Notebook
    from unihub._migrate.program import is_valid

    source = file.before.decode("utf-8")
    try:
        notebook = Notebook(source, is_valid)
    except ValueError as exc:
        raise SyntaxError("it is no notebook: {}".format(exc)) from exc
    decision = decide(notebook.text, notebook.opaque)
    after = apply_edits(source, map(notebook.edit, decision.edits))
    findings = []
    for finding in decision.findings:
        cell, line = notebook.cell_and_line(finding.line)
        findings.append(replace(finding, cell=cell, line=line))
    return replace(file, after=after.encode("utf-8"), replaced=decision.replaced, findings=tuple(findings))
