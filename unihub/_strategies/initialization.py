"""Initializing a session's graph without overwriting the variables that have a value."""

from __future__ import annotations

from typing import List, Sequence

from unihub import errors
from unihub._tf import packages
from unihub._tf.types import ArrayValue, Session, TfVariable


def initialize(session: Session) -> None:
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


def _assign(session: Session, variables: Sequence[TfVariable], values: Sequence[ArrayValue]) -> None:
    """Assigns values by new ops: ``Variable.load`` feeds the initializer, which several variables may share."""
    v1 = packages.import_tensorflow().compat.v1
    with session.graph.as_default():
        placeholders = [v1.placeholder(variable.dtype.base_dtype, variable.shape) for variable in variables]
        session.run([v1.assign(*pair) for pair in zip(variables, placeholders)], dict(zip(placeholders, values)))


def _overwritten_by(waiting: Sequence[TfVariable], initialized: Sequence[TfVariable]) -> List[TfVariable]:
    """The variables with a value that share an initializer with a variable without one.

    The variables of a TF1-style model share one op that restores them all. Running it for one variable overwrites the
    trained values of the others.
    """
    ran = {id(variable.initializer) for variable in waiting}
    return [variable for variable in initialized if id(variable.initializer) in ran]
