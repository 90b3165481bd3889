"""``hub.Module`` where tensorflow_hub has none: a TF1 Hub module in the current graph, of any TensorFlow from 1.14.

The interface, the names of variables and scopes, and what goes into which collection are those of ``hub.Module``
(https://www.tensorflow.org/hub/tf1_hub_module), so that checkpoints and training code written for it go on working.
A test runs both side by side where both exist.
"""

from __future__ import annotations

import os
import shutil
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Type, Union

from unihub._graph import export_dir, meta_graph, module_variables
from unihub._saved_model import wire
from unihub._tf import ops, packages, tracking
from unihub._tf.types import (
    GraphDef,
    Inputs,
    Message,
    MetaGraphDef,
    Op,
    Session,
    SignatureDef,
    TensorInfo,
    TfDType,
    TfModule,
    TfShape,
    TfTensor,
    TfVariable,
)

# The variables by their names in the module; a partitioned one is a list.
VariableMap = Dict[str, Union[TfVariable, List[TfVariable]]]
# Finds a tensor of an imported graph by its name in the module.
FindTensor = Callable[[str], TfTensor]


class TensorDescription(NamedTuple):
    """An input or output of a signature.

    Attributes:
        dtype: A ``tf.DType``.
        shape: A ``tf.TensorShape``.
        is_sparse: Whether it is a ``SparseTensor``.
    """

    dtype: TfDType
    shape: TfShape
    is_sparse: bool

    def get_shape(self) -> TfShape:
        """The shape, under the name ``hub.Module`` has for it."""
        return self.shape


class Module:
    """A TF1 Hub module whose state lives in the current graph.

    Args:
        path: The directory of the module.
        trainable: Whether its variables, losses and update ops go to the collections of what is trained.
        name: The scope of its variables; made unique.
        tags: The graph variant.

    Attributes:
        variable_map: The variables by their names in the module; a partitioned one is a list of its slices.
    """

    def __init__(self, path: str, trainable: bool = False, name: str = "module", tags: Iterable[str] = ()) -> None:
        v1 = _v1()
        self._path = path
        self._trainable = trainable
        self._meta_graph = meta_graph.read_variant(path, tags)
        self._graph = v1.get_default_graph()
        # State is made once, so it must not wait for the caller's control dependencies.
        with self._graph.control_dependencies(None):
            self._scope = _claim_scope(name)
            self.variable_map: VariableMap = self._import_state()
        self._state = self._map_state()
        if self.variable_map:
            checkpoint = os.path.join(path, "variables", "variables")
            v1.train.init_from_checkpoint(checkpoint, self.variable_map)

    @property
    def variables(self) -> List[TfVariable]:
        """All variables; of partitioned ones, each slice."""
        variables: List[TfVariable] = []
        for _, variable in sorted(self.variable_map.items()):
            variables += variable if isinstance(variable, list) else [variable]
        return variables

    def __call__(
        self, inputs: Optional[Mapping[str, Inputs]] = None, signature: Optional[str] = None, as_dict: bool = False
    ) -> Union[TfTensor, Dict[str, TfTensor]]:
        """Add the ops of a signature to the graph.

        Args:
            inputs: The tensors by input name; ``None`` for no inputs.
            signature: The signature; ``default`` by default.
            as_dict: Whether all outputs are returned, and not just ``default``.

        Returns:
            The output, or the outputs by name.
        """
        definition = self._signature_def(signature)
        feeds = self._feed(definition, inputs or {})
        updates = meta_graph.find_updates(self._meta_graph, feeds) if self._trainable else []
        outputs = [name for info in definition.outputs.values() for name in meta_graph.component_names(info)]
        cut = meta_graph.cut_to_call(self._meta_graph, outputs, feeds, updates)
        scope = "{}_apply_{}".format(self._scope.split("/")[-1], (signature or "default").replace(":", "_"))
        find = self._import_call(cut, dict(self._state, **feeds), scope, updates)
        results = {key: meta_graph.assemble(info, find) for key, info in definition.outputs.items()}
        return results if as_dict else results["default"]

    def get_signature_names(self) -> List[str]:
        """The names of the signatures."""
        return sorted(self._meta_graph.signature_def)

    def get_input_info_dict(self, signature: Optional[str] = None) -> Dict[str, TensorDescription]:
        """What a signature takes, by name."""
        return _describe(self._signature_def(signature).inputs)

    def get_output_info_dict(self, signature: Optional[str] = None) -> Dict[str, TensorDescription]:
        """What a signature gives, by name."""
        return _describe(self._signature_def(signature).outputs)

    def get_attached_message(self, key: str, message_type: Type[Message], required: bool = False) -> Optional[Message]:
        """A message that the author attached to the module.

        Args:
            key: Its key.
            message_type: The protobuf class to read it as.
            required: Whether its absence is an error.

        Returns:
            The message, or ``None``.

        Raises:
            KeyError: It is required, and there is none.
        """
        collection = self._meta_graph.collection_def
        for packed in collection[_ATTACHMENTS].bytes_list.value if _ATTACHMENTS in collection else ():
            attachment = wire.Message(wire.Source.of_bytes(packed), "ModuleAttachment")
            if attachment.text("key") == key:
                return message_type.FromString(attachment.data("value"))
        if required:
            raise KeyError("no message is attached to the module under {!r}".format(key))
        return None

    def export(self, path: str, session: Session) -> None:
        """Writes the module with the values that its variables have in a session.

        Args:
            path: The directory to write; nothing may be there yet.
            session: A session of the module's graph.
        """
        with export_dir.writing(path) as directory:
            os.rmdir(directory)  # copytree makes it, and before Python 3.8 it insists.
            shutil.copytree(self._path, directory, ignore=shutil.ignore_patterns("variables"))
            slices = {name: value if isinstance(value, list) else [value] for name, value in self.variable_map.items()}
            module_variables.write(module_variables.fetch(session, slices), directory)

    def _signature_def(self, signature: Optional[str]) -> SignatureDef:
        return self._meta_graph.signature_def[signature or "default"]

    def _import_state(self) -> VariableMap:
        v1 = _v1()
        state = meta_graph.cut_to_state(self._meta_graph, self._trainable)
        meta_graph.share_names_below(state, self._scope)
        before = len(v1.get_collection_ref(v1.GraphKeys.GLOBAL_VARIABLES))
        parent, _, name = self._scope.rpartition("/")
        with v1.name_scope(parent + "/" if parent else None):
            v1.train.import_meta_graph(state, import_scope=name)
        return _name_variables(v1.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)[before:], self._scope)

    def _map_state(self) -> Dict[str, TfTensor]:
        """The tensors of the module's state: of stateful ops without inputs, such as variables and tables."""
        tensors = {}
        for node in self._meta_graph.graph_def.node:
            try:
                op = self._graph.get_operation_by_name("{}/{}".format(self._scope, node.name))
            except KeyError:
                continue
            if op.op_def.is_stateful and not op.inputs and len(op.outputs) == 1:
                tensors[op.outputs[0].name[len(self._scope) + 1 :]] = op.outputs[0]
        return tensors

    def _feed(self, definition: SignatureDef, inputs: Mapping[str, Inputs]) -> Dict[str, TfTensor]:
        """The tensors that replace the signature's placeholders, by the names of these in the module."""
        tf = packages.import_tensorflow()
        feeds: Dict[str, TfTensor] = {}
        for key, info in definition.inputs.items():
            value = inputs[key]
            if info.WhichOneof("encoding") == "name":
                value = tf.convert_to_tensor(value, dtype=tf.as_dtype(info.dtype))
            feeds.update(zip(meta_graph.component_names(info), tf.nest.flatten(value, expand_composites=True)))
        return feeds

    def _import_call(
        self, cut: MetaGraphDef, feeds: Mapping[str, TfTensor], scope: str, updates: List[str]
    ) -> FindTensor:
        """Imports the graph of a call into the current graph."""
        v1 = _v1()
        graph = v1.get_default_graph()
        _replace_by_placeholders(cut.graph_def, feeds)
        kept = {node.name for node in cut.graph_def.node}
        input_map = {name: tensor for name, tensor in feeds.items() if meta_graph.node_of(name) in kept}
        absolute = graph.unique_name(scope, mark_as_used=False)
        meta_graph.share_names_below(cut, absolute)

        def find(name: str) -> TfTensor:
            # An output may be an input, or state, itself.
            return feeds[name] if name in feeds else graph.get_tensor_by_name("{}/{}".format(absolute, name))

        if graph.building_function:
            outer = {name: graph.capture(tensor) for name, tensor in input_map.items()}
            v1.import_graph_def(cut.graph_def, input_map=outer, name=absolute.split("/")[-1])
            return _after(find, [graph.as_graph_element("{}/{}".format(absolute, name)) for name in updates])
        v1.train.import_meta_graph(cut, input_map=_enter_context(input_map), import_scope=absolute.split("/")[-1])
        return find


_ATTACHMENTS = "hub_module_attachments"


def _v1() -> TfModule:
    return packages.import_tensorflow().compat.v1


def _claim_scope(name: str) -> str:
    """A scope below the current variable scope that neither a variable nor an op has used, as ``hub.Module`` does."""
    v1 = _v1()
    parent = v1.get_variable_scope().name
    while True:
        with v1.variable_scope(None, default_name=name, auxiliary_name_scope=False) as scope:
            claimed = str(scope.name)
        with v1.name_scope(parent + "/" if parent else None):
            free = v1.get_default_graph().unique_name(claimed.split("/")[-1], mark_as_used=False)
        if free == claimed:
            return claimed


def _name_variables(variables: Iterable[TfVariable], scope: str) -> VariableMap:
    """The variables by their names in the module, the slices of a partitioned one as a list in order."""
    named: VariableMap = {}
    slices: Dict[str, List[TfVariable]] = {}
    for variable in variables:
        slice_info = tracking.slice_of(variable)
        if slice_info is None:
            named[variable.op.name[len(scope) + 1 :]] = variable
        else:
            slices.setdefault(slice_info.full_name[len(scope) + 1 :], []).append(variable)
    for name, unordered in slices.items():
        named[name] = sorted(unordered, key=lambda variable: list(tracking.slice_of(variable).var_offset))
    return named


def _replace_by_placeholders(graph_def: GraphDef, feeds: Mapping[str, TfTensor]) -> None:
    """Turns the nodes that are fed into placeholders, so that they make no second state and need no inputs."""
    dtypes = {meta_graph.node_of(name): tensor.dtype.base_dtype for name, tensor in feeds.items()}
    for node in graph_def.node:
        if node.name in dtypes:
            node.op = "Placeholder"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = dtypes[node.name].as_datatype_enum


def _enter_context(input_map: Dict[str, TfTensor]) -> Dict[str, TfTensor]:
    """Brings tensors into the TF1 loop or condition that is being built."""
    context = ops.control_flow_context()
    return {name: context.AddValue(tensor) for name, tensor in input_map.items()} if context else input_map


def _after(find: FindTensor, updates: List[Op]) -> FindTensor:
    """Makes the tensors depend on the updates: inside a function nothing else would run them."""
    tf = packages.import_tensorflow()

    def find_after(name: str) -> TfTensor:
        with tf.control_dependencies(updates):
            return tf.identity(find(name))

    return find_after if updates else find


def _describe(infos: Mapping[str, TensorInfo]) -> Dict[str, TensorDescription]:
    tf = packages.import_tensorflow()
    described = {}
    for key, info in infos.items():
        kind = info.WhichOneof("encoding")
        # The dtype of a composite tensor is that of its components.
        dtype = info.composite_tensor.components[0].dtype if kind == "composite_tensor" else info.dtype
        described[key] = TensorDescription(tf.as_dtype(dtype), tf.TensorShape(info.tensor_shape), kind == "coo_sparse")
    return described
