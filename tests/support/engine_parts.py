"""What workers of an engine run: rows, handlers that note what is loaded where, and comparisons with one process.

A module of its own, for workers import it. ``UNIHUB_LOADS`` names the file in which each load is noted.
"""

import os
import time

import numpy as np

WORDS = ("hello", "world", "cat", "the", "of", "dog", "nobody", "knows")


def text(number):
    """The text of a row."""
    return " ".join(WORDS[number // 8**place % 8] for place in range(1 + number % 5))


def image(number):
    """The image of a row."""
    return np.random.RandomState(number).rand(32, 32, 3).astype(np.float32)


def note_load(name):
    """Notes that this process loads a model, with its peers in the same file."""
    with open(os.environ["UNIHUB_LOADS"], "a", encoding="utf-8") as file:
        file.write("{} {}\n".format(os.getpid(), name))


def loads(path):
    """What was noted: the processes, once for each load."""
    with open(str(path), encoding="utf-8") as file:
        return [line.split()[0] for line in file]


def wait_for(happened, seconds=120):
    """Waits until something happened in another process."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


class Judge:
    """Compares rows with what one process computed, which a file holds; sent to workers by the file's name."""

    def __init__(self, path):
        self.path = str(path)
        self._wanted = None

    def __call__(self, number, value):
        if self._wanted is None:
            self._wanted = np.load(self.path, mmap_mode="r")
        return bool(np.allclose(value, self._wanted[number], rtol=1e-5, atol=1e-6))

    def __getstate__(self):
        return {"path": self.path, "_wanted": None}
