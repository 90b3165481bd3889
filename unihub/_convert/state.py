"""The state of a TF1 model as TF2 objects: variables with their values, lookup tables, asset files.

All variants of a model share one state. As in TF1, nodes of the same name share a variable or table.
"""

from __future__ import annotations

import uuid
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Tuple

from unihub._convert.control_flow import import_graph
from unihub._graph import meta_graph
from unihub._graph.meta_graph import node_of
from unihub._graph.unsupported import NotUnderstood
from unihub._tf import packages, tracking
from unihub._tf.types import ArrayValue, AttrValue, GraphDef, NodeDef, TfShape, TfTensor, TfVariable, Trackable

_TABLES = frozenset({"HashTableV2", "MutableDenseHashTableV2", "MutableHashTableOfTensorsV2", "MutableHashTableV2"})
_FILLING = frozenset(
    {"InitializeTableFromDataset", "InitializeTableFromTextFileV2", "InitializeTableV2", "LookupTableImportV2"}
)
# Ops whose resource is created again in each run, so it is not state.
_NO_STATE = ("TensorArray", "Stack")


class State:
    """Variables, tables and assets, by the names of their nodes.

    Attributes:
        variables: Each ``tf.Variable``.
        tables: Each lookup table.
        assets: Each ``tf.saved_model.Asset``, one per file.
    """

    def __init__(self) -> None:
        self.variables: Dict[str, TfVariable] = {}
        self.tables: Dict[str, Trackable] = {}
        self.assets: Dict[str, Trackable] = {}
        self._files: Dict[str, Trackable] = {}

    def feeds(self) -> Dict[str, TfTensor]:
        """The tensors that replace the state's nodes in a graph, by the names of the nodes' tensors."""
        feeds = {name + ":0": variable.handle for name, variable in self.variables.items()}
        feeds.update((name + ":0", table.resource_handle) for name, table in self.tables.items())
        feeds.update((name + ":0", asset.asset_path) for name, asset in self.assets.items())
        return feeds

    @property
    def files(self) -> List[str]:
        """The paths of the assets."""
        return sorted(self._files)

    def add_variable(self, node: NodeDef, value: ArrayValue, trainable: bool) -> None:
        """Create the variable of a node.

        Args:
            node: Its node.
            value: Its value.
            trainable: Whether training changes it.
        """
        tf = packages.import_tensorflow()
        dtype = tf.as_dtype(node.attr["dtype"].type)
        shape = _shape_of(node, value)
        self.variables[node.name] = tf.Variable(value, trainable, name=node.name, dtype=dtype, shape=shape)

    def add_asset(self, name: str, path: str) -> None:
        """Create the asset of a node that holds the path of a file."""
        asset = packages.import_tensorflow().saved_model.Asset
        if path not in self._files:
            self._files[path] = asset(path)
        self.assets[name] = self._files[path]

    def add_table(self, name: str, graph_def: GraphDef, contents: Optional[Tuple[ArrayValue, ArrayValue]]) -> None:
        """Create a lookup table and fill it.

        Args:
            name: The name of its node.
            graph_def: The graph with the op that fills it.
            contents: Keys and values for a table that no op fills; else ``None``.
        """
        nodes = {node.name: node for node in graph_def.node}
        make = _table_maker(nodes[name], nodes)
        tf = packages.import_tensorflow()
        assets = {key + ":0": asset.asset_path for key, asset in self.assets.items()}

        def fill(handle: TfTensor) -> None:
            if contents is not None:
                tf.raw_ops.LookupTableImportV2(table_handle=handle, keys=contents[0], values=contents[1])
                return
            import_graph(graph_def, dict(assets, **{name + ":0": handle}), [], find_filling(graph_def, name))

        self.tables[name] = table = tracking.table_resource()(make, fill)
        table.fill()


class StateNodes(NamedTuple):
    """The nodes of variables, and those of lookup tables, by name."""

    variables: Dict[str, NodeDef]
    tables: Dict[str, NodeDef]


def find_state(graph_def: GraphDef, wanted: Iterable[str], fed: Iterable[str]) -> StateNodes:
    """Find the variables and the tables that some nodes depend on.

    Args:
        graph_def: A graph whose state is held by resources.
        wanted: The names of the nodes.
        fed: The names of the nodes whose inputs do not count.

    Raises:
        NotUnderstood: They depend on state of another kind, such as a queue.
    """
    nodes = {node.name: node for node in graph_def.node}
    state = StateNodes({}, {})
    for name in sorted(meta_graph.reach(nodes, wanted, set(fed))):
        node = nodes[name]
        if node.op == "VarHandleOp":
            state.variables[name] = node
        elif node.op in _TABLES:
            state.tables[name] = node
        elif _holds_state(node):
            raise NotUnderstood("{} ({}) keeps state of a kind that no SavedModel has.".format(name, node.op))
    return state


def _holds_state(node: NodeDef) -> bool:
    creates_resource = node.op.endswith(
        ("HandleOp", "QueueV2", "Queue", "IteratorV2", "Iterator", "TemporaryVariable", "Barrier")
    )
    return creates_resource and not node.op.startswith(_NO_STATE)


def find_filling(graph_def: GraphDef, table: str) -> List[str]:
    """The ops that fill a table when the model is loaded, without those that restore it from a checkpoint."""
    nodes = {node.name: node for node in graph_def.node}
    filling = []
    for node in graph_def.node:
        if node.op in _FILLING and node_of(node.input[0]) == table:
            needed = meta_graph.reach(nodes, [node.name], set())
            if not any(nodes[name].op.startswith("Restore") for name in needed):
                filling.append(node.name)
    return filling


def _shape_of(node: NodeDef, value: ArrayValue) -> TfShape:
    """The shape that the graph declares for a variable; the shape of its value if the two do not fit."""
    tf = packages.import_tensorflow()
    shape = tf.TensorShape(node.attr["shape"].shape)
    return shape if shape.is_compatible_with(value.shape) else tf.TensorShape(value.shape)


def _table_maker(node: NodeDef, nodes: Mapping[str, NodeDef]) -> Callable[[], TfTensor]:
    """A function that creates the table of a node, under a name that is unique in the process."""
    tf = packages.import_tensorflow()
    arguments = {key: _read_attribute(value) for key, value in node.attr.items() if not key.startswith("_")}
    arguments["shared_name"] = "{}_{}".format(node.name, uuid.uuid4().hex)
    for name, source in zip(("empty_key", "deleted_key"), node.input):
        if nodes[node_of(source)].op != "Const":
            raise NotUnderstood("the table {} is made from {}, which is not a constant.".format(node.name, source))
        arguments[name] = tf.make_ndarray(nodes[node_of(source)].attr["value"].tensor)
        arguments.pop("key_dtype", None)
    return lambda: getattr(tf.raw_ops, node.op)(**arguments)


def _read_attribute(value: AttrValue) -> object:
    kind = value.WhichOneof("value")
    if kind == "type":
        return packages.import_tensorflow().as_dtype(value.type)
    if kind == "shape":
        return packages.import_tensorflow().TensorShape(value.shape)
    return getattr(value, kind)
