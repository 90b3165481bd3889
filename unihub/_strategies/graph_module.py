"""``hub.Module`` where tensorflow_hub has none: a TF1 Hub module in the current graph, of any TensorFlow from 1.14.

The interface, the names of variables and scopes, and what goes into which collection are those of ``hub.Module``
(https://www.tensorflow.org/hub/tf1_hub_module), so that checkpoints and training code written for it go on working.
A test runs both side by side where both exist.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Union

from unihub._graph import export_dir, meta_graph, module_variables
from unihub._saved_model.wire import Message, Source
from unihub._tf import ops, packages, tracking


class TensorDescription(NamedTuple):
    """What a signature takes or gives under one name.

    Attributes:
        dtype: A ``tf.DType``.
        shape: A ``tf.TensorShape``.
        is_sparse: Whether it is a ``SparseTensor``.
    """

    dtype: Any
    shape: Any
    is_sparse: bool

    def get_shape(self) -> Any:
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
        variable_map: The variables by their names in the module; a partitioned one is a list of its parts.
    """

    def __init__(self, path: str, trainable: bool = False, name: str = "module", tags: Iterable[str] = ()) -> None:
        v1 = _v1()
        self._path = path
        self._trainable = trainable
        self._meta_graph = meta_graph.read_variant(path, tags)
        self._graph = v1.get_default_graph()
        # State is made once, whatever the place it is made from waits for.
        with self._graph.control_dependencies(None):
            self._scope = _claim_scope(name)
            self.variable_map: Dict[str, Union[Any, List[Any]]] = self._import_state()
        self._state = self._map_state()
        if self.variable_map:
            checkpoint = os.path.join(path, "variables", "variables")
            v1.train.init_from_checkpoint(checkpoint, self.variable_map)

    @property
    def variables(self) -> List[Any]:
        """All variables, the parts of partitioned ones each for itself."""
        found: List[Any] = []
        for _, variable in sorted(self.variable_map.items()):
            found += variable if isinstance(variable, list) else [variable]
        return found

    def __call__(self, inputs: Any = None, signature: Optional[str] = None, as_dict: bool = False) -> Any:
        """Puts the ops of a signature into the graph.

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
        found = {key: meta_graph.assemble(info, find) for key, info in definition.outputs.items()}
        return found if as_dict else found["default"]

    def get_signature_names(self) -> List[str]:
        """The names of the signatures."""
        return sorted(self._meta_graph.signature_def)

    def get_input_info_dict(self, signature: Optional[str] = None) -> Dict[str, TensorDescription]:
        """What a signature takes, by name."""
        return _describe(self._signature_def(signature).inputs)

    def get_output_info_dict(self, signature: Optional[str] = None) -> Dict[str, TensorDescription]:
        """What a signature gives, by name."""
        return _describe(self._signature_def(signature).outputs)

    def get_attached_message(self, key: str, message_type: Any, required: bool = False) -> Any:
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
            attachment = Message(Source.of_bytes(packed), "ModuleAttachment")
            if attachment.text("key") == key:
                return message_type.FromString(attachment.data("value"))
        if required:
            raise KeyError("no message is attached to the module under {!r}".format(key))
        return None

    def export(self, path: str, session: Any) -> None:
        """Writes the module with the values that its variables have in a session.

        Args:
            path: The directory to write; nothing may be there yet.
            session: A session of the module's graph.
        """
        with export_dir.writing(path) as directory:
            os.rmdir(directory)  # copytree makes it, and before Python 3.8 it insists.
            shutil.copytree(self._path, directory, ignore=shutil.ignore_patterns("variables"))
            parts = {name: part if isinstance(part, list) else [part] for name, part in self.variable_map.items()}
            module_variables.write(module_variables.fetch(session, parts), directory)

    def _signature_def(self, signature: Optional[str]) -> Any:
        return self._meta_graph.signature_def[signature or "default"]

    def _import_state(self) -> Dict[str, Union[Any, List[Any]]]:
        v1 = _v1()
        state = meta_graph.cut_to_state(self._meta_graph, self._trainable)
        meta_graph.share_names_below(state, self._scope)
        before = len(v1.get_collection_ref(v1.GraphKeys.GLOBAL_VARIABLES))
        parent, _, name = self._scope.rpartition("/")
        with v1.name_scope(parent + "/" if parent else None):
            v1.train.import_meta_graph(state, import_scope=name)
        return _name_variables(v1.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)[before:], self._scope)

    def _map_state(self) -> Dict[str, Any]:
        """What holds the module's state: ops that keep something and take nothing, such as variables and tables."""
        found = {}
        for node in self._meta_graph.graph_def.node:
            try:
                op = self._graph.get_operation_by_name("{}/{}".format(self._scope, node.name))
            except KeyError:
                continue
            if op.op_def.is_stateful and not op.inputs and len(op.outputs) == 1:
                found[op.outputs[0].name[len(self._scope) + 1 :]] = op.outputs[0]
        return found

    def _feed(self, definition: Any, inputs: Mapping[str, Any]) -> Dict[str, Any]:
        """The tensors that take the places of the signature's placeholders, by their names in the module."""
        tf = packages.import_tensorflow()
        feeds: Dict[str, Any] = {}
        for key, info in definition.inputs.items():
            value = inputs[key]
            if info.WhichOneof("encoding") == "name":
                value = tf.convert_to_tensor(value, dtype=tf.as_dtype(info.dtype))
            feeds.update(zip(meta_graph.component_names(info), tf.nest.flatten(value, expand_composites=True)))
        return feeds

    def _import_call(self, cut: Any, feeds: Mapping[str, Any], scope: str, updates: List[str]) -> Any:
        """Puts the graph of a call into the current one; returns what finds a tensor in it by its old name."""
        v1 = _v1()
        graph = v1.get_default_graph()
        _replace_by_placeholders(cut.graph_def, feeds)
        held = {node.name for node in cut.graph_def.node}
        input_map = {name: tensor for name, tensor in feeds.items() if meta_graph.node_of(name) in held}
        absolute = graph.unique_name(scope, mark_as_used=False)
        meta_graph.share_names_below(cut, absolute)

        def find(name: str) -> Any:
            # An output may be an input, or state, itself.
            return feeds[name] if name in feeds else graph.get_tensor_by_name("{}/{}".format(absolute, name))

        if graph.building_function:
            outer = {name: graph.capture(tensor) for name, tensor in input_map.items()}
            v1.import_graph_def(cut.graph_def, input_map=outer, name=absolute.split("/")[-1])
            return _after(find, [graph.as_graph_element("{}/{}".format(absolute, name)) for name in updates])
        v1.train.import_meta_graph(cut, input_map=_enter_context(input_map), import_scope=absolute.split("/")[-1])
        return find


_ATTACHMENTS = "hub_module_attachments"


def _v1() -> Any:
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


def _name_variables(variables: Iterable[Any], scope: str) -> Dict[str, Union[Any, List[Any]]]:
    """The variables by their names in the module, the parts of a partitioned one together and in order."""
    named: Dict[str, Any] = {}
    parts: Dict[str, List[Any]] = {}
    for variable in variables:
        part = tracking.slice_of(variable)
        if part is None:
            named[variable.op.name[len(scope) + 1 :]] = variable
        else:
            parts.setdefault(part.full_name[len(scope) + 1 :], []).append(variable)
    for name, found in parts.items():
        named[name] = sorted(found, key=lambda variable: list(tracking.slice_of(variable).var_offset))
    return named


def _replace_by_placeholders(graph_def: Any, feeds: Mapping[str, Any]) -> None:
    """Makes the nodes whose places are taken hold nothing: no second state, and no inputs of their own."""
    dtypes = {meta_graph.node_of(name): tensor.dtype.base_dtype for name, tensor in feeds.items()}
    for node in graph_def.node:
        if node.name in dtypes:
            node.op = "Placeholder"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = dtypes[node.name].as_datatype_enum


def _enter_context(input_map: Dict[str, Any]) -> Dict[str, Any]:
    """Brings tensors into the TF1 loop or condition that is being built."""
    context = ops.control_flow_context()
    return {name: context.AddValue(tensor) for name, tensor in input_map.items()} if context else input_map


def _after(find: Any, updates: List[Any]) -> Any:
    """Lets what is found wait for the updates: inside a function nothing else would run them."""
    tf = packages.import_tensorflow()

    def find_after(name: str) -> Any:
        with tf.control_dependencies(updates):
            return tf.identity(find(name))

    return find_after if updates else find


def _describe(infos: Mapping[str, Any]) -> Dict[str, TensorDescription]:
    tf = packages.import_tensorflow()
    found = {}
    for key, info in infos.items():
        kind = info.WhichOneof("encoding")
        # A composite has its dtype in its parts.
        dtype = info.composite_tensor.components[0].dtype if kind == "composite_tensor" else info.dtype
        found[key] = TensorDescription(tf.as_dtype(dtype), tf.TensorShape(info.tensor_shape), kind == "coo_sparse")
    return found
