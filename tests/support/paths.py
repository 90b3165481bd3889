"""Where things are: the checkout, the stored models, and the unihub that is tested."""

from __future__ import annotations

import os
from pathlib import Path

import unihub

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = ROOT / "tests"
DATA = TESTS / "data"
SUPPORT = TESTS / "support"
# The package under test, in the checkout or in site-packages, and the directory that Python imports it from.
PACKAGE = Path(os.path.abspath(unihub.__file__)).parent
PACKAGES = PACKAGE.parent
