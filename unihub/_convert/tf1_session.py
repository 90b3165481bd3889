"""A TF1 model as TF1 runs it: its whole graph in a session of its own, for as long as a ``with`` block lasts.

What is converted from it is read from here and measured against it.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, FrozenSet, Iterable, Iterator, Mapping

from unihub._graph import meta_graph as module_graph
from unihub._tf import packages
from unihub._types import Format


class Tf1Session:
    """An open model.

    Attributes:
        signatures: The ``SignatureDef`` of each signature by name.
    """

    def __init__(self, session: Any, signatures: Mapping[str, Any]) -> None:
        self._session = session
        self.signatures = signatures

    def values(self, names: Iterable[str]) -> Dict[str, Any]:
        """The values of variables, by the names of their nodes."""
        raw = packages.import_tensorflow().raw_ops
        ops = {name: self._session.graph.get_operation_by_name(name) for name in names}
        # All ops first: a session takes in the whole graph anew when it has grown.
        with self._session.graph.as_default():
            reads = {
                name: raw.ReadVariableOp(resource=op.outputs[0], dtype=op.get_attr("dtype"))
                if op.type == "VarHandleOp"
                else op.outputs[0]
                for name, op in ops.items()
            }
        found: Dict[str, Any] = self._session.run(reads)
        return found

    def contents(self, name: str) -> Any:
        """The keys and the values of a lookup table, by the name of its node."""
        raw = packages.import_tensorflow().raw_ops
        op = self._session.graph.get_operation_by_name(name)
        dtypes = {"Tkeys": op.get_attr("key_dtype"), "Tvalues": op.get_attr("value_dtype")}
        export = raw.LookupTableExportV2 if op.type.endswith("V2") else raw.LookupTableExport
        with self._session.graph.as_default():
            contents = export(table_handle=op.outputs[0], **dtypes)
        return self._session.run(tuple(contents))

    def run(self, signature: str, inputs: Mapping[str, Any]) -> Dict[str, Any]:
        """Calls a signature.

        Args:
            signature: Its name.
            inputs: Its inputs by name; a composite as the list of its parts.

        Returns:
            Its outputs by name; a composite as the list of its parts.
        """
        definition = self.signatures[signature]
        feeds: Dict[str, Any] = {}
        for name, info in definition.inputs.items():
            names = module_graph.component_names(info)
            feeds.update(zip(names, inputs[name] if len(names) > 1 else [inputs[name]]))
        fetches = {name: module_graph.component_names(info) for name, info in definition.outputs.items()}
        found = self._session.run(fetches, feeds)
        return {name: parts if len(parts) > 1 else parts[0] for name, parts in found.items()}


@contextlib.contextmanager
def opened(path: str, format: Format, tags: FrozenSet[str]) -> Iterator[Tf1Session]:
    """Opens one variant of a model.

    Args:
        path: The directory of the model.
        format: ``tf1-hub`` or ``tf1-saved-model``.
        tags: The variant.

    Yields:
        The open model.
    """
    tf = packages.import_tensorflow()
    v1 = tf.compat.v1
    # The caller goes on in eager TensorFlow, so the graph is the default one only while it is filled.
    with contextlib.closing(v1.Session(graph=tf.Graph())) as session:
        with session.graph.as_default():
            if format is Format.TF1_HUB:
                meta_graph = module_graph.read_variant(path, tags)
                _restore_module(session, meta_graph, path)
            else:
                meta_graph = v1.saved_model.loader.load(session, sorted(tags), path)
        yield Tf1Session(session, meta_graph.signature_def)


def _restore_module(session: Any, meta_graph: Any, path: str) -> None:
    """A TF1 Hub module has no saver of its own: its variables have their names in the checkpoint."""
    v1 = packages.import_tensorflow().compat.v1
    v1.train.import_meta_graph(meta_graph, clear_devices=True)
    variables = v1.global_variables()
    if variables:
        v1.train.Saver(variables).restore(session, os.path.join(path, "variables", "variables"))
    session.run(v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
