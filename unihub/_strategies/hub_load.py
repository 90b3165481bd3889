"""What ``hub.load`` stands for: a SavedModel as an object whose functions can be called.

``hub.load`` is ``tf.saved_model.load`` on a resolved directory, so that is called here. What it leaves undone is done:
in graphs the variables, update ops and losses go to the collections, no restore op hides among the table initializers,
and calls are plain ops; variables that the object does not list are found through what its functions capture.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence

from unihub import errors
from unihub._call import tf_errors
from unihub._call.inline_call import call_inlined, pack_outputs
from unihub._call.signature_call import bind_inputs, select_output
from unihub._call.trace_matching import match
from unihub._partial import loader
from unihub._plan.plan import Plan
from unihub._plan.runtime import building_function
from unihub._strategies import distribution
from unihub._strategies.loaded_model import WrappedModel
from unihub._strategies.session_model import SessionModel
from unihub._tf import ops, packages
from unihub._tf.functions import argument_names, call_flat, restored_call
from unihub._tf.strategy import current_strategy
from unihub._types import Format, RuntimeMode, Signature, Use

_REFERENCE_VARIABLES = frozenset({"Variable", "VariableV2"})


class HubLoad(WrappedModel):
    """A model loaded as an object."""

    @classmethod
    def load(cls, plan: Plan) -> WrappedModel:
        """Loads the model of a plan."""
        if plan.source is not plan.info.path:
            return cls(plan, plan.source)
        if _hides_variables(plan):
            return _run_whole(plan)
        native = distribution.load_once(lambda: _load_native(plan))
        return _run_whole(plan) if native is None else cls(plan, native)

    def __init__(self, plan: Plan, native: Any) -> None:
        super().__init__(plan, native)
        self.signatures = getattr(native, "signatures", {})
        self.variables = _find_variables(native)
        self.weights_to_train = self._find_weights_to_train()
        self.losses_to_train = [self._wrap_loss(loss) for loss in getattr(native, "regularization_losses", ())]
        self.trainable_variables = self.weights_to_train if plan.request.trainable else []
        self.regularization_losses = self.losses_to_train if plan.request.trainable else []
        if plan.request.trainable:
            self._prepare_training()
        if plan.runtime.inside_function:
            # The functions that capture the variables do not keep them alive.
            _keep_alive(self)

    def apply(self, inputs: Any, training: bool, arguments: Mapping[str, Any]) -> Any:
        """Calls the signature of the plan, or the model itself."""
        if self.plan.signature is not None:
            outputs = self._call_signature(self.plan.signature, inputs)
            return select_output(outputs, *self._selection())
        outputs = self._call_itself(inputs, training, arguments)
        if self.plan.request.output_key is None and not self.plan.request.as_dict:
            return outputs
        return select_output(_name_outputs(outputs), *self._selection())

    def _selection(self) -> Sequence[Any]:
        request, signature = self.plan.request, self.plan.signature
        what = "the signature {!r}".format(signature.name) if signature else self.info.path
        return request.output_key, request.as_dict, what

    def _call_signature(self, signature: Signature, inputs: Any) -> Mapping[str, Any]:
        function = self.native.signatures[signature.name]
        tensors = _flatten_composites(bind_inputs(signature, inputs))
        in_order = [tensors[name] for name in sorted(tensors)]
        outputs: Mapping[str, Any]
        if self.info.format is Format.TF2_SAVED_MODEL and not (self._graph is None or building_function()):
            outputs = self._inline(function, in_order)
        elif signature.is_dense:
            if self.info.format is not Format.TF2_SAVED_MODEL:
                in_order = [tensors[name] for name in argument_names(function)]
            outputs = call_flat(function, in_order)
        else:
            outputs = function(**tensors)
        return outputs

    def _call_itself(self, inputs: Any, training: bool, arguments: Mapping[str, Any]) -> Any:
        call = self.plan.meta_graph.call
        if call is None:
            raise errors.SignatureError.required(self.info.path, self.plan.meta_graph.signatures)
        if call.takes_training:
            arguments = dict(arguments, training=training)
        function = restored_call(self.native)
        if function is None:
            return self.native(inputs, **arguments)
        concretes = function.concrete_functions
        try:
            found = match(self.info.path, call.arguments, concretes, inputs, arguments)
        except errors.InputError:
            # A function may have been traced with training left out.
            if training or not call.takes_training:
                raise
            without = {name: value for name, value in arguments.items() if name != "training"}
            found = match(self.info.path, call.arguments, concretes, inputs, without)
        if self._graph is None or building_function():
            return found.call(function)
        return self._inline(found.concrete, found.tensors, updates=training)

    def _inline(self, concrete: Any, tensors: Sequence[Any], updates: bool = False) -> Any:
        name = self.plan.request.name or "module"
        inlined = call_inlined(concrete, tensors, name + "_apply")
        if updates and ops.control_flow_context() is not None:
            # Whoever waited for an op in a branch that is not taken, as Keras makes them where training is not told,
            # would never run.
            tf = packages.import_tensorflow()
            with tf.control_dependencies(inlined.updates):
                return pack_outputs(concrete, [tf.identity(output) for output in inlined.outputs])
        if updates:
            self.update_ops.extend(inlined.updates)
            if self.plan.request.collections:
                ops.add_to_collection(_keys().UPDATE_OPS, inlined.updates)
        return pack_outputs(concrete, inlined.outputs)

    def _find_weights_to_train(self) -> List[Any]:
        if self.plan.signature is not None:
            return []
        if hasattr(self.native, "trainable_variables"):
            return list(self.native.trainable_variables)
        return [variable for variable in self.variables if variable.trainable]

    def _wrap_loss(self, loss: Any) -> Callable[[], Any]:
        if self._graph is None or not hasattr(loss, "concrete_functions"):
            return loss  # type: ignore[no-any-return]
        return functools.lru_cache(maxsize=None)(functools.partial(self._inline, loss.concrete_functions[0], ()))

    def _prepare_training(self) -> None:
        if not self.weights_to_train:
            raise errors.UnsupportedError.nothing_to_train(self.info.path)
        if self._graph is not None and self.plan.request.collections:
            keys = _keys()
            ops.add_to_collection(keys.GLOBAL_VARIABLES, self.variables)
            ops.add_to_collection(keys.TRAINABLE_VARIABLES, self.weights_to_train)
            ops.add_to_collection(keys.REGULARIZATION_LOSSES, [loss() for loss in self.losses_to_train])


def _load_native(plan: Plan) -> Optional[Any]:
    """What TensorFlow makes of a SavedModel; ``None`` for a TF1 graph that it cannot take apart."""
    with tf_errors.loading(plan):
        try:
            with _scope_of_variables(plan), distribution.averaging(plan):
                return loader.load(plan)
        except Exception as exc:
            if plan.info.format is Format.TF2_SAVED_MODEL or not tf_errors.is_unliftable(exc):
                raise
            return _load_signature(plan)


def _hides_variables(plan: Plan) -> bool:
    """Whether TensorFlow would leave the variables of a TF1 graph inside its functions, where no initializer runs.

    It does so, in graphs, with variables of reference type, as TF1 made them by default.
    """
    if plan.runtime.mode is RuntimeMode.TF2 or plan.meta_graph.has_object_graph:
        return False
    return bool(_REFERENCE_VARIABLES & plan.meta_graph.ops)


def _load_signature(plan: Plan) -> Optional[Any]:
    """What the signature that was asked for needs of a TF1 graph, which may load where the whole does not."""
    if plan.request.signature is None or plan.request.full or plan.use is not None or plan.signature is None:
        return None
    with _scope_of_variables(plan):
        return loader.load_subset(plan, Use(plan.signature.name, layer=False))


def _run_whole(plan: Plan) -> SessionModel:
    """A TF1 graph that cannot be taken apart into functions can still be run whole, as TF1 does."""
    return SessionModel.load(plan)


@contextlib.contextmanager
def _scope_of_variables(plan: Plan) -> Iterator[None]:
    """Where the variables are made: outside of a function, or in a graph under a name scope of the model's own."""
    tf = packages.import_tensorflow()
    if plan.runtime.mode is RuntimeMode.TF2:
        strategy = current_strategy()
        with contextlib.ExitStack() as stack:
            stack.enter_context(tf.init_scope())
            if strategy is not None and not tf.distribute.has_strategy():
                # Outside of the function that a replica runs, its strategy is nobody's.
                stack.enter_context(strategy.scope())
            yield
        return
    with tf.compat.v1.name_scope(plan.request.name or "module"), _no_restore_among_tables():
        yield
    distribution.leave_to_strategy()


@contextlib.contextmanager
def _no_restore_among_tables() -> Iterator[None]:
    """Takes the op that restores the variables out of the table initializers.

    TensorFlow 1.15 to 2.4 put it there for TF1-style models. An Estimator runs the table initializers after it has
    restored its checkpoint, and so would go on with the pretrained weights. The variables have it as initializer.
    """
    v1 = packages.import_tensorflow().compat.v1
    tables = v1.get_collection_ref(_keys().TABLE_INITIALIZERS)
    known = len(tables)
    yield
    restores = {id(variable.initializer) for variable in v1.global_variables()}
    tables[known:] = [op for op in tables[known:] if id(op) not in restores]


def _keys() -> Any:
    return packages.import_tensorflow().compat.v1.GraphKeys


def _find_variables(native: Any) -> List[Any]:
    """The variables an object lists, else those its functions capture."""
    if hasattr(native, "variables"):
        return list(native.variables)
    functions = list(getattr(native, "signatures", {}).values())
    function = restored_call(native)
    if function is not None:
        functions = list(function.concrete_functions) + functions
    found: Dict[int, Any] = {}
    for concrete in functions:
        for variable in concrete.graph.variables:
            found.setdefault(id(variable), variable)
    return list(found.values())


def _flatten_composites(tensors: Dict[str, Any]) -> Dict[str, Any]:
    """Gives a sparse input the three names that a loaded TF1 signature takes it by."""
    flat = {}
    for name, tensor in tensors.items():
        if isinstance(tensor, packages.import_tensorflow().SparseTensor):
            for part in ("indices", "values", "dense_shape"):
                flat["{}_{}".format(name, part)] = getattr(tensor, part)
        else:
            flat[name] = tensor
    return flat


def _name_outputs(outputs: Any) -> Mapping[str, Any]:
    """The outputs of a call by name; those without one get the names TensorFlow gives them in a signature."""
    if isinstance(outputs, Mapping):
        return outputs
    if isinstance(outputs, (list, tuple)):
        return {"output_{}".format(index): output for index, output in enumerate(outputs)}
    return {"default": outputs}


def _keep_alive(model: HubLoad) -> None:
    graph = packages.import_tensorflow().compat.v1.get_default_graph()
    models: List[HubLoad] = ops.kept_by_graph(graph, "unihub_models", list)
    models.append(model)
