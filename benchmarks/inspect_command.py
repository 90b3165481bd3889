"""How much faster ``unihub inspect`` is than ``saved_model_cli show --all``: whole commands, as a user runs them.

::

    python benchmarks/inspect_command.py DIRECTORY

Each is run once before, then in turn, and the ratio is that of the medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import Any, List

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

ROUNDS = 5
MODELS = ("EfficientNetB0", "tiny")
WRITE = "import models, sys; print(models.find(*sys.argv[1:]))"


def seconds(command: List[str]) -> float:
    """How long a command takes."""
    began = time.perf_counter()
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command, check=True, **quiet)
    return time.perf_counter() - began


def find(name: str, directory: str) -> str:
    """The directory of a model, written in a process of its own, so that this one stays small."""
    here = os.path.dirname(os.path.abspath(__file__))
    code = "import sys; sys.path.append({!r}); {}".format(here, WRITE)
    written = subprocess.check_output([sys.executable, "-c", code, name, directory], cwd=directory)
    return written.decode().splitlines()[-1]


def main() -> None:
    """Measures and prints."""
    directory = os.path.abspath(sys.argv[1])
    print("| model | saved_model_cli show --all | unihub inspect | ratio |\n|---|---|---|---|")
    for name in MODELS:
        path = find(name, directory)
        theirs = [sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "show", "--dir", path, "--all"]
        ours = [sys.executable, "-m", "unihub", "inspect", path]
        for command in (theirs, ours):
            seconds(command)
        pairs = [(seconds(theirs), seconds(ours)) for _ in range(ROUNDS)]
        upstream, own = map(statistics.median, zip(*pairs))
        print("| {} | {:.2f} s | {:.2f} s | {:.0f} |".format(name, upstream, own, upstream / own), flush=True)


if __name__ == "__main__":
    main()
