"""Which of the parameters of a test stand for the rest of them in the README's command; CI runs all."""

from __future__ import annotations

import pytest


def also_slow(values, first):
    """The first so many values as they are, and the rest marked as slow."""
    values = list(values)
    return values[:first] + [pytest.param(value, marks=pytest.mark.slow) for value in values[first:]]
