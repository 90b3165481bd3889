"""Runs commands in a terminal."""

from __future__ import annotations

import os
import struct
import subprocess


def run_in_terminal(command, columns, env, **options):
    """What a command writes to a terminal of a width, as text, and its exit status."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, **options}
        with subprocess.Popen(command, env=env, **streams) as process:
            os.close(theirs)
            written = b"".join(_parts(ours))
    finally:
        os.close(ours)
    return written.decode().replace("\r\n", "\n"), process.returncode


def _parts(terminal):
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so that the other end is closed.
            return
        if not part:
            return
        yield part
