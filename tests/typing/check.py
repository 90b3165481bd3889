"""What type checkers and editors see of unihub: mypy, pyright and jedi on a user's program.

Run in the session ``lint``, where unihub is installed: ``python tests/typing/check.py``. It prints each difference and
ends with 1 if there is one.
"""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

PROGRAM = Path(__file__).with_name("user_program.py")


def expected() -> Dict[int, str]:
    """The types that the program's comments name, by line."""
    lines = enumerate(PROGRAM.read_text(encoding="utf-8").splitlines(), 1)
    named = {number: re.search(r"reveal_type\(.*\)  # (.*)$", line) for number, line in lines}
    return {number: match.group(1) for number, match in named.items() if match}


def plain(type_name: str) -> str:
    """A type as the comments write it: without modules, and with the names that Python 3.9 gave the containers."""
    short = re.sub(r"(?:\b\w+\.)+(\w+)", r"\1", type_name)
    short = re.sub(r"\b(Tuple|Dict|List|FrozenSet)\[", lambda match: match.group(1).lower() + "[", short)
    short = re.sub(r"Optional\[([^\[\]]*(?:\[[^\[\]]*\])?)\]", r"\1 | None", short)
    short = re.sub(r"(?:def )?\((?:\*Any, \*\*Any|\.\.\.)\) -> (dict\[\w+, \w+\]|\w+)", r"Callable[..., \1]", short)
    return re.sub(r"(?:def )?\(\) -> (\w+)", r"Callable[[], \1]", short)


def mypy() -> Dict[int, str]:
    """What mypy reveals; its errors under the lines they are in."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", str(PROGRAM)], capture_output=True, text=True
    )
    found = re.findall(r"\.py:(\d+): (error|note): (.*)$", done.stdout, flags=re.MULTILINE)
    revealed = {int(line): text for line, kind, text in found if kind == "error" or "Revealed type" in text}
    return {line: plain(re.sub(r'^Revealed type is "(.*)"$', r"\1", text)) for line, text in revealed.items()}


def pyright() -> Dict[int, str]:
    """What pyright reveals; its errors under the lines they are in."""
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", str(PROGRAM)], capture_output=True, text=True
    )
    revealed = {}
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        shown = re.match(r'Type of ".*" is "(.*)"$', each["message"], flags=re.DOTALL)
        line = each["range"]["start"]["line"] + 1
        revealed[line] = plain(shown.group(1)) if shown else each["message"]
    return revealed


def compare(name: str, revealed: Dict[int, str]) -> List[str]:
    """Each line where a checker does not see what the program says."""
    wanted = expected()
    return [
        "{}: line {}: expected {}, got {}".format(
            name, line, wanted.get(line, "nothing"), revealed.get(line, "nothing")
        )
        for line in sorted({*wanted, *revealed})
        if wanted.get(line) != revealed.get(line, "")
    ]


def jedi() -> List[str]:
    """Each public function whose arguments an editor does not show."""
    import jedi as _jedi

    import unihub

    differences = []
    for name in unihub.__all__:
        value = getattr(unihub, name)
        if not inspect.isfunction(value):
            continue
        shown = _jedi.Script("import unihub\nunihub.{}(".format(name)).get_signatures()
        names = [each.name for each in shown[0].params] if shown else []
        # jedi lists in the place of **options what the function passes them on to.
        named = [
            each.name for each in inspect.signature(value).parameters.values() if each.kind is not each.VAR_KEYWORD
        ]
        if [each for each in names if each in named] != named:
            differences.append("jedi: unihub.{} shows {}".format(name, names))
    completed = {each.name for each in _jedi.Script("import unihub\nunihub.").complete()}
    missing = set(unihub.__all__) - completed
    return differences + ["jedi: unihub. does not complete {}".format(name) for name in sorted(missing)]


if __name__ == "__main__":
    problems = [*compare("mypy", mypy()), *compare("pyright", pyright()), *jedi()]
    print("\n".join(problems) or "mypy, pyright and jedi see {} types as the program says".format(len(expected())))
    sys.exit(1 if problems else 0)
