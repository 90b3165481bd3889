"""Initializing a session's graph without overwriting the variables that have a value."""

from __future__ import annotations

from typing import Any, List, Sequence

from unihub import errors
from unihub._tf import packages


def initialize(session: Any) -> None:
    """Runs the table initializers, and the initializers of the variables without a value, of a session's graph."""
    v1 = packages.import_tensorflow().compat.v1
    if session.graph.finalized:
        raise errors.InputError.finalized_graph()
    with session.graph.as_default():
        variables = v1.global_variables() + v1.local_variables()
        checks = [v1.is_variable_initialized(variable) for variable in variables]
        tables = v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS)
    known = session.run(checks)
    waiting = [variable for variable, done in zip(variables, known) if not done]
    kept = _overwritten_by(waiting, [variable for variable, done in zip(variables, known) if done])
    values = session.run(kept)
    # An initializer may read a table, or another variable's initial value.
    session.run(tables)
    session.run([variable.initializer for variable in waiting])
    _assign(session, kept, values)


def _assign(session: Any, variables: Sequence[Any], values: Sequence[Any]) -> None:
    """Gives variables values by ops of their own: Variable.load() goes through the initializer, which is shared."""
    v1 = packages.import_tensorflow().compat.v1
    with session.graph.as_default():
        places = [v1.placeholder(variable.dtype.base_dtype, variable.shape) for variable in variables]
        session.run([v1.assign(*pair) for pair in zip(variables, places)], dict(zip(places, values)))


def _overwritten_by(waiting: Sequence[Any], initialized: Sequence[Any]) -> List[Any]:
    """The variables that have a value and share an initializer with one that has none.

    The variables of a TF1-style model share one op that restores them all, so running it for one would put the
    pretrained weights over the trained ones of the others.
    """
    ran = {id(variable.initializer) for variable in waiting}
    return [variable for variable in initialized if id(variable.initializer) in ran]
