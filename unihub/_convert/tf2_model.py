"""A TF1 model as a TF2 object: each signature is a function over one set of variables.

``training=False`` runs the plain graph. ``training=True`` runs the graph of the ``{"train"}`` variant with its update
ops.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence

from unihub._convert.control_flow import import_graph
from unihub._convert.graph_contexts import key_of
from unihub._convert.resource_variables import use_resources
from unihub._convert.state import State, StateNodes, find_state
from unihub._convert.variable_reads import not_hoisted
from unihub._graph import meta_graph, reusable_saved_model
from unihub._graph.meta_graph import node_of
from unihub._tf import packages
from unihub._tf.types import (
    ConcreteFunction,
    GraphDef,
    SignatureDef,
    TensorInfo,
    TensorNest,
    TfFunction,
    TfTensor,
    Trackable,
    TypeSpec,
)


class Variant:
    """One graph of the model, with its state in resources.

    Attributes:
        tags: The tags of the variant.
        custom_gradients: The names of the nodes with a gradient written in Python.
        graph_def: The graph.
        signatures: The ``SignatureDef`` of each signature by name.
        trainable: The names of the variables that training changes.
        losses: The names of the tensors that are regularization losses.
    """

    def __init__(self, path: str, tags: Iterable[str]) -> None:
        self.tags = frozenset(tags)
        self.meta_graph = meta_graph.read_variant(path, self.tags)
        self._op_list = self.meta_graph.meta_info_def.stripped_op_list
        self.custom_gradients = _drop_process_attributes(self.meta_graph.graph_def)
        self._resources = use_resources(self.meta_graph.graph_def)
        self.graph_def = self._resources.graph_def
        self.signatures = {
            name: definition
            for name, definition in self.meta_graph.signature_def.items()
            if not name.startswith("__saved_model_")
        }
        self.trainable = set(meta_graph.read_variables(self.meta_graph, "trainable_variables"))
        self.losses = meta_graph.names_in(self.meta_graph, "regularization_losses")

    def assets(self, path: str) -> Dict[str, str]:
        """The files that the graph reads, by the names of the nodes that hold their paths."""
        return meta_graph.asset_files(self.meta_graph, path)

    def updates(self, definition: SignatureDef) -> List[str]:
        """The update ops that a call of a signature can run."""
        return [node_of(name) for name in meta_graph.find_updates(self.meta_graph, _placeholders(definition))]

    def ends(self, definition: SignatureDef) -> List[str]:
        """The tensors that a signature returns."""
        names = [name for info in definition.outputs.values() for name in meta_graph.component_names(info)]
        return [key_of(self._resources.value_of(name)) for name in names]

    def find_state(self, names: Iterable[str]) -> StateNodes:
        """The variables and tables that some signatures and the losses need."""
        needed = find_state(self.graph_def, map(node_of, self.losses), ())
        for definition in [self.signatures[name] for name in names if name in self.signatures]:
            wanted = [node_of(name) for name in self.ends(definition)] + self.updates(definition)
            more = find_state(self.graph_def, wanted, map(node_of, _placeholders(definition)))
            needed.variables.update(more.variables)
            needed.tables.update(more.tables)
        return needed

    def find_unfed(self, wanted: Iterable[str], definition: Optional[SignatureDef] = None) -> List[str]:
        """The placeholders that some tensors need and that are not inputs of a signature."""
        fed = set(map(node_of, _placeholders(definition))) if definition is not None else set()
        nodes = {node.name: node for node in self.graph_def.node}
        needed = meta_graph.reach(nodes, map(node_of, wanted), fed)
        return sorted(name for name in needed - fed if nodes[name].op in ("Placeholder", "PlaceholderV2"))

    def find_without_gradient(self, name: str) -> List[str]:
        """The variables that may have no gradient when a signature is trained."""
        definition = self.signatures[name]
        nodes = {node.name: node for node in self.graph_def.node}
        fed = set(map(node_of, _placeholders(definition)))
        needed = meta_graph.reach(nodes, map(node_of, self.ends(definition)), fed)
        return not_hoisted({each: nodes[each] for each in needed}, sorted(self.trainable & needed))

    def run(
        self, state: State, definition: SignatureDef, inputs: Mapping[str, TfTensor], updates: Sequence[str]
    ) -> Dict[str, TfTensor]:
        """Compute a signature in the function that is being traced.

        Args:
            state: The state.
            definition: The signature.
            inputs: Its inputs by name.
            updates: The names of the ops that have to run.

        Returns:
            Its outputs by name.
        """
        nest = packages.import_tensorflow().nest
        feeds = state.feeds()
        for name, info in definition.inputs.items():
            components = nest.flatten(inputs[name], expand_composites=True)
            feeds.update(zip(map(key_of, meta_graph.component_names(info)), components))
        tensors = import_graph(self.graph_def, feeds, self.ends(definition), updates, self._op_list)

        def find(name: str) -> TfTensor:
            return tensors[key_of(self._resources.value_of(name))]

        return {name: meta_graph.assemble(info, find) for name, info in definition.outputs.items()}

    def loss(self, state: State, name: str) -> TfFunction:
        """A regularization loss as a function without arguments."""
        key = key_of(self._resources.value_of(name))

        def compute() -> TfTensor:
            return import_graph(self.graph_def, state.feeds(), [key], (), self._op_list)[key]

        function = packages.import_tensorflow().function(compute, autograph=False, input_signature=())
        function.get_concrete_function()
        return function


def _placeholders(definition: SignatureDef) -> List[str]:
    return [name for info in definition.inputs.values() for name in meta_graph.component_names(info)]


def _drop_process_attributes(graph_def: GraphDef) -> List[str]:
    """Remove attributes that are valid only in the process that wrote the graph.

    Returns:
        The names of the nodes with a gradient written in Python. No TF1 model contains such a gradient, so the gradient
        of the ops is used instead.
    """
    with_gradient = []
    for node in list(graph_def.node) + [node for function in graph_def.library.function for node in function.node_def]:
        if "_gradient_op_type" in node.attr:
            with_gradient.append(str(node.name))
        node.device = ""
        for attribute in ("_class", "_output_shapes", "_gradient_op_type"):
            node.attr.pop(attribute, None)
    return with_gradient


class ConvertedSignature:
    """A signature as TF2 functions, for training and for inference.

    Attributes:
        name: Its name.
        updates: The names of the update ops that run in training.
    """

    def __init__(self, name: str, plain: Variant, train: Optional[Variant], state: State) -> None:
        self.name = name
        self._definition = plain.signatures[name]
        self._specs = {key: _spec(key, info) for key, info in sorted(self._definition.inputs.items())}
        self._plain = self._trace(plain, state, [])
        self.updates: List[str] = []
        self._train = self._plain
        if train is not None and name in train.signatures:
            self.updates = train.updates(train.signatures[name])
            self._train = self._trace(train, state, self.updates)

    def _trace(self, variant: Variant, state: State, updates: Sequence[str]) -> TfFunction:
        definition = variant.signatures[self.name]

        def run(inputs: Dict[str, TfTensor]) -> Dict[str, TfTensor]:
            return variant.run(state, definition, inputs, updates)

        function = packages.import_tensorflow().function(run, autograph=False)
        function.get_concrete_function(self._specs)
        return function

    def callable(self, output: Optional[str] = None) -> TfFunction:
        """Trace ``f(inputs, training=False)``.

        Args:
            output: The output that the function returns; ``None`` for a dict of all outputs.

        Returns:
            A traced function. It takes a single input directly, and several inputs in a dict by name.
        """
        sole = list(self._specs)[0] if len(self._specs) == 1 else None

        def call(inputs: TensorNest, training: bool = False) -> TensorNest:
            named = {sole: inputs} if sole is not None else inputs
            outputs = (self._train if training else self._plain)(named)
            return outputs if output is None else outputs[output]

        function = packages.import_tensorflow().function(call, autograph=False)
        inputs = self._specs[sole] if sole is not None else self._specs
        for training in (False, True):
            function.get_concrete_function(inputs, training=training)
        return function

    def call(self) -> TfFunction:
        """The same, returning what unihub returns from a call: the output ``default``, the only one, or all."""
        names = list(self._definition.outputs)
        return self.callable("default" if "default" in names else names[0] if len(names) == 1 else None)

    @property
    def renamed(self) -> Dict[str, str]:
        """The new names of the inputs whose names TF2 does not allow in signatures."""
        return {name: allowed for name, allowed in input_names(self._components()).items() if allowed != name}

    def serve(self) -> ConcreteFunction:
        """The signature of the SavedModel; a composite tensor is one dense input or output for each component."""
        tf = packages.import_tensorflow()
        components = self._components()
        names = input_names(components)
        specs = {names[key]: tf.TensorSpec(spec.shape, spec.dtype, name=names[key]) for key, spec in components.items()}

        def run(inputs: Dict[str, TfTensor]) -> Dict[str, TfTensor]:
            given = {key: inputs[names[key]] for key in components}
            outputs = self._plain({name: _pack(name, spec, given) for name, spec in self._specs.items()})
            return {key: dense for name, value in outputs.items() for key, dense in _flatten(name, value).items()}

        return tf.function(run, autograph=False).get_concrete_function(specs)

    def _components(self) -> Dict[str, TypeSpec]:
        return {key: dense for name, spec in self._specs.items() for key, dense in _flatten_spec(name, spec).items()}


def input_names(names: Collection[str]) -> Dict[str, str]:
    """Unique names for the inputs of a signature that are valid names of ops, as TF2 requires."""
    allowed: Dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name)
        stem = new = stem if re.match("[A-Za-z0-9.]", stem) else "input" + stem
        while new in allowed.values() or (new != name and new in names):
            new = "{}_{}".format(stem, len(allowed))
        allowed[name] = new
    return allowed


def _spec(name: str, info: TensorInfo) -> TypeSpec:
    """The spec of an input or output of a signature."""
    tf = packages.import_tensorflow()
    shape = tf.TensorShape(info.tensor_shape)
    kind = info.WhichOneof("encoding")
    if kind == "coo_sparse":
        return tf.SparseTensorSpec(shape, tf.as_dtype(info.dtype))
    if kind == "composite_tensor":
        # The components of a ragged tensor are its values, and the row splits of each ragged dimension.
        values, *splits = info.composite_tensor.components
        shape = tf.TensorShape(values.tensor_shape)
        shape = shape if shape.rank is None else [None] * (len(splits) + 1) + shape.as_list()[1:]
        dtypes = [tf.as_dtype(component.dtype) for component in (values, splits[0])]
        return tf.RaggedTensorSpec(shape, dtypes[0], len(splits), row_splits_dtype=dtypes[1])
    return tf.TensorSpec(shape, tf.as_dtype(info.dtype), name=name)


def component_names(name: str, count: int, is_sparse: bool) -> List[str]:
    """Names for the components of a composite tensor; for a sparse tensor, those TensorFlow uses when it loads one."""
    if is_sparse:
        return ["{}_{}".format(name, component) for component in ("indices", "values", "dense_shape")]
    return ["{}_component_{}".format(name, index) for index in range(count)]


def _flatten_spec(name: str, spec: TypeSpec) -> Dict[str, TypeSpec]:
    tf = packages.import_tensorflow()
    if isinstance(spec, tf.TensorSpec):
        return {name: spec}
    components = tf.nest.flatten(spec, expand_composites=True)
    if isinstance(spec, tf.SparseTensorSpec):
        rank = spec.shape.rank
        components = [
            tf.TensorSpec([None, rank], tf.int64),
            tf.TensorSpec([None], spec.dtype),
            tf.TensorSpec([rank], tf.int64),
        ]
    names = component_names(name, len(components), isinstance(spec, tf.SparseTensorSpec))
    return {key: tf.TensorSpec(each.shape, each.dtype, name=key) for key, each in zip(names, components)}


def _pack(name: str, spec: TypeSpec, inputs: Mapping[str, TfTensor]) -> TfTensor:
    tf = packages.import_tensorflow()
    components = [inputs[key] for key in _flatten_spec(name, spec)]
    if isinstance(spec, tf.TensorSpec):
        return components[0]
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.SparseTensor(*components)
    return tf.RaggedTensor.from_nested_row_splits(components[0], components[1:], validate=False)


def _flatten(name: str, value: TfTensor) -> Dict[str, TfTensor]:
    tf = packages.import_tensorflow()
    if isinstance(value, tf.SparseTensor):
        components = [value.indices, value.values, value.dense_shape]
        return dict(zip(component_names(name, 3, True), components))
    if isinstance(value, tf.RaggedTensor):
        components = tf.nest.flatten(value, expand_composites=True)
        return dict(zip(component_names(name, len(components), False), components))
    return {name: value}


def build_root(
    state: State, signatures: Mapping[str, ConvertedSignature], called: Optional[str], losses: Iterable[TfFunction]
) -> Trackable:
    """Build the object to write.

    Args:
        state: The state.
        signatures: The signatures by name; each becomes an attribute that can also be called with ``training=True``.
        called: The signature that a call of the object runs.
        losses: The regularization losses.

    Returns:
        The object, for ``tf.saved_model.save``.
    """
    variables = list(state.variables.values())
    attributes: Dict[str, Any] = {
        "tables": list(state.tables.values()),
        "assets": list({id(asset): asset for asset in state.assets.values()}.values()),
    }
    for name, signature in signatures.items():
        # A signature with the name of an attribute is available in ``signatures`` only.
        if name not in attributes and name not in reusable_saved_model.INTERFACE:
            attributes[name] = signature.callable()
    return reusable_saved_model.build(
        None if called is None else signatures[called].call(),
        variables,
        [variable for variable in variables if variable.trainable],
        losses,
        attributes,
    )
