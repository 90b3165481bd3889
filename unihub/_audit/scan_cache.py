"""What was read of all functions of a model, kept in the cache by the digest of the file, so that it is read only once.

Looking through the functions of a network takes a tenth of a second, and of a small model longer than the rest of what
unihub does; a digest of the same bytes takes a few milliseconds, or next to nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
from typing import Any, List

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

_GROUP = "parts"
_FILE = "{}.json"
_CODE = (wire, schema, byte_search, scanned_graph, call_ops, unsafe_scan, keras_lambda, unsafe_ops)
# What is kept together, for it is asked for together: by the audit, and by who loads all of a model.
AUDIT = "audit"
OPS = "ops"
_ATTRIBUTES = {AUDIT: ("unsafe_ops", "registered_types"), OPS: ("ops",)}


def fill(info: Any, *kinds: str) -> None:
    """Gives the variants of a model what was read of them in an earlier process, or keeps it for the next one.

    Args:
        info: What ``inspect`` gave.
        *kinds: ``AUDIT``, for what a model may do; ``OPS``, for all ops that it has.
    """
    for kind in kinds:
        names = _ATTRIBUTES[kind]
        if all(name in vars(meta_graph.contents) for meta_graph in info.meta_graphs for name in names):
            continue
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            place = cache.entry(_GROUP, _name(kind, info.path), functools.partial(_write, info, kind))
            with open(os.path.join(place, _FILE.format(kind)), encoding="utf-8") as opened:
                for meta_graph, kept in zip(info.meta_graphs, json.load(opened)):
                    for name in names:
                        setattr(meta_graph.contents, name, _read(name, kept[name]))


def _name(kind: str, path: str) -> str:
    graph = files.graph_digest(os.path.join(path, "saved_model.pb"))
    return "{}-{}-{}".format(kind, graph, _digest_of_code()[:16])


@functools.lru_cache(maxsize=1)
def _digest_of_code() -> str:
    """What was found holds for this code only."""
    digest = hashlib.sha256()
    for module in _CODE:
        with open(str(module.__file__), "rb") as opened:
            digest.update(opened.read())
    return digest.hexdigest()


def _write(info: Any, kind: str, directory: str) -> None:
    all_contents = [meta_graph.contents for meta_graph in info.meta_graphs]
    kept = [{name: _describe(contents, name) for name in _ATTRIBUTES[kind]} for contents in all_contents]
    with open(os.path.join(directory, _FILE.format(kind)), "w", encoding="utf-8") as file:
        json.dump(kept, file)


def _describe(contents: Any, name: str) -> List[Any]:
    value = getattr(contents, name)
    return [dataclasses.astuple(op) for op in value] if name == "unsafe_ops" else sorted(value)


def _read(name: str, kept: List[Any]) -> Any:
    return tuple(UnsafeOp(*op) for op in kept) if name == "unsafe_ops" else frozenset(kept)
