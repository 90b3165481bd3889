"""How much sooner an archive on a server is a directory here than ``hub.resolve`` makes it, and with how much memory.

A server on this machine sends an archive; both sides fetch and unpack it in turn, each time in a process of its own
and with an empty cache. The figures are ratios of medians. Run it as::

    python benchmarks/download.py DIRECTORY [MEGABYTES]
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import time
from typing import Dict, List, Tuple

ROUNDS = 7

# Linux's own figure for the peak of this process; ru_maxrss would begin with that of its parent.
PROGRAM = """
import os, sys, time
side, url = sys.argv[1:3]
if side == "unihub":
    from unihub import resolve
else:
    from tensorflow_hub import resolve

def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

before = peak()
began = time.perf_counter()
path = resolve(url)
seconds = time.perf_counter() - began
size = sum(os.path.getsize(os.path.join(parent, name)) for parent, _, names in os.walk(path) for name in names)
print("result", seconds, (peak() - before) / 1024, size)
"""


def write_archive(path: str, megabytes: int) -> None:
    """An archive of a model's layout, of bytes that do not compress, as weights hardly do."""
    members = {"saved_model.pb": 1, "variables/variables.index": 1, "variables/variables.data": megabytes}
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        # tensorflow_hub makes no directories of which there is no member.
        directory = tarfile.TarInfo("variables")
        directory.type, directory.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(directory)
        for name, size in members.items():
            info = tarfile.TarInfo(name)
            info.size = size * 10**6
            tar.addfile(info, io.BytesIO(os.urandom(info.size)))


def start_server(directory: str) -> Tuple[subprocess.Popen[bytes], str]:
    """A plain web server in a process of its own, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", directory]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.1)
    return server, "http://127.0.0.1:{}".format(port)


def fetch(side: str, url: str, directory: str) -> Dict[str, float]:
    """Fetches the archive once, into an empty cache."""
    cache = os.path.join(directory, "cache")
    shutil.rmtree(cache, ignore_errors=True)
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", UNIHUB_CACHE_DIR=cache, TFHUB_CACHE_DIR="")
    if side != "unihub":
        environment["TFHUB_CACHE_DIR"] = cache
    # What is still to be written of the last round would be written in this one.
    os.sync()
    printed = subprocess.check_output([sys.executable, "-c", PROGRAM, side, url], env=environment).decode()
    line = next(line for line in printed.splitlines() if line.startswith("result"))
    return dict(zip(("seconds", "megabytes", "size"), map(float, line.split()[1:])))


def main() -> None:
    """Prints the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("megabytes", nargs="?", type=int, default=500)
    arguments = parser.parse_args()
    directory = os.path.abspath(arguments.directory)
    os.makedirs(directory, exist_ok=True)
    write_archive(os.path.join(directory, "model.tar.gz"), arguments.megabytes)
    server, address = start_server(directory)
    try:
        rounds: Dict[str, List[Dict[str, float]]] = {"unihub": [], "tensorflow_hub": []}
        for number in range(ROUNDS + 1):
            for side, measured in rounds.items():
                result = fetch(side, address + "/model.tar.gz", directory)
                # In the first round the machine finds the archive, and room for it, in its memory.
                measured += [result] * (number > 0)
    finally:
        server.terminate()
        server.wait()
    shutil.rmtree(os.path.join(directory, "cache"), ignore_errors=True)
    if len({each["size"] for measured in rounds.values() for each in measured}) != 1:
        sys.exit("the two sides unpacked different things")
    seconds = {side: statistics.median(each["seconds"] for each in measured) for side, measured in rounds.items()}
    ratio = seconds["tensorflow_hub"] / seconds["unihub"]
    print("throughput of unihub.resolve, times that of hub.resolve: {:.2f}".format(ratio))
    for side, measured in rounds.items():
        print("peak memory of {} beyond the start: {:.0f} MB".format(side, max(each["megabytes"] for each in measured)))


if __name__ == "__main__":
    main()
