"""Serves ``api="load"``, as ``hub.load``: a SavedModel as an object whose functions can be called.

``hub.load`` calls ``tf.saved_model.load`` on a resolved directory, and so does this module. In graphs it also adds
variables, update ops and losses to the collections, keeps restore ops out of the table initializers, and inlines calls.
Variables that the object does not list are those that its functions capture.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

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
from unihub._strategies.model import Loss
from unihub._strategies.session_model import SessionModel
from unihub._tf import ops, packages
from unihub._tf.functions import argument_names, call_flat, restored_call
from unihub._tf.strategy import current_strategy
from unihub._tf.types import ConcreteFunction, Inputs, Native, TensorNest, TfModule, TfTensor, TfVariable
from unihub._types import Format, RuntimeMode, Signature, Use

_REFERENCE_VARIABLES = frozenset({"Variable", "VariableV2"})


class HubLoad(WrappedModel):
    """A model loaded as an object."""

    @classmethod
    def load(cls, plan: Plan) -> WrappedModel:
        """Loads the model of a plan."""
        if plan.is_python_object:
            return cls(plan, plan.source)
        if _hides_variables(plan):
            return _run_in_session(plan)
        native = distribution.load_once(lambda: _load_native(plan))
        return _run_in_session(plan) if native is None else cls(plan, native)

    def __init__(self, plan: Plan, native: Native) -> None:
        super().__init__(plan, native)
        self.signatures = getattr(native, "signatures", {})
        self.variables = _find_variables(native)
        self.weights_to_train = self._find_weights_to_train()
        self.losses_to_train = [self._wrap_loss(loss) for loss in _list_of(native, "regularization_losses") or ()]
        self.trainable_variables = self.weights_to_train if plan.request.trainable else []
        self.regularization_losses = self.losses_to_train if plan.request.trainable else []
        if plan.request.trainable:
            self._prepare_training()
        if plan.runtime.inside_function:
            # The functions that capture the variables do not keep them alive.
            _keep_alive(self)

    def apply(self, inputs: Inputs, training: bool, arguments: Mapping[str, Inputs]) -> TensorNest:
        """Calls the signature of the plan, or the model itself."""
        if self.plan.signature is not None:
            outputs = self._call_signature(self.plan.signature, inputs)
            return select_output(outputs, *self._selection())
        outputs = self._call_itself(inputs, training, arguments)
        if self.plan.request.output_key is None and not self.plan.request.as_dict:
            return outputs
        return select_output(_name_outputs(outputs), *self._selection())

    def _selection(self) -> Tuple[Optional[str], bool, str]:
        request, signature = self.plan.request, self.plan.signature
        what = "the signature {!r}".format(signature.name) if signature else self.info.path
        return request.output_key, request.as_dict, what

    def _call_signature(self, signature: Signature, inputs: Inputs) -> Mapping[str, TfTensor]:
        function = self.native.signatures[signature.name]
        tensors = _flatten_composites(bind_inputs(signature, inputs))
        in_order = [tensors[name] for name in sorted(tensors)]
        outputs: Mapping[str, TfTensor]
        if self.info.format is Format.TF2_SAVED_MODEL and not (self._graph is None or building_function()):
            outputs = self._inline(function, in_order)
        elif signature.is_dense:
            if self.info.format is not Format.TF2_SAVED_MODEL:
                in_order = [tensors[name] for name in argument_names(function)]
            outputs = call_flat(function, in_order)
        else:
            outputs = function(**tensors)
        return outputs

    def _call_itself(self, inputs: Inputs, training: bool, arguments: Mapping[str, Inputs]) -> TensorNest:
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
            matched = match(self.info.path, call.arguments, concretes, inputs, arguments)
        except errors.InputError:
            # A function may have been traced with training left out.
            if training or not call.takes_training:
                raise
            without = {name: value for name, value in arguments.items() if name != "training"}
            matched = match(self.info.path, call.arguments, concretes, inputs, without)
        if self._graph is None or building_function():
            return matched.call(function)
        return self._inline(matched.concrete, matched.tensors, updates=training)

    def _inline(self, concrete: ConcreteFunction, tensors: Sequence[TfTensor], updates: bool = False) -> TensorNest:
        name = self.plan.request.name or "module"
        inlined = call_inlined(concrete, tensors, name + "_apply")
        if updates and ops.control_flow_context() is not None:
            # A control dependency on an op in an untaken branch never fires. Keras makes such branches where it does
            # not know whether it trains.
            tf = packages.import_tensorflow()
            with tf.control_dependencies(inlined.updates):
                return pack_outputs(concrete, [tf.identity(output) for output in inlined.outputs])
        if updates:
            self.update_ops.extend(inlined.updates)
            if self.plan.request.collections:
                ops.add_to_collection(_keys().UPDATE_OPS, inlined.updates)
        return pack_outputs(concrete, inlined.outputs)

    def _find_weights_to_train(self) -> List[TfVariable]:
        if self.plan.signature is not None:
            return []
        listed = _list_of(self.native, "trainable_variables")
        if listed is not None:
            return listed
        return [variable for variable in self.variables if variable.trainable]

    def _wrap_loss(self, loss: Loss) -> Loss:
        if self._graph is None or not hasattr(loss, "concrete_functions"):
            return loss
        return functools.lru_cache(maxsize=None)(functools.partial(self._inline, loss.concrete_functions[0], ()))

    def _prepare_training(self) -> None:
        if not self.weights_to_train:
            raise errors.UnsupportedError.nothing_to_train(self.info.path)
        if self._graph is not None and self.plan.request.collections:
            keys = _keys()
            ops.add_to_collection(keys.GLOBAL_VARIABLES, self.variables)
            ops.add_to_collection(keys.TRAINABLE_VARIABLES, self.weights_to_train)
            ops.add_to_collection(keys.REGULARIZATION_LOSSES, [loss() for loss in self.losses_to_train])


def _load_native(plan: Plan) -> Optional[Native]:
    """The object that TensorFlow loads; ``None`` for a TF1 graph that it cannot turn into functions."""
    with tf_errors.loading(plan):
        try:
            with _scope_of_variables(plan), distribution.averaging(plan):
                return loader.load(plan)
        except Exception as exc:
            if plan.info.format is Format.TF2_SAVED_MODEL or not tf_errors.is_unliftable(exc):
                raise
            return _load_signature(plan)


def _hides_variables(plan: Plan) -> bool:
    """Whether TensorFlow would leave the variables of a TF1 graph inside functions, where no initializer runs.

    In graphs it does so with variables of reference type, the default of TF1.
    """
    if plan.runtime.mode is RuntimeMode.TF2 or plan.meta_graph.has_object_graph:
        return False
    return bool(_REFERENCE_VARIABLES & plan.meta_graph.ops)


def _load_signature(plan: Plan) -> Optional[Native]:
    """The subset of a TF1 graph for the requested signature, which may load where the full graph does not."""
    if plan.request.signature is None or plan.request.full or plan.use is not None or plan.signature is None:
        return None
    with _scope_of_variables(plan):
        return loader.load_subset(plan, Use(plan.signature.name, layer=False))


def _run_in_session(plan: Plan) -> SessionModel:
    """Loads a TF1 graph that cannot be turned into functions into a session, as TF1 does."""
    return SessionModel.load(plan)


@contextlib.contextmanager
def _scope_of_variables(plan: Plan) -> Iterator[None]:
    """Makes variables outside of the function being traced, or in a graph under the model's own name scope."""
    tf = packages.import_tensorflow()
    if plan.runtime.mode is RuntimeMode.TF2:
        strategy = current_strategy()
        with contextlib.ExitStack() as stack:
            stack.enter_context(tf.init_scope())
            if strategy is not None and not tf.distribute.has_strategy():
                # Outside of the function that a replica runs, there is no current strategy.
                stack.enter_context(strategy.scope())
            yield
        return
    with tf.compat.v1.name_scope(plan.request.name or "module"), _no_restore_among_tables():
        yield
    distribution.leave_to_strategy()


@contextlib.contextmanager
def _no_restore_among_tables() -> Iterator[None]:
    """Removes the op that restores the variables from the table initializers.

    TensorFlow 1.15 to 2.4 add it there for TF1-style models. An Estimator runs the table initializers after it restored
    its checkpoint, so the pretrained weights would overwrite the trained ones. It stays the variables' initializer.
    """
    v1 = packages.import_tensorflow().compat.v1
    tables = v1.get_collection_ref(_keys().TABLE_INITIALIZERS)
    known = len(tables)
    yield
    restores = {id(variable.initializer) for variable in v1.global_variables()}
    tables[known:] = [op for op in tables[known:] if id(op) not in restores]


def _keys() -> TfModule:
    return packages.import_tensorflow().compat.v1.GraphKeys


def _find_variables(native: Native) -> List[TfVariable]:
    """The variables that an object lists, else those that its functions capture."""
    listed = _list_of(native, "variables")
    if listed is not None:
        return listed
    functions = list(getattr(native, "signatures", {}).values())
    function = restored_call(native)
    if function is not None:
        functions = list(function.concrete_functions) + functions
    variables = {id(variable): variable for concrete in functions for variable in concrete.graph.variables}
    return list(variables.values())


def _list_of(native: Native, name: str) -> Optional[List[Any]]:
    """A list that an object has; ``None`` without one.

    In a subset a list of which only some items are needed is a bare object, on the path of a checkpoint to these.
    """
    try:
        return list(getattr(native, name))
    except (AttributeError, TypeError):
        return None


def _flatten_composites(tensors: Dict[str, TfTensor]) -> Dict[str, TfTensor]:
    """Replaces a sparse input by its three components, under the names that a loaded TF1 signature has for them."""
    flat = {}
    for name, tensor in tensors.items():
        if isinstance(tensor, packages.import_tensorflow().SparseTensor):
            for component in ("indices", "values", "dense_shape"):
                flat["{}_{}".format(name, component)] = getattr(tensor, component)
        else:
            flat[name] = tensor
    return flat


def _name_outputs(outputs: TensorNest) -> Mapping[str, TfTensor]:
    """The outputs of a call by name; unnamed outputs get the names that TensorFlow gives them in a signature."""
    if isinstance(outputs, Mapping):
        return outputs
    if isinstance(outputs, (list, tuple)):
        return {"output_{}".format(index): output for index, output in enumerate(outputs)}
    return {"default": outputs}


def _keep_alive(model: HubLoad) -> None:
    graph = packages.import_tensorflow().compat.v1.get_default_graph()
    models: List[HubLoad] = ops.kept_by_graph(graph, "unihub_models", list)
    models.append(model)
