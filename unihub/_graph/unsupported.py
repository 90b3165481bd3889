"""The exception for a graph that unihub cannot follow, shared by partial loading and converting.

Partial loading catches it and loads the full model; ``unihub.convert`` catches it and raises ``UnsupportedError``.
"""

from __future__ import annotations


class NotUnderstood(Exception):
    """A graph has a structure that unihub cannot follow or rebuild; the message gives the reason."""
