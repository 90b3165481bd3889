"""Keep what was read of a model's functions in the cache, by the digest of the file.

Scanning the functions of a network takes a tenth of a second, which is longer than everything else unihub does for a
small model. A digest of the file takes a few milliseconds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
from typing import TYPE_CHECKING, FrozenSet, List, Sequence, Tuple, Union

from unihub._resolve import cache
from unihub._saved_model import (
    byte_search,
    call_ops,
    files,
    keras_lambda,
    scanned_graph,
    schema,
    unsafe_ops,
    unsafe_scan,
    wire,
)
from unihub._saved_model.unsafe_scan import UnsafeOp

if TYPE_CHECKING:
    from unihub._saved_model.model_info import Contents, ModelInfo

_GROUP = "parts"
_FILE = "{}.json"
_CODE = (wire, schema, byte_search, scanned_graph, call_ops, unsafe_scan, keras_lambda, unsafe_ops)
# Attributes of ``Contents`` that are kept together: those of the audit, and those of a full load.
AUDIT = "audit"
OPS = "ops"
_ATTRIBUTES = {AUDIT: ("unsafe_ops", "registered_types"), OPS: ("ops",)}


def fill(info: ModelInfo, *kinds: str) -> None:
    """Take what an earlier process read of the variants of a model, or keep it for the next process.

    Args:
        info: The model, as ``inspect`` returned it.
        *kinds: ``AUDIT``, for unsafe ops and registered types; ``OPS``, for all ops.
    """
    for kind in kinds:
        names = _ATTRIBUTES[kind]
        if all(name in vars(meta_graph.contents) for meta_graph in info.meta_graphs for name in names):
            continue
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            directory = cache.entry(_GROUP, _name(kind, info.path), functools.partial(_write, info, kind))
            with open(os.path.join(directory, _FILE.format(kind)), encoding="utf-8") as opened:
                for meta_graph, kept in zip(info.meta_graphs, json.load(opened)):
                    for name in names:
                        setattr(meta_graph.contents, name, _read(name, kept[name]))


def _name(kind: str, path: str) -> str:
    graph = files.graph_digest(os.path.join(path, "saved_model.pb"))
    return "{}-{}-{}".format(kind, graph, _digest_of_code()[:16])


@functools.lru_cache(maxsize=1)
def _digest_of_code() -> str:
    """The digest of the code that scans; other code may find something else."""
    digest = hashlib.sha256()
    for module in _CODE:
        with open(str(module.__file__), "rb") as opened:
            digest.update(opened.read())
    return digest.hexdigest()


def _write(info: ModelInfo, kind: str, directory: str) -> None:
    all_contents = [meta_graph.contents for meta_graph in info.meta_graphs]
    kept = [{name: _describe(contents, name) for name in _ATTRIBUTES[kind]} for contents in all_contents]
    with open(os.path.join(directory, _FILE.format(kind)), "w", encoding="utf-8") as file:
        json.dump(kept, file)


def _describe(contents: Contents, name: str) -> Sequence[object]:
    if name == "unsafe_ops":
        return [dataclasses.astuple(op) for op in contents.unsafe_ops]
    names: FrozenSet[str] = getattr(contents, name)
    return sorted(names)


def _read(name: str, kept: List[Tuple[str, str, str, str]]) -> Union[Tuple[UnsafeOp, ...], FrozenSet[object]]:
    return tuple(UnsafeOp(*op) for op in kept) if name == "unsafe_ops" else frozenset(kept)
