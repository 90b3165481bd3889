"""What the audit of a model found, kept in the cache by the digest of the file, so that it is read only once.

Looking through the functions of a network takes a tenth of a second, and of a small model longer than the rest of what
unihub does; a digest of the same bytes takes a few milliseconds, or next to nothing.
"""
from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from typing import Any, Dict, List

from unihub import _formats, _protobuf, _schema
from unihub._audit import findings, keras_layers, unsafe_ops
from unihub._audit.findings import UnsafeOp
from unihub._resolve import cache

_GROUP = "parts"
_FILE = "audit.json"
_CODE = (_protobuf, _schema, findings, keras_layers, unsafe_ops)


def fill(info: Any) -> None:
    """Gives the variants of a model what was read of them in an earlier process, or keeps it for the next one.

    Args:
        info: What ``inspect`` gave.
    """
    if all("unsafe_ops" in vars(meta_graph.contents) for meta_graph in info.meta_graphs):
        return
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        place = cache.entry(_GROUP, _name(info.path), lambda directory: _write(directory, info))
        with open(os.path.join(place, _FILE), encoding="utf-8") as opened:
            for meta_graph, kept in zip(info.meta_graphs, json.load(opened)):
                _apply(meta_graph.contents, kept)


def _name(path: str) -> str:
    graph = _formats.graph_digest(os.path.join(path, "saved_model.pb"))
    return "audit-{}-{}".format(graph, _digest_of_code()[:16])


@functools.lru_cache(maxsize=1)
def _digest_of_code() -> str:
    """What was found holds for this code only."""
    digest = hashlib.sha256()
    for module in _CODE:
        with open(str(module.__file__), "rb") as opened:
            digest.update(opened.read())
    return digest.hexdigest()


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
