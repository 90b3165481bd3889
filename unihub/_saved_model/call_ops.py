"""The ops that run functions of a graph's library."""

from __future__ import annotations

# Each calls one function, which its attribute ``f`` names.
CALLS = ("PartitionedCall", "StatefulPartitionedCall")

# Each chooses between functions. Their first input is the choice; the functions take the others.
BRANCHES = frozenset(["Case", "If", "StatelessCase", "StatelessIf"])

LOOPS = frozenset(["StatelessWhile", "While"])

CONTROL_FLOW = BRANCHES | LOOPS
