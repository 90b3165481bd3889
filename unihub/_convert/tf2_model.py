"""A TF1 model as a TF2 object: each signature a function over one set of variables, trained by its train variant.

The plain graph is what runs with ``training=False``; the graph of the ``{"train"}`` variant, with its update ops, is
what runs with ``training=True``. What cannot be carried is listed, with the reason, and never left out in silence.
"""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from unihub._convert import state as converted_state
from unihub._convert import variable_reads
from unihub._convert.control_flow import import_graph, key_of
from unihub._convert.resource_variables import use_resources
from unihub._convert.state import State
from unihub._graph import meta_graph, reusable_saved_model
from unihub._graph.meta_graph import node_of
from unihub._tf import packages


class Variant:
    """One graph of the model, with its state in resources.

    Attributes:
        signatures: The ``SignatureDef`` of each signature by name.
        trainable: The names of the variables that training changes.
        losses: The names of the tensors that are regularization losses.
    """

    def __init__(self, path: str, tags: Iterable[str]) -> None:
        self.tags = frozenset(tags)
        self.meta_graph = meta_graph.read_variant(path, self.tags)
        self._op_list = self.meta_graph.meta_info_def.stripped_op_list
        self.custom_gradients = _drop_marks(self.meta_graph.graph_def)
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
        """The files that the graph reads, by the names of the nodes that name them."""
        return meta_graph.asset_files(self.meta_graph, path)

    def updates(self, definition: Any) -> List[str]:
        """The update ops that a call of a signature can run."""
        return [node_of(name) for name in meta_graph.find_updates(self.meta_graph, _placeholders(definition))]

    def ends(self, definition: Any) -> List[str]:
        """The tensors that a signature returns."""
        names = [name for info in definition.outputs.values() for name in meta_graph.component_names(info)]
        return [key_of(self._resources.value_of(name)) for name in names]

    def find_state(self, names: Iterable[str]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
        """The nodes of the variables and of the tables that some signatures, and the losses, need."""
        variables, tables = converted_state.find_state(self.graph_def, map(node_of, self.losses), ())
        for definition in [self.signatures[name] for name in names if name in self.signatures]:
            wanted = [node_of(name) for name in self.ends(definition)] + self.updates(definition)
            found = converted_state.find_state(self.graph_def, wanted, map(node_of, _placeholders(definition)))
            variables.update(found[0])
            tables.update(found[1])
        return variables, tables

    def find_unfed(self, wanted: Iterable[str], definition: Any = None) -> List[str]:
        """The placeholders that some tensors need, and that are no inputs of a signature."""
        fed = set(map(node_of, _placeholders(definition))) if definition is not None else set()
        nodes = {node.name: node for node in self.graph_def.node}
        needed = meta_graph.reach(nodes, map(node_of, wanted), fed)
        return sorted(name for name in needed - fed if nodes[name].op in ("Placeholder", "PlaceholderV2"))

    def find_without_gradient(self, name: str) -> List[str]:
        """The variables for which training through a signature may find no gradient."""
        definition = self.signatures[name]
        nodes = {node.name: node for node in self.graph_def.node}
        fed = set(map(node_of, _placeholders(definition)))
        needed = meta_graph.reach(nodes, map(node_of, self.ends(definition)), fed)
        return variable_reads.find_left({each: nodes[each] for each in needed}, sorted(self.trainable & needed))

    def run(self, state: State, definition: Any, inputs: Mapping[str, Any], updates: Sequence[str]) -> Dict[str, Any]:
        """Computes a signature in the function that is being traced.

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
            parts = nest.flatten(inputs[name], expand_composites=True)
            feeds.update(zip(map(key_of, meta_graph.component_names(info)), parts))
        found = import_graph(self.graph_def, feeds, self.ends(definition), updates, self._op_list)

        def find(name: str) -> Any:
            return found[key_of(self._resources.value_of(name))]

        return {name: meta_graph.assemble(info, find) for name, info in definition.outputs.items()}

    def loss(self, state: State, name: str) -> Any:
        """A regularization loss as a function without arguments."""
        key = key_of(self._resources.value_of(name))

        def compute() -> Any:
            return import_graph(self.graph_def, state.feeds(), [key], (), self._op_list)[key]

        function = packages.import_tensorflow().function(compute, autograph=False, input_signature=())
        function.get_concrete_function()
        return function


def _placeholders(definition: Any) -> List[str]:
    return [name for info in definition.inputs.values() for name in meta_graph.component_names(info)]


def _drop_marks(graph_def: Any) -> List[str]:
    """Takes away what holds only where the graph was written; returns the nodes that had a gradient of their own.

    A gradient that the author wrote in Python is no part of the model, in TF1 too; that of the ops takes its place.
    """
    marked = []
    for node in list(graph_def.node) + [node for function in graph_def.library.function for node in function.node_def]:
        if "_gradient_op_type" in node.attr:
            marked.append(str(node.name))
        node.device = ""
        for attribute in ("_class", "_output_shapes", "_gradient_op_type"):
            node.attr.pop(attribute, None)
    return marked


class ConvertedSignature:
    """A signature as functions: what a call does, in training and not."""

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

    def _trace(self, variant: Variant, state: State, updates: Sequence[str]) -> Any:
        definition = variant.signatures[self.name]

        def run(inputs: Dict[str, Any]) -> Dict[str, Any]:
            return variant.run(state, definition, inputs, updates)

        function = packages.import_tensorflow().function(run, autograph=False)
        function.get_concrete_function(self._specs)
        return function

    def callable(self, output: Optional[str] = None) -> Any:
        """What a call of the model does: ``f(inputs, training=False)``.

        Args:
            output: The output that it returns; ``None`` for a dict of all.

        Returns:
            A traced function. A sole input is taken as it is, several in a dict by name.
        """
        sole = list(self._specs)[0] if len(self._specs) == 1 else None

        def call(inputs: Any, training: bool = False) -> Any:
            named = {sole: inputs} if sole is not None else inputs
            outputs = (self._train if training else self._plain)(named)
            return outputs if output is None else outputs[output]

        function = packages.import_tensorflow().function(call, autograph=False)
        inputs = self._specs[sole] if sole is not None else self._specs
        for training in (False, True):
            function.get_concrete_function(inputs, training=training)
        return function

    def call(self) -> Any:
        """The same with what a call returns by unihub's rule: the output ``default``, or the only one, or all."""
        names = list(self._definition.outputs)
        return self.callable("default" if "default" in names else names[0] if len(names) == 1 else None)

    @property
    def renamed(self) -> Dict[str, str]:
        """The inputs whose names TF2 does not allow in signatures, and what they are called there."""
        return {name: allowed for name, allowed in input_names(self._parts()).items() if allowed != name}

    def serve(self) -> Any:
        """The signature of the SavedModel, whose inputs and outputs are dense: a composite is its parts."""
        tf = packages.import_tensorflow()
        parts = self._parts()
        names = input_names(parts)
        specs = {names[key]: tf.TensorSpec(part.shape, part.dtype, name=names[key]) for key, part in parts.items()}

        def run(inputs: Dict[str, Any]) -> Dict[str, Any]:
            given = {key: inputs[names[key]] for key in parts}
            outputs = self._plain({name: _pack(name, spec, given) for name, spec in self._specs.items()})
            return {key: part for name, value in outputs.items() for key, part in _flatten(name, value).items()}

        return tf.function(run, autograph=False).get_concrete_function(specs)

    def _parts(self) -> Dict[str, Any]:
        return {key: part for name, spec in self._specs.items() for key, part in _flatten_spec(name, spec).items()}


def input_names(names: Collection[str]) -> Dict[str, str]:
    """What the inputs of a signature are called, for TF2 wants names that ops may have; each is a name of its own."""
    allowed: Dict[str, str] = {}
    for name in names:
        stem = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name)
        stem = new = stem if re.match("[A-Za-z0-9.]", stem) else "input" + stem
        while new in allowed.values() or (new != name and new in names):
            new = "{}_{}".format(stem, len(allowed))
        allowed[name] = new
    return allowed


def _spec(name: str, info: Any) -> Any:
    """What a tensor of a signature is, as TF2 writes it."""
    tf = packages.import_tensorflow()
    shape = tf.TensorShape(info.tensor_shape)
    kind = info.WhichOneof("encoding")
    if kind == "coo_sparse":
        return tf.SparseTensorSpec(shape, tf.as_dtype(info.dtype))
    if kind == "composite_tensor":
        # A ragged tensor has its dtype and its shape in its parts: the values, and the splits of each dimension.
        values, *splits = info.composite_tensor.components
        shape = tf.TensorShape(values.tensor_shape)
        shape = shape if shape.rank is None else [None] * (len(splits) + 1) + shape.as_list()[1:]
        dtypes = [tf.as_dtype(part.dtype) for part in (values, splits[0])]
        return tf.RaggedTensorSpec(shape, dtypes[0], len(splits), row_splits_dtype=dtypes[1])
    return tf.TensorSpec(shape, tf.as_dtype(info.dtype), name=name)


def part_names(name: str, count: int, is_sparse: bool) -> List[str]:
    """The names of a composite's parts; those of a sparse tensor are what TensorFlow gives them when it loads one."""
    parts = ["indices", "values", "dense_shape"] if is_sparse else ["component_{}".format(i) for i in range(count)]
    return ["{}_{}".format(name, part) for part in parts]


def _flatten_spec(name: str, spec: Any) -> Dict[str, Any]:
    tf = packages.import_tensorflow()
    if isinstance(spec, tf.TensorSpec):
        return {name: spec}
    parts = tf.nest.flatten(spec, expand_composites=True)
    if isinstance(spec, tf.SparseTensorSpec):
        rank = spec.shape.rank
        parts = [
            tf.TensorSpec([None, rank], tf.int64),
            tf.TensorSpec([None], spec.dtype),
            tf.TensorSpec([rank], tf.int64),
        ]
    names = part_names(name, len(parts), isinstance(spec, tf.SparseTensorSpec))
    return {key: tf.TensorSpec(part.shape, part.dtype, name=key) for key, part in zip(names, parts)}


def _pack(name: str, spec: Any, inputs: Mapping[str, Any]) -> Any:
    tf = packages.import_tensorflow()
    parts = [inputs[key] for key in _flatten_spec(name, spec)]
    if isinstance(spec, tf.TensorSpec):
        return parts[0]
    if isinstance(spec, tf.SparseTensorSpec):
        return tf.SparseTensor(*parts)
    return tf.RaggedTensor.from_nested_row_splits(parts[0], parts[1:], validate=False)


def _flatten(name: str, value: Any) -> Dict[str, Any]:
    tf = packages.import_tensorflow()
    if isinstance(value, tf.SparseTensor):
        parts = [value.indices, value.values, value.dense_shape]
        return dict(zip(part_names(name, 3, True), parts))
    if isinstance(value, tf.RaggedTensor):
        parts = tf.nest.flatten(value, expand_composites=True)
        return dict(zip(part_names(name, len(parts), False), parts))
    return {name: value}


def build_root(
    state: State, signatures: Mapping[str, ConvertedSignature], called: Optional[str], losses: Iterable[Any]
) -> Any:
    """The object to be written.

    Args:
        state: The state.
        signatures: The signatures by name; each becomes an attribute that can be called in training too.
        called: The signature that a call of the object itself stands for.
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
        # A signature may have any name; what has that of a part of the interface can be called by its name only.
        if name not in attributes and name not in reusable_saved_model.INTERFACE:
            attributes[name] = signature.callable()
    return reusable_saved_model.build(
        None if called is None else signatures[called].call(),
        variables,
        [variable for variable in variables if variable.trainable],
        losses,
        attributes,
    )
