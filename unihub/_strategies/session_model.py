"""Runs a TF1 graph whole, in a session of its own.

``tf.saved_model.load`` takes a graph apart into functions, and some graphs cannot be: variables of reference type,
outputs that are listed twice, parts that wait for a placeholder nobody feeds. TF1's own loader runs them as they are.
"""

from __future__ import annotations

import functools
from typing import Any, Dict, List, Mapping

from unihub import errors
from unihub._call.signature_call import bind_inputs, select_output
from unihub._plan.plan import Plan
from unihub._strategies.loaded_model import WrappedModel
from unihub._tf import packages
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

    def __init__(self, plan: Plan, session: Any, meta_graph: Any) -> None:
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

    def apply(self, inputs: Any, training: bool, arguments: Mapping[str, Any]) -> Any:
        """Calls the signature of the plan."""
        signature, request = self.plan.signature, self.plan.request
        if signature is None:
            raise errors.SignatureError.required(self.info.path, self.plan.meta_graph.signatures)
        what = "the signature {!r}".format(signature.name)
        return select_output(self._call_signature(signature, inputs), request.output_key, request.as_dict, what)

    def _call_by_name(self, signature: Signature, *args: Any, **kwargs: Any) -> Dict[str, Any]:
        return self._call_signature(signature, args[0] if args else kwargs)

    def _call_signature(self, signature: Signature, inputs: Any) -> Dict[str, Any]:
        """A call through ``tf.numpy_function``, so that it can be made inside a ``tf.function`` too."""
        tf = packages.import_tensorflow()
        bound = bind_inputs(signature, inputs)
        names = sorted(bound)
        outputs = tf.numpy_function(
            functools.partial(self._run_session, signature, names),
            [bound[name] for name in names],
            [tf.as_dtype(output.dtype) for output in signature.outputs],
        )
        # One output comes without its list.
        named = dict(zip((output.name for output in signature.outputs), tf.nest.flatten(outputs)))
        for output in signature.outputs:
            named[output.name] = tf.ensure_shape(named[output.name], output.shape)
        return named

    def _run_session(self, signature: Signature, names: List[str], *values: Any) -> List[Any]:
        definition = self._signature_defs[signature.name]
        feeds = {definition.inputs[name].name: value for name, value in zip(names, values)}
        fetches = [definition.outputs[output.name].name for output in signature.outputs]
        results: List[Any] = self.native.run(fetches, feeds)
        return results
