"""Cut a TF1 graph down to what one signature reaches.

A TF1 graph holds everything its author's graph held: training, other signatures, placeholders that are never fed. The
cut follows it from the outputs of a signature to its inputs, and then from the state that was reached to what
initializes that state. Of the restore op and the init op it keeps only the parts that touch the state.
"""

from __future__ import annotations

from typing import Iterable, List, Sequence, Set

from unihub._graph import meta_graph as module_graph
from unihub._graph.meta_graph import component_names, node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._partial.function_library import FunctionLibrary
from unihub._partial.subset import Subset
from unihub._tf import saved_model
from unihub._tf.types import MetaGraphDef, NodeDef, TensorInfo
from unihub._types import Use

_VARIABLES = ("variables", "trainable_variables", "model_variables", "local_variables")
_REFERENCES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
_INIT_SIGNATURE = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_TABLES = "table_initializer"
_ASSETS = "saved_model_assets"
_RESTORE = "unihub_restore"
_INIT = "unihub_init"

# Ops whose state lives on between runs; a TensorArray or a stack does not.
_STATE_ENDINGS = ("HandleOp", "HashTable", "HashTableV2", "HashTableOfTensors", "HashTableOfTensorsV2", "Variable")
_OTHER_STATE = ("Queue", "QueueV2", "Iterator", "IteratorV2", "Barrier", "Reader", "ReaderV2", "Stage", "Mutex")


def cut(meta_graph: MetaGraphDef, use: Use) -> Subset:
    """Cut a MetaGraph down to what a signature reaches.

    Args:
        meta_graph: A ``MetaGraphDef`` without an object graph; it is not changed.
        use: The signature.

    Returns:
        The subset; its counts are of nodes.

    Raises:
        NotUnderstood: Something cannot be followed.
    """
    if use.signature is None or use.signature not in meta_graph.signature_def:
        raise NotUnderstood("there is no signature {}".format(use.signature))
    return _Reach(meta_graph, use.signature).assemble()


class _Reach:
    """What has been reached of a graph."""

    def __init__(self, meta_graph: MetaGraphDef, signature: str) -> None:
        self._meta_graph = meta_graph
        self._nodes = {node.name: node for node in meta_graph.graph_def.node}
        self._library = FunctionLibrary(meta_graph.graph_def.library)
        self._signature = signature
        definition = meta_graph.signature_def[signature]
        fed = [name for info in definition.inputs.values() for name in component_names(info)]
        if len(set(fed)) != len(fed):
            raise NotUnderstood("two inputs are the same tensor")
        self._fed = {node_of(name) for name in fed}
        self._check_fed(fed)
        outputs = [name for info in definition.outputs.values() for name in component_names(info)]
        self._reached: Set[str] = set()
        self._restore: List[str] = []
        self._init: List[str] = []
        self._keep([node_of(name) for name in fed + outputs])
        self._keep_state()
        self._check_placeholders([node_of(name) for name in outputs])

    def assemble(self) -> Subset:
        """Build the MetaGraph of what was reached."""
        cut = type(self._meta_graph)()
        cut.meta_info_def.CopyFrom(self._meta_graph.meta_info_def)
        cut.graph_def.versions.CopyFrom(self._meta_graph.graph_def.versions)
        for node in self._meta_graph.graph_def.node:
            if node.name in self._reached:
                self._copy_node(node, cut.graph_def.node.add())
        module_graph.drop_colocations(cut.graph_def)
        names = self._library.closure(cut.graph_def.node)
        self._library.copy(names, names, cut.graph_def.library)
        cut.signature_def[self._signature].CopyFrom(self._meta_graph.signature_def[self._signature])
        self._copy_collections(cut)
        self._copy_assets(cut)
        self._add_group(cut, _INIT, self._init)
        self._add_group(cut, _RESTORE, self._restore)
        if self._restore:
            cut.saver_def.CopyFrom(self._meta_graph.saver_def)
            cut.saver_def.restore_op_name = _RESTORE
        if self._init:
            cut.collection_def[_INIT_COLLECTIONS[0]].node_list.value.append(_INIT)
        return Subset(cut, len(cut.graph_def.node), len(self._nodes))

    # Following.

    def _keep(self, roots: Iterable[str]) -> None:
        """Keep nodes and all they need; loops and conditions are kept in full."""
        waiting = [name for name in roots if name not in self._reached]
        missing = [name for name in waiting if name not in self._nodes]
        if missing:
            raise NotUnderstood("there is no node {}".format(missing[0]))
        stops = self._fed | self._reached
        self._reached |= module_graph.reach(self._nodes, waiting, stops - set(waiting) | self._fed)
        self._reached |= module_graph.reach_loops(self._meta_graph, self._reached, self._fed)

    def _keep_state(self) -> None:
        """Keep what initializes the reached state; that may reach more state."""
        done: Set[str] = set()
        while True:
            state = self._state() - done
            if not state:
                return
            done |= state
            for name in state:
                self._keep_description(name)
            self._restore += self._touching(state, self._restore_roots())
            self._init += self._touching(state, self._init_roots())
            self._keep(self._restore + self._init)

    def _state(self) -> Set[str]:
        state = set()
        for name in self._reached:
            op = self._nodes[name].op
            if op.endswith(_OTHER_STATE) and not op.startswith(("TensorArray", "Stack")):
                raise NotUnderstood("{} ({}) holds state of a kind that unihub cannot follow".format(name, op))
            if op in _REFERENCES or op.endswith(_STATE_ENDINGS):
                state.add(name)
        return state

    def _keep_description(self, name: str) -> None:
        """Keep the nodes that the collections list for a variable."""
        for key in _VARIABLES:
            for packed in self._variables_in(key):
                variable = saved_model.variable_message().FromString(packed)
                if node_of(variable.variable_name) == name:
                    parts = [variable.variable_name, variable.initializer_name]
                    parts += [variable.snapshot_name, variable.initial_value_name]
                    self._keep([node_of(part) for part in parts if part])

    def _variables_in(self, key: str) -> Sequence[bytes]:
        if key not in self._meta_graph.collection_def:
            return ()
        packed: Sequence[bytes] = self._meta_graph.collection_def[key].bytes_list.value
        return packed

    def _restore_roots(self) -> List[str]:
        saver = self._meta_graph.saver_def
        if not saver.restore_op_name:
            return []
        self._keep([node_of(saver.filename_tensor_name)])
        return [node_of(saver.restore_op_name)]

    def _init_roots(self) -> List[str]:
        if _INIT_SIGNATURE in self._meta_graph.signature_def:
            outputs = self._meta_graph.signature_def[_INIT_SIGNATURE].outputs
            return [node_of(info.name) for info in outputs.values()]
        for key in _INIT_COLLECTIONS:
            names = module_graph.names_in(self._meta_graph, key)
            if names:
                return [node_of(name) for name in names]
        # Without one, TensorFlow runs the initializers of the tables and of the local variables.
        local = [saved_model.variable_message().FromString(packed) for packed in self._variables_in("local_variables")]
        names = module_graph.names_in(self._meta_graph, _TABLES) + [variable.initializer_name for variable in local]
        return [node_of(name) for name in names]

    def _touching(self, state: Set[str], roots: Sequence[str]) -> List[str]:
        """The ops that the roots run and that take the state as an input, in the order of the graph."""
        run = module_graph.reach(self._nodes, roots, set())
        return [
            name
            for name, node in self._nodes.items()
            if name in run and any(node_of(source) in state for source in node.input if not source.startswith("^"))
        ]

    # What is refused.

    def _check_fed(self, fed: Iterable[str]) -> None:
        """Refuse ops with several outputs as inputs: feeding one output cuts off the others, too."""
        for name in fed:
            if ":" in name and not name.endswith(":0"):
                raise NotUnderstood("the input {} is one of several outputs of an op".format(name))
        for node in self._nodes.values():
            for source in node.input:
                if node_of(source) in self._fed and not source.startswith("^") and not _is_first(source):
                    raise NotUnderstood("an input is one of several outputs of {}".format(node_of(source)))

    def _check_placeholders(self, outputs: Sequence[str]) -> None:
        """Refuse what depends on a placeholder; an initial value may, because it is restored and not run."""
        filename = node_of(self._meta_graph.saver_def.filename_tensor_name)
        stops = self._fed | {filename}
        for name in module_graph.reach(self._nodes, [*outputs, *self._restore, *self._init], stops) - stops:
            if self._nodes[name].op == "Placeholder":
                raise NotUnderstood("the placeholder {} is reached and is no input".format(name))

    # Writing.

    def _copy_node(self, node: NodeDef, copy: NodeDef) -> None:
        copy.CopyFrom(node)
        # TensorFlow refuses a graph if it infers another shape than the version that wrote it.
        copy.attr.pop("_output_shapes", None)
        if node.name in self._fed and not node.op.startswith("Placeholder"):
            self._make_placeholder(node, copy)
        elif node.op == "PlaceholderWithDefault" and node.name in self._fed:
            copy.op = "Placeholder"
            del copy.input[:]

    def _make_placeholder(self, node: NodeDef, copy: NodeDef) -> None:
        info = self._info_of(node.name)
        copy.Clear()
        copy.name, copy.op = node.name, "Placeholder"
        copy.attr["dtype"].type = info.dtype
        if info.HasField("tensor_shape"):
            copy.attr["shape"].shape.CopyFrom(info.tensor_shape)
        else:
            copy.attr["shape"].shape.unknown_rank = True

    def _info_of(self, name: str) -> TensorInfo:
        for info in self._meta_graph.signature_def[self._signature].inputs.values():
            if info.WhichOneof("encoding") == "name" and node_of(info.name) == name:
                return info
        raise NotUnderstood("the component {} of a composite input is computed by an op".format(name))

    def _add_group(self, cut: MetaGraphDef, name: str, members: Sequence[str]) -> None:
        if members:
            if name in self._nodes:
                raise NotUnderstood("there is a node {} already".format(name))
            cut.graph_def.node.add(name=name, op="NoOp", input=["^" + member for member in members])

    def _copy_collections(self, cut: MetaGraphDef) -> None:
        for key in _VARIABLES:
            kept = [
                packed
                for packed in self._variables_in(key)
                if node_of(saved_model.variable_message().FromString(packed).variable_name) in self._reached
            ]
            if kept:
                cut.collection_def[key].bytes_list.value.extend(kept)
        module_graph.copy_loops(self._meta_graph, cut, self._reached)

    def _copy_assets(self, cut: MetaGraphDef) -> None:
        """List the asset files that are read, in both fields where TensorFlow looks for them."""
        if _ASSETS in self._meta_graph.collection_def:
            message = saved_model.asset_message()
            for packed in self._meta_graph.collection_def[_ASSETS].any_list.value:
                asset = message()
                packed.Unpack(asset)
                if node_of(asset.tensor_info.name) in self._reached:
                    cut.collection_def[_ASSETS].any_list.value.add().CopyFrom(packed)
        kept = (a for a in self._meta_graph.asset_file_def if node_of(a.tensor_info.name) in self._reached)
        cut.asset_file_def.extend(kept)


def _is_first(source: str) -> bool:
    return ":" not in source or source.endswith(":0")
