"""Runs programs, each in a process of its own that has TensorFlow imported already, which takes longest.

    python tests/support/run_programs.py MODELS DIRECTORY ...

Runs ``program.py`` of each directory there, with the directory of the models as its argument; its output is put into
``stdout`` and ``stderr``, and its exit status into ``status``. The models are written first.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import traceback

import tensorflow_hub  # noqa: F401

import program_models

SECONDS = 300


def run(function, directory):
    """Calls a function in a new process, in a directory."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        with open(os.path.join(directory, "status"), "w") as file:
            file.write(str(status))
        return
    signal.alarm(SECONDS)
    os.chdir(directory)
    for name, number in (("stdout", 1), ("stderr", 2)):
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, number)
    code = 1
    try:
        function()
        code = 0
    except SystemExit as exc:
        code = exc.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


def run_program(models):
    """Runs the program of this directory."""
    sys.argv = ["program.py", models]
    sys.path[0] = os.getcwd()
    runpy.run_path("program.py", run_name="__main__")


if __name__ == "__main__":
    target = os.path.abspath(sys.argv[1])
    run(lambda: program_models.write_all(target), target)
    for path in sys.argv[2:]:
        run(lambda: run_program(target), path)
