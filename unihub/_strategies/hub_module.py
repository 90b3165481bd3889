"""Serves ``api="module"``, as ``hub.Module``: a TF1 Hub module whose variables and ops are in the current graph."""

from __future__ import annotations

import contextlib
import functools
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Type

from unihub import errors
from unihub._call.signature_call import bind_inputs, select_output
from unihub._plan.plan import Plan
from unihub._plan.runtime import building_function
from unihub._strategies.loaded_model import LoadedModel
from unihub._tf import packages
from unihub._tf.types import HubModule as HubModuleType
from unihub._tf.types import Inputs, Native, TensorNest, TfTensor
from unihub._types import Backend, Signature


class HubModule(LoadedModel):
    """A TF1 Hub module in a graph."""

    @classmethod
    def load(cls, plan: Plan) -> HubModule:
        """Loads the module of a plan into the current graph."""
        name = plan.request.name or "module"
        module = _module_type(plan.backend)
        with _watching_collections(plan) as added:
            native = module(plan.source, trainable=plan.request.trainable, name=name, tags=set(plan.tags))
        return cls(plan, native, added)

    def __init__(self, plan: Plan, native: Native, added: Mapping[str, Sequence[TfTensor]]) -> None:
        super().__init__(plan, native)
        self.variables = list(native.variables)
        known = {id(variable) for variable in self.variables}
        trainable = [variable for variable in added["trainable_variables"] if id(variable) in known]
        self.trainable_variables = trainable if plan.request.trainable else []
        self.regularization_losses = [functools.partial(_identity, loss) for loss in added["regularization_losses"]]
        if plan.request.trainable and not trainable:
            raise errors.UnsupportedError.nothing_to_train(self.info.path)
        self.signatures = {
            signature.name: functools.partial(self._call_by_name, signature) for signature in plan.meta_graph.signatures
        }

    def _run(self, inputs: Inputs, training: Optional[bool], arguments: Dict[str, Inputs]) -> TensorNest:
        request = self.plan.request
        signature = self._signature_of_call(arguments.pop("signature", None))
        as_dict = arguments.pop("as_dict", request.as_dict)
        output_key = arguments.pop("output_key", request.output_key)
        for argument in arguments:
            raise errors.InputError.unknown_option(argument, ["training", "signature", "output_key", "as_dict"])
        what = "the signature {!r}".format(signature.name)
        return select_output(self._call_signature(signature, inputs), output_key, as_dict, what)

    def _signature_of_call(self, name: Optional[str]) -> Signature:
        """The signature that a call names, as a call of ``hub.Module`` may, else the plan's."""
        signatures = {signature.name: signature for signature in self.plan.meta_graph.signatures}
        if name is None and self.plan.signature is None:
            raise errors.SignatureError.required(self.info.path, self.plan.meta_graph.signatures)
        if name is not None and name not in signatures:
            raise errors.SignatureError.unknown(self.info.path, name, self.plan.meta_graph.signatures)
        return signatures[name] if name is not None else self.plan.signature  # type: ignore[return-value]

    def _call_by_name(self, signature: Signature, *args: Inputs, **kwargs: Inputs) -> Dict[str, TfTensor]:
        self._check_graph()
        return self._call_signature(signature, args[0] if args else kwargs)

    def _call_signature(self, signature: Signature, inputs: Inputs) -> Dict[str, TfTensor]:
        if building_function():
            raise errors.UnsupportedError.module_inside_function(self.info.path)
        bound = bind_inputs(signature, inputs)
        with _watching_collections(self.plan) as added:
            outputs = self.native(bound or None, signature=signature.name, as_dict=True)
        self.update_ops.extend(added["update_ops"])
        return dict(outputs)


def _module_type(backend: Backend) -> Type[HubModuleType]:
    if backend is Backend.TENSORFLOW_HUB:
        module: Type[HubModuleType] = packages.find_hub_attribute("Module")
        return module
    from unihub._strategies.graph_module import Module

    return Module


def _identity(loss: TfTensor) -> TfTensor:
    return loss


@contextlib.contextmanager
def _watching_collections(plan: Plan) -> Iterator[Dict[str, List[TfTensor]]]:
    """Records what is added to the graph's collections, and removes it again for ``collections=False``."""
    v1 = packages.import_tensorflow().compat.v1
    keys = (v1.GraphKeys.TRAINABLE_VARIABLES, v1.GraphKeys.REGULARIZATION_LOSSES, v1.GraphKeys.UPDATE_OPS)
    before = {key: len(v1.get_collection_ref(key)) for key in keys}
    added: Dict[str, List[TfTensor]] = {}
    yield added
    for key in keys:
        collection = v1.get_collection_ref(key)
        added[key] = collection[before[key] :]
        if not plan.request.collections:
            del collection[before[key] :]
