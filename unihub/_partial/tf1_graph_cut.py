"""The part of a TF1 graph that one signature reaches, as a MetaGraph of its own.

A TF1 graph holds everything its author's graph held: training, other signatures, placeholders that nobody feeds. Here
it is followed from the outputs of a signature to its inputs, and then from the state reached on the way to what gives
that state its value: the restore op and the init op, of which only those parts are kept that touch it.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Sequence, Set

from unihub._graph import meta_graph as module_graph
from unihub._graph.meta_graph import component_names, node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._partial.function_library import FunctionLibrary
from unihub._partial.object_graph_cut import Reached
from unihub._tf import saved_model
from unihub._types import Use

_VARIABLES = ("variables", "trainable_variables", "model_variables", "local_variables")
_REFERENCES = frozenset({"Variable", "VariableV2", "VarHandleOp"})
_INIT_SIGNATURE = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")
_TABLES = "table_initializer"
_ASSETS = "saved_model_assets"
_RESTORE = "unihub_restore"
_INIT = "unihub_init"

# An op that makes state which lives on between runs; a TensorArray or a stack does not.
_STATE_ENDINGS = ("HandleOp", "HashTable", "HashTableV2", "HashTableOfTensors", "HashTableOfTensorsV2", "Variable")
_OTHER_STATE = ("Queue", "QueueV2", "Iterator", "IteratorV2", "Barrier", "Reader", "ReaderV2", "Stage", "Mutex")


def cut(meta_graph: Any, use: Use) -> Reached:
    """The part of a MetaGraph that a signature reaches.

    Args:
        meta_graph: A ``MetaGraphDef`` without an object graph; it is not changed.
        use: The signature.

    Returns:
        The MetaGraph; the counts are of nodes.

    Raises:
        NotUnderstood: Something cannot be followed.
    """
    if use.signature is None or use.signature not in meta_graph.signature_def:
        raise NotUnderstood("there is no signature {}".format(use.signature))
    return _Reach(meta_graph, use.signature).assemble()


class _Reach:
    """What has been reached of a graph."""

    def __init__(self, meta_graph: Any, signature: str) -> None:
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

    def assemble(self) -> Reached:
        """The MetaGraph of what was reached."""
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
        return Reached(cut, len(cut.graph_def.node), len(self._nodes))

    # Following.

    def _keep(self, roots: Iterable[str]) -> None:
        """Keeps nodes and all they need, loops and conditions as wholes."""
        waiting = [name for name in roots if name not in self._reached]
        missing = [name for name in waiting if name not in self._nodes]
        if missing:
            raise NotUnderstood("there is no node {}".format(missing[0]))
        stops = self._fed | self._reached
        self._reached |= module_graph.reach(self._nodes, waiting, stops - set(waiting) | self._fed)
        self._reached |= module_graph.reach_loops(self._meta_graph, self._reached, self._fed)

    def _keep_state(self) -> None:
        """Keeps what gives the reached state its value; that may reach more state."""
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
        found = set()
        for name in self._reached:
            op = self._nodes[name].op
            if op.endswith(_OTHER_STATE) and not op.startswith(("TensorArray", "Stack")):
                raise NotUnderstood("{} ({}) holds state of a kind that is not followed".format(name, op))
            if op in _REFERENCES or op.endswith(_STATE_ENDINGS):
                found.add(name)
        return found

    def _keep_description(self, name: str) -> None:
        """Keeps the nodes that the collections say a variable is made of."""
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
        found: Sequence[bytes] = self._meta_graph.collection_def[key].bytes_list.value
        return found

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
            found = module_graph.names_in(self._meta_graph, key)
            if found:
                return [node_of(name) for name in found]
        # Where there is none, TensorFlow runs the initializers of the tables and of the local variables.
        local = [saved_model.variable_message().FromString(packed) for packed in self._variables_in("local_variables")]
        names = module_graph.names_in(self._meta_graph, _TABLES) + [variable.initializer_name for variable in local]
        return [node_of(name) for name in names]

    def _touching(self, state: Set[str], roots: Sequence[str]) -> List[str]:
        """The ops that the roots run and that take the state itself, in the order of the graph."""
        run = module_graph.reach(self._nodes, roots, set())
        return [
            name
            for name, node in self._nodes.items()
            if name in run and any(node_of(source) in state for source in node.input if not source.startswith("^"))
        ]

    # What is refused.

    def _check_fed(self, fed: Iterable[str]) -> None:
        """A fed tensor is cut off from what makes it, so nobody may use another output of the same op."""
        for name in fed:
            if ":" in name and not name.endswith(":0"):
                raise NotUnderstood("the input {} is one of several outputs of an op".format(name))
        for node in self._nodes.values():
            for source in node.input:
                if node_of(source) in self._fed and not source.startswith("^") and not _is_first(source):
                    raise NotUnderstood("an input is one of several outputs of {}".format(node_of(source)))

    def _check_placeholders(self, outputs: Sequence[str]) -> None:
        """Refuses what waits for a placeholder; an initial value may, for it is restored and not run."""
        filename = node_of(self._meta_graph.saver_def.filename_tensor_name)
        stops = self._fed | {filename}
        for name in module_graph.reach(self._nodes, [*outputs, *self._restore, *self._init], stops) - stops:
            if self._nodes[name].op == "Placeholder":
                raise NotUnderstood("the placeholder {} is reached and is no input".format(name))

    # Writing.

    def _copy_node(self, node: Any, copy: Any) -> None:
        copy.CopyFrom(node)
        # Where an older TensorFlow inferred another shape, a newer one refuses the graph.
        copy.attr.pop("_output_shapes", None)
        if node.name in self._fed and not node.op.startswith("Placeholder"):
            self._make_placeholder(node, copy)
        elif node.op == "PlaceholderWithDefault" and node.name in self._fed:
            copy.op = "Placeholder"
            del copy.input[:]

    def _make_placeholder(self, node: Any, copy: Any) -> None:
        info = self._info_of(node.name)
        copy.Clear()
        copy.name, copy.op = node.name, "Placeholder"
        copy.attr["dtype"].type = info.dtype
        if info.HasField("tensor_shape"):
            copy.attr["shape"].shape.CopyFrom(info.tensor_shape)
        else:
            copy.attr["shape"].shape.unknown_rank = True

    def _info_of(self, name: str) -> Any:
        for info in self._meta_graph.signature_def[self._signature].inputs.values():
            if info.WhichOneof("encoding") == "name" and node_of(info.name) == name:
                return info
        raise NotUnderstood("the part {} of a composite input is made by an op".format(name))

    def _add_group(self, cut: Any, name: str, members: Sequence[str]) -> None:
        if members:
            if name in self._nodes:
                raise NotUnderstood("there is a node {} already".format(name))
            cut.graph_def.node.add(name=name, op="NoOp", input=["^" + member for member in members])

    def _copy_collections(self, cut: Any) -> None:
        for key in _VARIABLES:
            kept = [
                packed
                for packed in self._variables_in(key)
                if node_of(saved_model.variable_message().FromString(packed).variable_name) in self._reached
            ]
            if kept:
                cut.collection_def[key].bytes_list.value.extend(kept)
        module_graph.copy_loops(self._meta_graph, cut, self._reached)

    def _copy_assets(self, cut: Any) -> None:
        """Names the asset files that are read, in both places where TensorFlow looks for them."""
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
