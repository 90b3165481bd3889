"""What of the documentation is not written but taken from the code, each time the site is built.

A page says ``<!-- from the code: NAME ARGUMENTS -->`` where it goes, with one of the functions below as NAME.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import textwrap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The code itself, and the messages that the tests compare.
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests", "support"), os.path.join(ROOT, "docs", "_site")]

from error_examples import examples  # noqa: E402

import unihub  # noqa: E402
import unihub.errors  # noqa: E402

TEST = re.compile(r"`(tests/[\w/]+/test_\w+\.py(?:::\w+)*::(\w+))`")
MARK = re.compile(r"^<!-- from the code: (\w+) ?([\w ]*) -->$", re.MULTILINE)


def on_page_markdown(markdown, **_):
    """Puts what is taken from the code into a page, and the tests that it names below it."""
    markdown = MARK.sub(lambda found: PARTS[found.group(1)](*found.group(2).split()), markdown)
    named = list(dict.fromkeys(found.group(1) for found in TEST.finditer(markdown)))
    if not named:
        return markdown
    linked = TEST.sub(lambda found: "[`{}`](#{})".format(found.group(2), anchor_of(found.group(1))), markdown)
    return "\n\n".join([linked, "## The tests", *map(draw_test, named)])


def anchor_of(test):
    """The anchor of a test's source."""
    return re.sub(r"\W+", "-", test)


def draw_test(test):
    """The source of a test, closed until it is looked for."""
    path, *names = test.split("::")
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        source = file.read()
    scope = ast.parse(source)
    for name in names:
        (scope,) = (node for node in scope.body if getattr(node, "name", "") == name)
    first = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
    lines = textwrap.dedent("\n".join(source.splitlines()[first - 1 : scope.end_lineno]))
    # The anchor is inside, so that whoever follows a link to it finds it open.
    content = '<div id="{}"></div>\n\n```python\n{}\n```'.format(anchor_of(test), lines)
    return '??? quote "{}"\n\n{}'.format(test, textwrap.indent(content, "    "))


def draw_matrix():
    """The table that ``unihub.matrix()`` prints."""
    return str(unihub.matrix())


def draw_refusals():
    """Each ``-`` of the matrix, with its reason and what to do."""
    rows = {}
    for cell in unihub.matrix():
        if not cell.supported:
            row = (str(cell.operation), str(cell.format), cell.reason, cell.hint.format(path='"path"'))
            rows.setdefault(row, []).append("`{}`".format(cell.runtime))
    return "\n".join(
        "- **{} `{}`** in {}: {} *Instead:* {}".format(operation, format, ", ".join(runtimes), reason, hint)
        for (operation, format, reason, hint), runtimes in rows.items()
    )


def draw_served():
    """The table of who served what, which CI measures and compares with the README."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = re.search(r"^\| cell, api \|.*?(?=\n\n)", file.read(), re.MULTILINE | re.DOTALL)
    table = re.sub(r"-((?:no-)?hub)(?=[ \d])(?! \w)", r" \1", found.group(0)).replace("tensorflow_hub", "hub")
    return '<div class="wide" markdown>\n\n{}\n\n</div>'.format(table)


def draw_replaced():
    """The table of what stands in the place of which call, which a test compares with what is rewritten."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        found = re.search(r"^\| tensorflow_hub \| unihub \|.*?(?=\n\n)", file.read(), re.MULTILINE | re.DOTALL)
    return found.group(0)


def draw_classes():
    """The classes of errors, each with the builtin that it also is, and its first words."""
    lines = ["| class | is also a | |", "|---|---|---|"]
    for name in examples():
        cls = getattr(unihub.errors, name)
        words = cls.__doc__.partition("\n\n")[0].replace("``", "`")
        builtin = cls.__bases__[1].__name__
        lines.append("| [`{}`](errors.md#{}) | `{}` | {} |".format(name, name.lower(), builtin, words))
    return "\n".join(lines)


def draw_errors(name):
    """Each message of a class of errors, as the code makes it."""
    parts = []
    for constructor, messages in examples()[name].items():
        # Not a heading of Markdown, so that the table of contents lists the classes only.
        parts.append('<h3 id="{0}-{1}">{1}</h3>'.format(name.lower(), constructor))
        parts += ['<div class="message" markdown>\n```text\n{}\n```\n</div>'.format(text) for text in messages]
    return "\n\n".join(parts)


PARTS = {
    "matrix": draw_matrix,
    "refusals": draw_refusals,
    "served": draw_served,
    "replaced": draw_replaced,
    "classes": draw_classes,
    "errors": draw_errors,
}
