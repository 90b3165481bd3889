"""Runs Python in processes of their own, with the unihub that is tested."""

from __future__ import annotations

import os
import subprocess
import sys

from paths import PACKAGES


def environment(**variables):
    """The environment of this process, in which Python finds the unihub that is tested."""
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)), **variables)


def command(code, *arguments):
    """The command line that runs code."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def run(code, *arguments, **variables):
    """Runs code; gives its exit status and what it wrote, as text."""
    return subprocess.run(command(code, *arguments), env=environment(**variables), capture_output=True, text=True)


def printed(code, *arguments, **variables):
    """Runs code that has to work; gives what it printed, by lines."""
    done = run(code, *arguments, **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def start(code, *arguments, **variables):
    """Starts code, with pipes for what it writes as text."""
    return subprocess.Popen(
        command(code, *arguments), env=environment(**variables),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
