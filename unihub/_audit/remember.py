"""What the audit of a large graph found, kept in the cache by the digest of the file, so that it is read only once.

Looking through the functions of a network takes a tenth of a second, a digest of the same bytes a few milliseconds.
"""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
from typing import Any, Dict, List

from unihub import _protobuf, _schema
from unihub._audit import findings, keras_layers, unsafe_ops
from unihub._audit.findings import UnsafeOp
from unihub._resolve import cache

# Reading a smaller file takes no longer than looking it up.
_LARGE = 1 << 18
_GROUP = "parts"
_FILE = "audit.json"
_BLOCK = 1 << 20
_CODE = (_protobuf, _schema, findings, keras_layers, unsafe_ops)


def fill(info: Any) -> None:
    """Gives the variants of a model what was read of them in an earlier process, or keeps it for the next one.

    Args:
        info: What ``inspect`` gave.
    """
    file = os.path.join(info.path, "saved_model.pb")
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if os.path.getsize(file) < _LARGE:
            return
        place = cache.entry(_GROUP, _name(file), lambda directory: _write(directory, info))
        with open(os.path.join(place, _FILE), encoding="utf-8") as opened:
            for meta_graph, kept in zip(info.meta_graphs, json.load(opened)):
                _apply(meta_graph.contents, kept)


def _name(file: str) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as opened:
        for block in iter(lambda: opened.read(_BLOCK), b""):
            digest.update(block)
    # What was found holds for this code only.
    for module in _CODE:
        with open(str(module.__file__), "rb") as opened:
            digest.update(opened.read())
    return "audit-" + digest.hexdigest()


def _write(directory: str, info: Any) -> None:
    kept = [_describe(meta_graph.contents) for meta_graph in info.meta_graphs]
    with open(os.path.join(directory, _FILE), "w", encoding="utf-8") as file:
        json.dump(kept, file)


def _describe(contents: Any) -> Dict[str, List[Any]]:
    return {
        "ops": sorted(contents.ops),
        "registered_types": sorted(contents.registered_types),
        "unsafe_ops": [[op.op, op.node, op.where, op.reason] for op in contents.unsafe_ops],
    }


def _apply(contents: Any, kept: Dict[str, List[Any]]) -> None:
    contents.ops = frozenset(kept["ops"])
    contents.registered_types = frozenset(kept["registered_types"])
    contents.unsafe_ops = tuple(UnsafeOp(*op) for op in kept["unsafe_ops"])
