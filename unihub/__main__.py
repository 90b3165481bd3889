"""``python -m unihub``."""

import sys

from unihub._cli import main

if __name__ == "__main__":
    sys.exit(main())
