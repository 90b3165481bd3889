"""Docstrings as griffe reads them: it knows examples by the heading ``Examples:``, and one alone has ``Example:``."""

import re

import griffe


class Examples(griffe.Extension):
    """Gives examples their heading."""

    def on_object(self, *, obj, **_):
        """Changes what was read, and not the file."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE)
