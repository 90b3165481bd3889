"""Errors about what the matrix rules out, and about conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import brief, gerund, quoted, table

if TYPE_CHECKING:
    from unihub._plan.matrix import Cell
    from unihub._plan.runtime import Runtime
    from unihub._types import Api, Format, Signature


class UnsupportedError(UnihubError, NotImplementedError):
    """This model is not supported in this runtime."""

    @classmethod
    def refused(cls, cell: Cell, path: str) -> UnsupportedError:
        import json

        return cls(
            "{} a {} model in the {} runtime is not supported ({}).".format(
                gerund(cell.operation), cell.format, cell.runtime, path
            ),
            why=cell.reason,
            # Between double quotes, as the rest of the hint is; what JSON escapes, Python reads.
            hint=cell.hint.format(path=json.dumps(path, ensure_ascii=False)),
            path=path,
            format=cell.format,
            operation=cell.operation,
            runtime=cell.runtime,
        )

    @classmethod
    def no_such_api(cls, cell: Cell, api: Optional[Api], path: str) -> UnsupportedError:
        return cls(
            "{} a {} model in the {} runtime is not supported through api={!r} ({}).".format(
                gerund(cell.operation), cell.format, cell.runtime, str(api), path
            ),
            why="The matrix has for this cell: {}.".format(cell),
            hint="leave api= out, or pass {}.".format(
                " or ".join("api={!r}".format(str(choice.api)) for choice in cell.choices)
            ),
            path=path,
            format=cell.format,
            operation=cell.operation,
            runtime=cell.runtime,
            api=api,
        )

    @classmethod
    def module_inside_function(cls, path: str) -> UnsupportedError:
        return cls(
            "a tf1-hub module cannot be used while TensorFlow traces a function ({}).".format(path),
            why="hub.Module builds graph variables; inside a function they keep random values, without an error.",
            hint="load and call it in the graph itself, outside of tf.function and, in TensorFlow 2, of tf.cond and "
            "tf.while_loop; or load it in eager TensorFlow 2 for inference.",
            path=path,
        )

    @classmethod
    def module_in_strategy(cls, path: str, strategy: str) -> UnsupportedError:
        return cls(
            "a tf1-hub module cannot be loaded in the scope of a {} ({}).".format(strategy, path),
            why="hub.Module makes plain variables of the graph, so each replica would have and train its own.",
            hint="unihub.convert({!r}, 'out') makes a TF2 SavedModel of it; load that in the scope.".format(path),
            path=path,
            strategy=strategy,
        )

    @classmethod
    def out_of_reach(cls, path: str, format: Format, strategy: str) -> UnsupportedError:
        return cls(
            "a {} model cannot be loaded in the scope of a {} ({}).".format(format, strategy, path),
            why="TensorFlow keeps the variables of a TF1 graph in the process that loads it, the coordinator, where no "
            "worker can read them.",
            hint="unihub.convert({!r}, 'out') makes a TF2 SavedModel of it; load that in the scope.".format(path),
            path=path,
            strategy=strategy,
        )

    @classmethod
    def saving_inside_function(cls) -> UnsupportedError:
        return cls(
            "a model cannot be written inside a tf.function.",
            why="The function would write it once, while it is traced, and the variables have no values there.",
            hint="call unihub.save outside of it.",
        )

    @classmethod
    def nothing_to_train(cls, path: str) -> UnsupportedError:
        return cls(
            "{} has no trainable variables, so trainable=True has nothing to train.".format(path),
            why="The model marks none of its variables as trainable; training would run and change nothing.",
            hint="load it with trainable=False; or ask its publisher for a version that can be fine-tuned.",
            path=path,
        )

    @classmethod
    def signature_is_not_trainable(cls, path: str, signature: str) -> UnsupportedError:
        return cls(
            "fine-tuning {} through its signature {!r} is not supported.".format(path, signature),
            why="A signature has no training mode, update ops or regularization losses; only calling the model "
            "itself uses them.",
            hint="leave signature= out; or load with trainable=False.",
            path=path,
            signature=signature,
        )

    @classmethod
    def not_callable(cls, path: str, signatures: Sequence[Signature]) -> UnsupportedError:
        return cls(
            "{} cannot be fine-tuned: its root object cannot be called.".format(path),
            why="It offers signatures only, and these have no training mode, update ops or losses:\n"
            + table(signatures),
            hint="load with trainable=False; or train the attributes of unihub.load(...).native yourself.",
            path=path,
        )

    @classmethod
    def converted_already(cls, path: str) -> UnsupportedError:
        return cls(
            "{} is already a TF2 SavedModel; there is nothing to convert.".format(path),
            why="Only TF1 Hub modules and TF1 SavedModels are converted, because TF2 cannot fine-tune them.",
            hint="load it directly: unihub.load({}, trainable=True).".format(quoted(path)),
            path=path,
        )

    @classmethod
    def converts_in_eager_only(cls, path: str, runtime: Runtime) -> UnsupportedError:
        return cls(
            "{} cannot be converted in the {} runtime.".format(path, runtime.mode),
            why="A TF2 SavedModel is written from TF2's functions and variables, outside of all graphs.",
            hint="call unihub.convert in a process of its own with TensorFlow 2, before anything switches v2 behavior "
            "off, and outside of tf.Graph and tf.function; then load what it wrote here.",
            path=path,
            runtime=runtime.mode,
        )

    @classmethod
    def cannot_be_converted(cls, path: str, reason: str) -> UnsupportedError:
        return cls(
            "{} cannot be converted to a TF2 SavedModel.".format(path),
            why=reason,
            hint="load it directly, for inference; or fine-tune it after tf.compat.v1.disable_v2_behavior().",
            path=path,
            reason=reason,
        )


class ConversionError(UnihubError, RuntimeError):
    """The converted model differs from the original."""

    @classmethod
    def differs(cls, path: str, signature: str, output: str, difference: float) -> ConversionError:
        return cls(
            "the converted model of {} gives different results than the original.".format(path),
            why="For the same inputs the output {!r} of the signature {!r} differs by {:.3g}; 1e-5 is allowed.".format(
                output, signature, difference
            ),
            hint="nothing was written. unihub.convert(..., check=False) writes it anyway; please report the model: "
            "this should not happen.",
            path=path,
            signature=signature,
            output=output,
            difference=difference,
        )

    @classmethod
    def does_not_run(cls, path: str, signature: str, exc: BaseException) -> ConversionError:
        return cls(
            "the converted model of {} does not run.".format(path),
            why="The original takes inputs for which the signature {!r} of the converted model raised {}: {}".format(
                signature, type(exc).__name__, brief(exc)
            ),
            hint="nothing was written. unihub.convert(..., check=False) writes it anyway; please report the model: "
            "this should not happen.",
            path=path,
            signature=signature,
        )
