"""Write a model in the TF1 Hub format, as ``hub.create_module_spec`` and ``hub.Module.export`` do.

Either tensorflow_hub or ``module_spec`` writes the graphs. unihub always writes the values of the variables, because
tensorflow_hub keeps those of a single graph variant only.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple

from unihub import errors
from unihub._graph import module_variables
from unihub._graph.module_variables import Variant
from unihub._plan import python_objects
from unihub._save import backward_compat, module_function, module_spec
from unihub._save.save import SaveRequest, Variants
from unihub._tf import packages, saved_model
from unihub._tf.types import Graph, HubModule, HubModuleSpec, Session, TfVariable
from unihub._types import Backend


def write(request: SaveRequest, directory: str) -> None:
    """Write a module.

    Args:
        request: What to write: a module function, a ``hub.ModuleSpec``, or a loaded module.
        directory: An empty directory.

    Raises:
        UnihubError: The module cannot be written.
    """
    obj = getattr(request.obj, "native", request.obj)
    if hasattr(obj, "variable_map"):
        _refuse(request, "a module that was loaded", "inputs", "signatures", "variants", "checkpoint")
        _export(obj, request.session, directory)
    elif python_objects.is_module_spec(obj):
        _refuse(request, "a hub.ModuleSpec", "inputs", "signatures", "variants")
        _write_spec(obj, request, directory)
    elif callable(obj) and not isinstance(obj, type) and not hasattr(obj, "variables"):
        _refuse(request, "a module function", "inputs", "signatures")
        _write_function(obj, request, directory)
    else:
        raise errors.InputError.not_a_module(obj)
    # tensorflow_hub writes the attributes that older TensorFlows reject, too.
    backward_compat.drop_from(directory)


def _refuse(request: SaveRequest, kind: str, *arguments: str) -> None:
    for argument in arguments:
        value = getattr(request, argument)
        if value is not None and value != () and value != {}:
            raise errors.InputError.no_use_for(argument, kind)


def _export(module: HubModule, session: Optional[Session], directory: str) -> None:
    """Write a module with the values that its variables have in the session."""
    if session is None:
        raise errors.InputError.no_session()
    variables = [variable for partitions in _partitions(module).values() for variable in partitions]
    if any(variable.graph is not session.graph for variable in variables):
        raise errors.InputError.session_of_other_graph()
    with session.graph.as_default():
        module.export(directory, session)


def _write_function(function: Callable[..., Any], request: SaveRequest, directory: str) -> None:
    variants = request.variants or ((frozenset(), {}),)
    _check_tags(variants)
    if request.backend is Backend.TENSORFLOW_HUB:
        _write_spec(_create_spec(function, variants), request, directory)
        return
    spec = module_spec.ModuleSpec(function, variants)
    values = module_variables.collect(spec.variants, request.checkpoint)
    spec.write(directory)
    module_variables.write(values, directory)


def _check_tags(variants: Variants) -> None:
    seen = set()
    for tags, _ in variants:
        if tags in seen:
            raise errors.TagsError.repeated(tags)
        seen.add(tags)


def _create_spec(function: Callable[..., Any], variants: Variants) -> HubModuleSpec:
    """The spec that tensorflow_hub makes of a function, which may call functions of both libraries."""
    hub = packages.import_tensorflow_hub()

    def build(tags: FrozenSet[str], arguments: Mapping[str, Any]) -> None:
        notes = module_function.call(function, arguments)
        for name, (inputs, outputs) in notes.signatures.items():
            hub.add_signature(name, inputs, outputs)
        for key, message in notes.messages.items():
            hub.attach_message(key, message)
        graph = packages.import_tensorflow().compat.v1.get_default_graph()
        module_spec.check_graph(graph, saved_model.hub_signature_names(graph), tags)

    return hub.create_module_spec(build, [(set(tags), {"tags": tags, "arguments": args}) for tags, args in variants])


def _write_spec(spec: HubModuleSpec, request: SaveRequest, directory: str) -> None:
    modules = [(frozenset(tags), *_instantiate(spec, tags)) for tags in spec.get_tags()]
    variants = [Variant(tags, graph, _partitions(module)) for tags, graph, module in modules]
    values = module_variables.collect(variants, request.checkpoint)
    _, graph, module = modules[0]
    v1 = packages.import_tensorflow().compat.v1
    with graph.as_default(), v1.Session() as session:
        session.run([variable.initializer for partitions in variants[0].variables.values() for variable in partitions])
        module.export(directory, session)
    shutil.rmtree(os.path.join(directory, "variables"), ignore_errors=True)
    module_variables.write(values, directory)


def _instantiate(spec: HubModuleSpec, tags: Iterable[str]) -> Tuple[Graph, HubModule]:
    """One variant of a spec in a new graph."""
    with packages.import_tensorflow().Graph().as_default() as graph:
        return graph, packages.find_hub_attribute("Module")(spec, tags=set(tags))


def _partitions(module: HubModule) -> Dict[str, List[TfVariable]]:
    """The variables of a module by name, each as the list of its partitions."""
    return {
        name: variable if isinstance(variable, list) else [variable] for name, variable in module.variable_map.items()
    }
