"""The plan: what ``load`` will do with a model, and why.

A plan is made from values only: the ``ModelInfo``, the ``Runtime`` and the ``Request``. So it can be made for another
machine, and loads nothing. Unsupported requests are refused here, before TensorFlow does any work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Tuple

from unihub import errors
from unihub._plan import matrix
from unihub._plan.matrix import Cell, Service
from unihub._plan.request import Request
from unihub._plan.runtime import Runtime
from unihub._saved_model.model_info import MetaGraph, ModelInfo, Totals
from unihub._types import Api, Backend, Format, Keras, Signature, Use

if TYPE_CHECKING:
    from unihub._strategies.model import Model

_TRAIN = frozenset({"train"})
_SERVE = frozenset({"serve"})


@dataclass(frozen=True)
class Plan:
    """What ``load`` does with a model, and why.

    Attributes:
        handle: The handle as the user gave it.
        source: What the strategy loads: the path of a directory, a callable or a ``hub.ModuleSpec``.
        info: What ``inspect`` read from the model.
        runtime: How TensorFlow runs.
        request: The arguments of ``load``.
        cell: The row of the matrix that allows it.
        api: The upstream call that the strategy stands for.
        keras: Which Keras the layer belongs to; ``None`` unless ``api`` is ``keras``.
        backend: Who does the work.
        strategy: How the backend does it: a name in ``matrix.STRATEGIES``, such as ``hub-load``.
        tags: The graph variant that is loaded.
        signature: The signature that is called; ``None`` when the model itself is called.
        use: What the loaded subset is for; ``None`` when the full model is loaded.
        reasons: Why, one sentence each.
    """

    handle: Any
    source: Any
    info: ModelInfo
    runtime: Runtime
    request: Request
    cell: Cell
    api: Api
    keras: Optional[Keras]
    backend: Backend
    strategy: str
    tags: FrozenSet[str]
    signature: Optional[Signature]
    use: Optional[Use]
    reasons: Tuple[str, ...]

    @property
    def meta_graph(self) -> MetaGraph:
        """The variant of the model that is loaded."""
        return _variant(self.info, self.tags)

    @property
    def is_python_object(self) -> bool:
        """Whether the handle is a callable or a ``hub.ModuleSpec``, which has no files."""
        return self.source is not self.info.path

    def import_loader(self) -> Callable[[Plan], Model]:
        """Import the strategy, and return its function that loads a plan."""
        load: Callable[[Plan], Model] = matrix.import_strategy(self.strategy).load
        return load

    @property
    def trainable_totals(self) -> Totals:
        """The size of what training changes; zero unless the model is loaded for fine-tuning."""
        return Totals.of(variable for variable in self.meta_graph.variables if self._is_trained(variable))

    @property
    def frozen_totals(self) -> Totals:
        """The size of what training leaves unchanged."""
        return Totals.of(variable for variable in self.meta_graph.variables if not self._is_trained(variable))

    def _is_trained(self, variable: Any) -> bool:
        return self.request.trainable and bool(variable.trainable)

    def rows(self) -> List[Tuple[str, List[str]]]:
        """The plan as a table: labels, and the lines beside each."""
        return [
            ("model", [self.info.path]),
            ("format", [str(self.info.format)]),
            ("runtime", [str(self.runtime)]),
            ("operation", [str(self.request.operation)]),
            ("api", ["{} ({}), served by {}".format(self.api, self.cell, self.backend)]),
            ("variant", ["{{{}}}".format(", ".join(sorted(self.tags)))]),
            ("signature", [str(self.signature or "the model itself")]),
            ("trainable", [str(self.trainable_totals)]),
            ("frozen", [str(self.frozen_totals)]),
            ("why", list(self.reasons)),
        ]

    def to_dict(self) -> Dict[str, Any]:
        """The same as plain lists, dicts, texts and numbers, fit for JSON. Keys are only ever added to it."""
        return {
            "handle": str(self.handle),
            "path": self.info.path,
            "format": str(self.info.format),
            "runtime": self.runtime.to_dict(),
            "operation": str(self.request.operation),
            "api": str(self.api),
            "choices": [choice.call for choice in self.cell.choices],
            "keras": None if self.keras is None else str(self.keras),
            "backend": str(self.backend),
            "strategy": self.strategy,
            "tags": sorted(self.tags),
            "signature": None if self.signature is None else self.signature.name,
            "loads_part": None if self.use is None else str(self.use),
            "trainable": self.trainable_totals.to_dict(),
            "frozen": self.frozen_totals.to_dict(),
            "reasons": list(self.reasons),
        }

    def __str__(self) -> str:
        lines = [(label, value) for label, values in self.rows() for value in values]
        return "\n".join("{:<10} {}".format(*line) for line in lines)


def decide(handle: Any, source: Any, info: ModelInfo, runtime: Runtime, request: Request) -> Plan:
    """Decides what to do with a model: which row of the matrix, which api, who serves it, which variant and signature.

    Args:
        handle: The handle as the user gave it.
        source: What is loaded.
        info: What ``inspect`` read from the model.
        runtime: How TensorFlow runs.
        request: What the caller asked for.

    Returns:
        The plan.

    Raises:
        UnsupportedError: The matrix refuses it, or the model cannot be trained.
        RuntimeUnavailableError: The matrix allows it, and the package that serves it is missing or of a wrong version.
        TagsError: There is no such variant.
        SignatureError: There is no such signature.
    """
    path = info.path
    cell = matrix.lookup(info.format, request.operation, runtime.mode, runtime.tensorflow)
    if not cell.supported:
        raise errors.UnsupportedError.refused(cell, path)
    if cell.choice(request.api) is None:
        raise errors.UnsupportedError.no_such_api(cell, request.api, path)
    if cell.choice(Api.MODULE) and runtime.inside_function:
        raise errors.UnsupportedError.module_inside_function(path)
    tags = choose_tags(info, request)
    signature = choose_signature(info, _variant(info, tags), request)
    _check_trainable(info, _variant(info, tags), signature, request)
    service = choose_served_api(cell, request, runtime)
    _check_distribution(info, service.api, runtime)
    _check_layer_options(service.api, request)
    use, loaded = None, ()  # type: Optional[Use], Tuple[str, ...]
    if source is path:
        use, loaded = choose_use(info, _variant(info, tags), service.api, signature, request)
    return Plan(
        handle=handle,
        source=source,
        info=info,
        runtime=runtime,
        request=request,
        cell=cell,
        api=service.api,
        keras=service.keras,
        backend=service.backend,
        strategy=service.strategy,
        tags=tags,
        signature=signature,
        use=use,
        reasons=_explain(info, request, cell, tags, signature, service) + loaded,
    )


def choose_served_api(cell: Cell, request: Request, runtime: Runtime) -> Service:
    """The service for the requested api; by default for the first choice of the cell that has one here."""
    missing = None
    for choice in cell.choices:
        if request.api in (None, choice.api):
            keras = (request.keras or runtime.keras) if choice.api is Api.KERAS else None
            try:
                return choose_backend(choice.api, keras, runtime)
            except errors.RuntimeUnavailableError as exc:
                # The user needs to know what the first choice of the matrix lacks.
                missing = missing or exc
    raise missing or errors.UnsupportedError.refused(cell, cell.format)


def choose_backend(
    api: Api, keras: Optional[Keras], runtime: Runtime, services: Iterable[Service] = matrix.SERVICES
) -> Service:
    """The first service whose need is met; without one, what the last one lacks is the error."""
    missing = None
    for service in services:
        if service.api is api and service.keras is keras and runtime.mode in service.runtimes:
            missing = _missing(service, runtime)
            if missing is None:
                return service
    raise missing or errors.RuntimeUnavailableError.no_layer_for(keras, runtime)


def _missing(service: Service, runtime: Runtime) -> Optional[errors.RuntimeUnavailableError]:
    """What a service needs of tensorflow_hub and does not find."""
    if service.needs is None or service.needs in runtime.hub_offers:
        return None
    if runtime.tensorflow_hub is None or runtime.hub_problem is not None:
        problem = runtime.hub_problem or "ModuleNotFoundError: No module named 'tensorflow_hub'"
        return errors.RuntimeUnavailableError.no_tensorflow_hub(problem, runtime.tensorflow_hub)
    return errors.RuntimeUnavailableError.no_hub_attribute(service.needs, runtime.tensorflow_hub)


def choose_tags(info: ModelInfo, request: Request) -> FrozenSet[str]:
    """The graph variant: the one asked for; else ``{"train"}`` for fine-tuning, if there is one; else the plain one."""
    if request.tags is not None:
        _variant(info, request.tags)
        if "train" in request.tags and not request.trainable:
            raise errors.TagsError.train_variant_is_frozen(info.path, request.tags)
        return request.tags
    if request.trainable and _TRAIN in info.tag_sets:
        return _TRAIN
    plain = [tags for tags in (frozenset(), _SERVE) if tags in info.tag_sets]
    if plain:
        return plain[0]
    if len(info.tag_sets) == 1:
        return info.tag_sets[0]
    raise errors.TagsError.required(info.path, info.tag_sets)


def choose_signature(info: ModelInfo, meta_graph: MetaGraph, request: Request) -> Optional[Signature]:
    """The signature that is called; ``None`` when the model itself is, or when none is chosen before the call."""
    known = {signature.name: signature for signature in meta_graph.signatures}
    if request.signature is not None:
        if request.signature not in known:
            raise errors.SignatureError.unknown(info.path, request.signature, meta_graph.signatures)
        return known[request.signature]
    if info.format is Format.TF1_HUB:
        preferred = ["default"]
    elif meta_graph.call is not None:
        return None
    else:
        preferred = ["serving_default", "default"]
    for name in preferred + (list(known) if len(known) == 1 else []):
        if name in known:
            return known[name]
    # Who asks for an upstream call by name may mean to name the signature at the call, or to use the attributes only.
    if request.api in (Api.MODULE, Api.LOAD) or (request.api is None and not known):
        return None
    raise errors.SignatureError.required(info.path, meta_graph.signatures)


def _variant(info: ModelInfo, tags: FrozenSet[str]) -> MetaGraph:
    meta_graph = info.meta_graph(tags)
    if meta_graph is None:
        raise errors.TagsError.unknown(info.path, tags, info.tag_sets)
    return meta_graph


def _check_trainable(info: ModelInfo, meta_graph: MetaGraph, signature: Optional[Signature], request: Request) -> None:
    """Refuses to fine-tune what has nothing to train, or no way to train it."""
    if not request.trainable:
        return
    if info.format is Format.TF2_SAVED_MODEL and meta_graph.call is None:
        raise errors.UnsupportedError.not_callable(info.path, meta_graph.signatures)
    if info.format is Format.TF2_SAVED_MODEL and signature is not None:
        raise errors.UnsupportedError.signature_is_not_trainable(info.path, signature.name)
    # An object, or a module spec, lists no variables here; its strategy looks once more.
    if meta_graph.variables and not any(variable.trainable for variable in meta_graph.variables):
        raise errors.UnsupportedError.nothing_to_train(info.path)


def _check_layer_options(api: Api, request: Request) -> None:
    for option in request.layer_options:
        if api is not Api.KERAS:
            known = ["trainable", "signature", "tags", "output_key", "as_dict", "api", "keras", "name"]
            known += ["load_options", "collections", "full", "reuse", "trust", "custom_op_libraries", "offline"]
            raise errors.InputError.unknown_option(option, known)


def _check_distribution(info: ModelInfo, api: Api, runtime: Runtime) -> None:
    """Refuses a model whose variables the ``tf.distribute`` strategy of this scope cannot hold."""
    if runtime.distribution is None:
        return
    if api is Api.MODULE:
        raise errors.UnsupportedError.module_in_strategy(info.path, runtime.distribution)
    if info.format is not Format.TF2_SAVED_MODEL and runtime.remote_workers:
        raise errors.UnsupportedError.out_of_reach(info.path, info.format, runtime.distribution)


# Below these sizes, the full model loads faster than its subset is cut.
_FEW_FUNCTIONS = 24
_FEW_NODES = 1000


def choose_use(
    info: ModelInfo, meta_graph: MetaGraph, api: Api, signature: Optional[Signature], request: Request
) -> Tuple[Optional[Use], Tuple[str, ...]]:
    """What the model is loaded for, where the caller has said it and something is gained by it; and why."""
    is_layer = api is Api.KERAS
    if api is Api.MODULE or not (is_layer or request.signature):
        return None, ()
    if request.full:
        return None, ("the full model is loaded: full=True.",)
    is_small = not meta_graph.contents.has_functions(_FEW_FUNCTIONS) and (
        meta_graph.has_object_graph or not meta_graph.contents.has_nodes(_FEW_NODES)
    )
    if is_small or (meta_graph.has_object_graph and len(info.meta_graphs) > 1):
        return None, ("the full model is loaded: it is small.",)
    use = Use(signature.name if signature else None, is_layer)
    return use, ("only a subset is loaded, for {}; full=True loads the full model.".format(use),)


_FIRST = "the matrix's first choice for this cell"
_NEXT = "the matrix's next choice for this cell; {} cannot be served here"


def _explain(
    info: ModelInfo,
    request: Request,
    cell: Cell,
    tags: FrozenSet[str],
    signature: Optional[Signature],
    service: Service,
) -> Tuple[str, ...]:
    reasons = []
    if request.api is None:
        first = service.api is cell.choices[0].api
        reasons.append("api={}: {}.".format(service.api, _FIRST if first else _NEXT.format(cell.choices[0].api)))
    if service.backend is Backend.UNIHUB and service.api is Api.LOAD:
        reasons.append("hub.load is tf.saved_model.load on a resolved directory, so tensorflow_hub is not needed.")
    if request.tags is None and request.trainable and tags == _TRAIN:
        reasons.append("variant {train}: fine-tuning needs its update ops and losses.")
    elif request.trainable and info.format is Format.TF1_HUB and tags != _TRAIN:
        reasons.append("variant without 'train': the model runs in inference mode while it is trained.")
    if request.signature is None and signature is not None:
        reasons.append("signature {}: none was asked for.".format(signature.name))
    return tuple(reasons) + (info.notes if request.trainable else ())
