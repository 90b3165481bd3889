"""Rewriting programs that call tensorflow_hub into programs that call unihub.

The steps: read a file (``files``; ``notebook`` joins the cells of a notebook), parse it (``program``), find each use
of tensorflow_hub (``references``), decide its replacement (``replacement``, with ``classes``, ``results``, ``specs``
and ``graph_collections``), adapt the imports (``imports``), and apply the edits to the text. Everything else stays as
it is, to the byte.

What must stay true: the new program computes what the old one did. Where that cannot be seen, the old call stays, and a
finding says where and why (``reasons``). libcst parses; it is imported for the first text that mentions tensorflow_hub.
"""

from __future__ import annotations

from typing import Sequence

from unihub._migrate.edit import Decision, Migration, Span, apply_edits
from unihub._tf import packages

__all__ = ["decide", "migrate_text"]


def migrate_text(text: str) -> Migration:
    """Rewrites one Python program.

    Args:
        text: The source.

    Returns:
        The new source, how many uses of tensorflow_hub were replaced, and what was left alone.

    Raises:
        SyntaxError: It is no program that Python could read.
        RuntimeUnavailableError: libcst is not installed.

    Example:
        >>> print(migrate_text("import tensorflow_hub as hub; layer = hub.KerasLayer(path)").text)
        import unihub; layer = unihub.KerasLayer(path)
    """
    decision = decide(text)
    return Migration(apply_edits(text, decision.edits), decision.replaced, decision.findings)


def decide(text: str, opaque: Sequence[Span] = ()) -> Decision:
    """What is to be edited in a program, and what is left.

    Args:
        text: The source.
        opaque: What stood in the original where the source has a blank, for it is not Python; looked at only for names
            of tensorflow_hub.

    Returns:
        The edits and the findings.
    """
    if not any("tensorflow_hub" in part for part in [text] + [span.text for span in opaque]):
        return Decision((), 0, ())
    packages.import_libcst()
    from unihub._migrate import replacement

    return replacement.decide(text, opaque)
