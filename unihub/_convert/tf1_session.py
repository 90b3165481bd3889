"""A TF1 model in a session of its own, open for as long as a ``with`` block lasts.

The conversion reads the values of its variables and tables here, and compares its own outputs with those it gives.
"""

from __future__ import annotations

import contextlib
import os
from typing import Dict, FrozenSet, Iterable, Iterator, Mapping, Tuple

from unihub._graph import meta_graph
from unihub._tf import packages
from unihub._tf.types import ArrayValue, MetaGraphDef, Session, SignatureDef
from unihub._types import Format


class Tf1Session:
    """An open model.

    Attributes:
        signatures: The ``SignatureDef`` of each signature by name.
    """

    def __init__(self, session: Session, signatures: Mapping[str, SignatureDef]) -> None:
        self._session = session
        self.signatures = signatures

    def values(self, names: Iterable[str]) -> Dict[str, ArrayValue]:
        """The values of variables by the names of their nodes."""
        raw = packages.import_tensorflow().raw_ops
        ops = {name: self._session.graph.get_operation_by_name(name) for name in names}
        # Add all ops before running any: a session processes the full graph again after it has grown.
        with self._session.graph.as_default():
            reads = {
                name: raw.ReadVariableOp(resource=op.outputs[0], dtype=op.get_attr("dtype"))
                if op.type == "VarHandleOp"
                else op.outputs[0]
                for name, op in ops.items()
            }
        values: Dict[str, ArrayValue] = self._session.run(reads)
        return values

    def contents(self, name: str) -> Tuple[ArrayValue, ArrayValue]:
        """The keys and the values of a lookup table, by the name of its node."""
        raw = packages.import_tensorflow().raw_ops
        op = self._session.graph.get_operation_by_name(name)
        dtypes = {"Tkeys": op.get_attr("key_dtype"), "Tvalues": op.get_attr("value_dtype")}
        export = raw.LookupTableExportV2 if op.type.endswith("V2") else raw.LookupTableExport
        with self._session.graph.as_default():
            exported = export(table_handle=op.outputs[0], **dtypes)
        keys, values = self._session.run(tuple(exported))
        return keys, values

    def run(self, signature: str, inputs: Mapping[str, ArrayValue]) -> Dict[str, ArrayValue]:
        """Call a signature.

        Args:
            signature: Its name.
            inputs: Its inputs by name; a composite tensor as the list of its components.

        Returns:
            Its outputs by name; a composite tensor as the list of its components.
        """
        definition = self.signatures[signature]
        feeds: Dict[str, ArrayValue] = {}
        for name, info in definition.inputs.items():
            names = meta_graph.component_names(info)
            feeds.update(zip(names, inputs[name] if len(names) > 1 else [inputs[name]]))
        fetches = {name: meta_graph.component_names(info) for name, info in definition.outputs.items()}
        fetched = self._session.run(fetches, feeds)
        return {name: values if len(values) > 1 else values[0] for name, values in fetched.items()}


@contextlib.contextmanager
def opened(path: str, format: Format, tags: FrozenSet[str]) -> Iterator[Tf1Session]:
    """Open one variant of a model.

    Args:
        path: The directory of the model.
        format: ``tf1-hub`` or ``tf1-saved-model``.
        tags: The variant.

    Yields:
        The open model.
    """
    tf = packages.import_tensorflow()
    v1 = tf.compat.v1
    # The caller runs eagerly, so the graph is the default graph only while it is built.
    with contextlib.closing(v1.Session(graph=tf.Graph())) as session:
        with session.graph.as_default():
            if format is Format.TF1_HUB:
                variant = meta_graph.read_variant(path, tags)
                _restore_module(session, variant, path)
            else:
                variant = v1.saved_model.loader.load(session, sorted(tags), path)
        yield Tf1Session(session, variant.signature_def)


def _restore_module(session: Session, variant: MetaGraphDef, path: str) -> None:
    """Import a TF1 Hub module, which has no saver: the checkpoint has its variables under their own names."""
    v1 = packages.import_tensorflow().compat.v1
    v1.train.import_meta_graph(variant, clear_devices=True)
    variables = v1.global_variables()
    if variables:
        v1.train.Saver(variables).restore(session, os.path.join(path, "variables", "variables"))
    session.run(v1.get_collection(v1.GraphKeys.TABLE_INITIALIZERS))
