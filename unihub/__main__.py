"""``python -m unihub``."""
from __future__ import annotations

import sys

from unihub.cli import main

sys.exit(main())
