"""Runs a full TF1 graph in a session of its own.

``tf.saved_model.load`` turns a graph into functions. It cannot do so with variables of reference type, outputs that are
listed twice, and ops that need a placeholder which is not an input. TF1's own loader runs such graphs unchanged.
"""

from __future__ import annotations

import functools
from typing import Dict, List, Mapping

from unihub import errors
from unihub._call.signature_call import bind_inputs, select_output
from unihub._plan.plan import Plan
from unihub._strategies.loaded_model import WrappedModel
from unihub._tf import packages
from unihub._tf.types import ArrayValue, Inputs, MetaGraphDef, Session, TensorNest, TfTensor
from unihub._types import Signature


class SessionModel(WrappedModel):
    """A model that lives in a session; inference only."""

    @classmethod
    def load(cls, plan: Plan) -> SessionModel:
        """Loads the model of a plan into a new graph and session."""
        v1 = packages.import_tensorflow().compat.v1
        session = v1.Session(graph=v1.Graph())
        with session.graph.as_default():
            meta_graph = v1.saved_model.loader.load(session, sorted(plan.tags), plan.source)
        return cls(plan, session, meta_graph)

    def __init__(self, plan: Plan, session: Session, meta_graph: MetaGraphDef) -> None:
        super().__init__(plan, session)
        self._signature_defs = meta_graph.signature_def
        with session.graph.as_default():
            self.variables = list(packages.import_tensorflow().compat.v1.global_variables())
        self.trainable_variables = []
        self.regularization_losses = []
        self.weights_to_train = []
        self.losses_to_train = []
        self.signatures = {
            signature.name: functools.partial(self._call_by_name, signature) for signature in plan.meta_graph.signatures
        }

    def apply(self, inputs: Inputs, training: bool, arguments: Mapping[str, Inputs]) -> TensorNest:
        """Calls the signature of the plan."""
        signature, request = self.plan.signature, self.plan.request
        if signature is None:
            raise errors.SignatureError.required(self.info.path, self.plan.meta_graph.signatures)
        what = "the signature {!r}".format(signature.name)
        return select_output(self._call_signature(signature, inputs), request.output_key, request.as_dict, what)

    def _call_by_name(self, signature: Signature, *args: Inputs, **kwargs: Inputs) -> Dict[str, TfTensor]:
        return self._call_signature(signature, args[0] if args else kwargs)

    def _call_signature(self, signature: Signature, inputs: Inputs) -> Dict[str, TfTensor]:
        """Calls the session through ``tf.numpy_function``, which also works inside a ``tf.function``."""
        tf = packages.import_tensorflow()
        bound = bind_inputs(signature, inputs)
        names = sorted(bound)
        outputs = tf.numpy_function(
            functools.partial(self._run_session, signature, names),
            [bound[name] for name in names],
            [tf.as_dtype(output.dtype) for output in signature.outputs],
        )
        # tf.numpy_function returns an only output without a list.
        named = dict(zip((output.name for output in signature.outputs), tf.nest.flatten(outputs)))
        for output in signature.outputs:
            named[output.name] = tf.ensure_shape(named[output.name], output.shape)
        return named

    def _run_session(self, signature: Signature, names: List[str], *values: ArrayValue) -> List[ArrayValue]:
        definition = self._signature_defs[signature.name]
        feeds = {definition.inputs[name].name: value for name, value in zip(names, values)}
        fetches = [definition.outputs[output.name].name for output in signature.outputs]
        results: List[ArrayValue] = self.native.run(fetches, feeds)
        return results
