"""Mutation testing: changes a module in small ways, and shows which changes no unit test notices.

Run it by hand, for example::

    python tests/mutation --modules _resolve/cache _resolve/lock --per-module 25

Tests are those of ``tests/unit/<folder>/test_<module>.py``; ``tests.json`` names others, and the modules that are run
by default. ``equivalent.json`` lists mutants that change nothing that a test could see, each with the reason. Needs
POSIX and Python 3.9; the modules that call TensorFlow need TensorFlow.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

import mutants
import runner

HERE = Path(__file__).resolve().parent
EXPECTED = ("module", "before", "after", "reason")


def main() -> int:
    """Runs the mutants and prints the survivors."""
    arguments = _parse()
    tests = json.loads((HERE / "tests.json").read_text(encoding="utf-8"))
    chosen = []
    for module in arguments.modules or list(tests):
        source = (runner.ROOT / "unihub" / (module + ".py")).read_text(encoding="utf-8")
        every = mutants.of_module(module, source)
        equivalent = _equivalent(module, every)
        picked = mutants.choose(every, arguments.per_module, arguments.seed)
        files = arguments.tests or tests.get(module) or [_mirrored(module)]
        chosen += [(mutant, files) for mutant in picked if (mutant.before, mutant.after) not in equivalent]
    counts: Dict[str, List[int]] = {}
    try:
        for mutant, is_killed, seconds in runner.run(chosen, arguments.jobs):
            killed, total = counts.get(mutant.module, [0, 0])
            counts[mutant.module] = [killed + is_killed, total + 1]
            if not is_killed or arguments.verbose:
                print("{:8} {:5.1f} s  {}".format("killed" if is_killed else "SURVIVED", seconds, mutant), flush=True)
    except runner.BrokenTests as error:
        print(error, file=sys.stderr)
        return 2
    return _report(counts, arguments.at_least)


def _parse() -> Any:
    parser = argparse.ArgumentParser(prog="tests/mutation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--modules", nargs="+", metavar="MODULE", help="such as _resolve/cache; all of tests.json")
    parser.add_argument("--tests", nargs="+", metavar="PATH", help="the tests to run in place of the modules' own")
    parser.add_argument("--per-module", type=int, default=25, metavar="N", help="mutants of each; 0 for all (25)")
    parser.add_argument("--seed", type=int, default=0, help="for the choice of mutants (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--at-least", type=float, default=0, metavar="PERCENT", help="fail below this score")
    parser.add_argument("--verbose", action="store_true", help="show the killed ones too")
    return parser.parse_args()


def _mirrored(module: str) -> str:
    folder, _, name = module.rpartition("/")
    return str(Path("tests", "unit", folder, "test_{}.py".format(name.lstrip("_"))))


def _equivalent(module: str, every: Sequence[mutants.Mutant]) -> List[Any]:
    """The changes of a module that no test can see; those that are listed and gone are reported."""
    listed = [dict(zip(EXPECTED, entry)) for entry in json.loads((HERE / "equivalent.json").read_text("utf-8"))]
    changes = [(entry["before"], entry["after"]) for entry in listed if entry["module"] == module]
    known = {(mutant.before, mutant.after) for mutant in every}
    for before, after in changes:
        if (before, after) not in known:
            print("equivalent.json: {} has no more  {}  ->  {}".format(module, before, after))
    return changes


def _report(counts: Dict[str, List[int]], at_least: float) -> int:
    killed, total = (sum(count[index] for count in counts.values()) for index in (0, 1))
    for module, count in [*counts.items(), ("all", [killed, total])]:
        print("{:40} {:4} of {:4} killed, {:5.1f} %".format(module, *count, 100 * count[0] / max(1, count[1])))
    return int(100 * killed < at_least * total)


if __name__ == "__main__":
    sys.exit(main())
