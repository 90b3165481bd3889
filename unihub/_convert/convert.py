"""unihub.convert: TF1 models as TF2 SavedModels that can be fine-tuned, for the gaps of the compatibility matrix.

The stages: read the model, carry its state, turn its signatures into functions, write, and compare with the original.
The directory appears after the last stage.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, FrozenSet, Iterable, Iterator, List, Optional, Tuple, Union

from unihub import _resolve, errors
from unihub._audit import scan_cache
from unihub._audit import trust as _trust
from unihub._call import tf_errors
from unihub._convert import tf1_session, tf2_model
from unihub._convert.state import State, find_filling
from unihub._convert.tf2_model import ConvertedSignature, Variant
from unihub._graph import export_dir as _export_dir
from unihub._graph import meta_graph
from unihub._graph.unsupported import NotUnderstood
from unihub._plan.plan import choose_tags
from unihub._plan.request import parse_request
from unihub._plan.runtime import Runtime, detect_runtime
from unihub._saved_model import reader
from unihub._saved_model.conversion_report import CarriedSignature, Conversion
from unihub._saved_model.model_info import MetaGraph, ModelInfo
from unihub._tf import packages, saved_model
from unihub._tf.types import TfFunction
from unihub._types import Format, PathLike, RuntimeMode

_TOLERANCE = 1e-5

_Trust = Union[None, bool, str, Iterable[str]]
_Say = Callable[[str], None]


@dataclass(frozen=True)
class _Source:
    """The model to convert.

    Attributes:
        info: What ``inspect`` returns for it.
        tags: The variant that runs with ``training=False``.
        train_tags: The variant that runs with ``training=True``; ``None`` if there is none.
        runtime: How TensorFlow runs.
        not_carried: What could not be carried so far, a sentence each.
    """

    info: ModelInfo
    tags: FrozenSet[str]
    train_tags: Optional[FrozenSet[str]]
    runtime: Runtime
    not_carried: List[str] = field(default_factory=list)

    @property
    def meta_graph(self) -> MetaGraph:
        """The variant that runs with ``training=False``."""
        return self.info.meta_graph(self.tags)  # type: ignore[return-value]


def convert(
    handle: PathLike,
    export_dir: PathLike,
    *,
    check: bool = True,
    tags: Optional[Iterable[str]] = None,
    overwrite: bool = False,
    trust: Union[None, bool, str, Iterable[str]] = None,
    progress: Optional[Callable[[str], None]] = None,
) -> Conversion:
    """Convert a TF1 Hub module or a plain TF1 SavedModel to a TF2 SavedModel that can be fine-tuned.

    Every signature keeps its name. A call of the converted model runs the signature ``default`` (``serving_default``
    for a plain SavedModel), or the only one. Each signature is also an attribute that takes the same arguments as the
    model and returns all outputs in a dict. If the model has a ``{"train"}`` variant, ``training=True`` runs that graph
    with its update ops and ``training=False`` runs the plain graph, over the same variables. Otherwise ``training`` has
    no effect.

    Args:
        handle: As for ``load``.
        export_dir: The directory to write. It must not exist yet, or be empty.
        check: Whether to run the original and the converted model on generated inputs and compare them.
        tags: The plain variant; by default the variant that ``load`` chooses.
        overwrite: Whether to replace what is at ``export_dir``.
        trust: As for ``load``: the conversion runs the model.
        progress: A function that receives a line of text for each stage. By default the lines go to standard error,
            unless the environment variable ``UNIHUB_NO_PROGRESS`` is 1.

    Returns:
        A report of the conversion. It prints as a table, and the directory has it as ``conversion.json``.

    Raises:
        UnsupportedError: The model is a TF2 SavedModel already, TensorFlow does not run eagerly here, or something in
            the graph has no counterpart in TF2.
        ConversionError: The converted model does not give the same numbers.
        HandleError: Something is at ``export_dir`` already.
        UnihubError: Whatever ``load`` would raise.

    Example:
        >>> import tempfile, unihub
        >>> report = unihub.convert("tests/data/tf1_hub/convnet", tempfile.mkdtemp())
        >>> report.training
        'training=True runs the graph of the {train} variant, with 6 update ops.'
    """
    path = _export_dir.check(export_dir, overwrite)
    say = progress or _print_line
    source = _read(handle, tags, trust)
    say("reading    {} ({})".format(source.info.path, source.info.format))
    with _export_dir.writing(path, overwrite) as directory, _typed_errors(source):
        report = _write(source, directory, say)
        if check:
            report = replace(report, signatures=_compare(source, report.signatures, directory, say))
        report = replace(report, path=path)
        report.write(directory)
    say("written    {}".format(path))
    return report


def _print_line(line: str) -> None:
    if os.environ.get("UNIHUB_NO_PROGRESS") != "1":
        print(line, file=sys.stderr, flush=True)


def _read(handle: PathLike, tags: Optional[Iterable[str]], trust: _Trust) -> _Source:
    info = reader.inspect(_resolve.resolve(handle))
    runtime = detect_runtime()
    if info.format is Format.TF2_SAVED_MODEL:
        raise errors.UnsupportedError.converted_already(info.path)
    if runtime.mode is not RuntimeMode.TF2 or runtime.inside_function:
        raise errors.UnsupportedError.converts_in_eager_only(info.path, runtime)
    scan_cache.fill(info, scan_cache.AUDIT)
    _trust.warn(info.path, _trust.check(handle, info.path, info.unsafe_ops, _trust.parse(trust)))
    chosen = choose_tags(info, parse_request(tags=tags))
    train = chosen | {"train"}
    source = _Source(info, chosen, train if train in info.tag_sets and train != chosen else None, runtime)
    for other in info.tag_sets:
        if other not in (chosen, train):
            source.not_carried.append("the variant {{{}}}: it was not asked for.".format(", ".join(sorted(other))))
    return source


@contextlib.contextmanager
def _typed_errors(source: _Source) -> Iterator[None]:
    """Turn ``NotUnderstood``, and the errors that TensorFlow raises, into typed errors."""
    with tf_errors.loading(source):
        try:
            yield
        except NotUnderstood as exc:
            raise errors.UnsupportedError.cannot_be_converted(source.info.path, str(exc)) from exc


def _write(source: _Source, directory: str, say: _Say) -> Conversion:
    tf = packages.import_tensorflow()
    plain = Variant(source.info.path, source.tags)
    train = None if source.train_tags is None else Variant(source.info.path, source.train_tags)
    names = _find_signatures(source, plain)
    for name in sorted(set(train.signatures if train else ()) - set(plain.signatures)):
        source.not_carried.append("the signature {!r}: only the train variant has it.".format(name))
    state = _carry_state(source, [variant for variant in (plain, train) if variant is not None], names)
    say("carrying   {} variables, {} tables".format(len(state.variables), len(state.tables)))
    signatures: Dict[str, ConvertedSignature] = {}
    for name in names:
        signatures[name] = ConvertedSignature(name, plain, train, state)
        say("signature  {}, {} update ops in training".format(name, len(signatures[name].updates)))
        for old, new in sorted(signatures[name].renamed.items()):
            reason = "the name of the input {!r} of {!r}: {!r} in the signature; calls of the model take the old one."
            source.not_carried.append(reason.format(old, name, new))
        trained = train if train is not None and name in train.signatures else plain
        for variable in trained.find_without_gradient(name):
            reason = "the gradient of {} in {!r}: the graph assigns to it where a loop or branch reads it."
            source.not_carried.append(reason.format(variable, name))
    losses = _build_losses(source, train or plain, state)
    called = _choose_called(source, plain, names)
    root = tf2_model.build_root(state, signatures, called, losses)
    say("writing    {} signatures, {} regularization losses".format(len(names), len(losses)))
    tf.saved_model.save(root, directory, {name: signature.serve() for name, signature in signatures.items()})
    return Conversion(
        path=directory,
        source=source.info.path,
        format=source.info.format,
        tensorflow=packages.tensorflow_version(),
        called=called,
        training_mode=train is not None,
        signatures=tuple(CarriedSignature(name, len(each.updates)) for name, each in signatures.items()),
        variables=tuple(state.variables),
        trainable_variables=tuple(name for name, variable in state.variables.items() if variable.trainable),
        regularization_losses=len(losses),
        tables=tuple(state.tables),
        assets=tuple(sorted({os.path.basename(path) for path in state.files})),
        not_carried=tuple(source.not_carried),
    )


def _find_signatures(source: _Source, plain: Variant) -> List[str]:
    """The signatures that can run: those whose outputs need no placeholder except their inputs."""
    names = []
    for name, definition in sorted(plain.signatures.items()):
        unfed = plain.find_unfed(plain.ends(definition), definition)
        if unfed:
            reason = "the signature {!r}: it needs a value for {!r}, which is none of its inputs."
            source.not_carried.append(reason.format(name, unfed[0]))
        else:
            names.append(name)
    if not names:
        reasons = source.not_carried or ["It has no signature."]
        raise errors.UnsupportedError.cannot_be_converted(source.info.path, "\n".join(reasons))
    return names


def _carry_state(source: _Source, variants: Iterable[Variant], names: Iterable[str]) -> State:
    state = State()
    for variant in variants:
        for node, file in variant.assets(source.info.path).items():
            state.add_asset(node, file)
        nodes = variant.find_state(names)
        with tf1_session.opened(source.info.path, source.info.format, variant.tags) as session:
            values = session.values(name for name in nodes.variables if name not in state.variables)
            for name, value in values.items():
                state.add_variable(nodes.variables[name], value, name in variant.trainable)
            for name in [name for name in nodes.tables if name not in state.tables]:
                # The contents of a table that no op fills come from the checkpoint, if it has any.
                is_filled = find_filling(variant.graph_def, name)
                state.add_table(name, variant.graph_def, None if is_filled else session.contents(name))
        for name in variant.custom_gradients:
            source.not_carried.append("the gradient of {}, written in Python: that of its ops holds.".format(name))
    return state


def _build_losses(source: _Source, variant: Variant, state: State) -> List[TfFunction]:
    losses = []
    for name in variant.losses:
        if variant.find_unfed([name]):
            source.not_carried.append("the regularization loss {}: it depends on inputs of the model.".format(name))
        else:
            losses.append(variant.loss(state, name))
    return losses


def _choose_called(source: _Source, plain: Variant, names: List[str]) -> Optional[str]:
    """The signature that a call of the model runs; ``None`` if it has no inputs, or if several could be meant."""
    preferred = ["default"] if source.info.format is Format.TF1_HUB else ["serving_default", "default"]
    candidates = [name for name in preferred if name in names] or (names if len(names) == 1 else [])
    return candidates[0] if candidates and plain.signatures[candidates[0]].inputs else None


def _compare(
    source: _Source, signatures: Iterable[CarriedSignature], directory: str, say: _Say
) -> Tuple[CarriedSignature, ...]:
    """Run the original and the converted model, and raise an error if they differ."""
    # numpy comes with TensorFlow, and without TensorFlow ``convert`` raises a typed error before it gets here.
    from unihub._convert.verify import compare, make_examples

    # Keep a reference: the variables are deleted with the loaded object.
    converted = saved_model.load_saved_model(directory, None, None)
    declared = {signature.name: signature for signature in source.meta_graph.signatures}
    sizes = {size for variable in source.meta_graph.variables for size in variable.shape or () if size}
    examples = make_examples(meta_graph.read_variant(source.info.path, source.tags).graph_def)
    compared = []
    with tf1_session.opened(source.info.path, source.info.format, source.tags) as original:
        for signature in signatures:
            function = converted.signatures[signature.name]
            result = compare(original, function, declared[signature.name], sizes, examples)
            if result.failure is not None:
                raise errors.ConversionError.does_not_run(
                    source.info.path, signature.name, result.failure
                ) from result.failure
            signature = replace(signature, difference=result.difference, not_compared=result.reason)
            say("comparing  {}".format(signature))
            if result.difference is not None and not result.difference <= _TOLERANCE:
                raise errors.ConversionError.differs(source.info.path, signature.name, result.output, result.difference)
            compared.append(signature)
    return tuple(compared)
