"""The entries of the cache, as the commands see them."""

from __future__ import annotations

import os
from typing import Dict, Iterable, List, NamedTuple, Optional

from unihub._resolve import cache, entries
from unihub._resolve.manifest import Manifest


class Stored(NamedTuple):
    """An entry of the cache."""

    group: str
    path: str
    manifest: Optional[Manifest]

    @property
    def name(self) -> str:
        """As the commands name it."""
        return "{}/{}".format(self.group, os.path.basename(self.path))

    @property
    def size(self) -> int:
        """In bytes."""
        return self.manifest.size if self.manifest else sum(_sizes_below(self.path))

    @property
    def leads_nowhere(self) -> bool:
        """Whether a link in it does: what a part links to is gone."""
        return any(os.path.islink(inner) and not os.path.exists(inner) for inner in _paths_below(self.path))

    def damage(self, thorough: bool = False) -> List[str]:
        """What is wrong with it."""
        return entries.damage(self.path, self.manifest, thorough)

    def to_dict(self) -> Dict[str, object]:
        """The entry as data."""
        data: Dict[str, object] = {"entry": self.name, "path": self.path, "size": self.size}
        if self.manifest:
            origin = {name: getattr(self.manifest, name) for name in ("handle", "source", "url", "time")}
            data.update(origin, sha256=self.manifest.digest)
        return data


def stored(groups: Iterable[str] = cache.GROUPS) -> Iterable[Stored]:
    """What is in the cache."""
    for group in present(groups):
        for path, manifest in entries.entries(group):
            yield Stored(group, path, manifest)


def present(groups: Iterable[str] = cache.GROUPS) -> List[str]:
    """The groups that there are."""
    return [group for group in groups if os.path.isdir(os.path.join(cache.root(), group))]


def _paths_below(path: str) -> Iterable[str]:
    return [os.path.join(parent, name) for parent, folders, names in os.walk(path) for name in folders + names]


def _sizes_below(path: str) -> List[int]:
    # A part has links to the files of its model, which are not its own.
    return [os.path.getsize(inner) for inner in _paths_below(path) if not os.path.islink(inner)]
