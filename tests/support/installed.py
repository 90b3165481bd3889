"""Puts the installed unihub before the checkout, where there is one. Imports nothing of unihub."""

from __future__ import annotations

import importlib.machinery
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def prefer_installed():
    """Takes the checkout off ``sys.path`` if unihub is installed elsewhere.

    ``python -m pytest`` puts the working directory there first. An editable install is the checkout itself.
    """
    others = [path for path in sys.path if os.path.realpath(path or os.getcwd()) != str(ROOT)]
    if importlib.machinery.PathFinder.find_spec("unihub", others) is not None:
        sys.path[:] = others
    elif len(others) == len(sys.path):
        sys.path.insert(0, str(ROOT))
