"""What ``hub.create_module_spec`` and ``hub.Module.export`` stand for: a model written in the TF1 Hub format.

Whoever writes the graphs, tensorflow_hub or our own code, the values of the variables are ours to write: tensorflow_hub
keeps those of one graph variant only.
"""

from __future__ import annotations

import os
import shutil
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Tuple

from unihub import errors
from unihub._graph import module_variables
from unihub._graph.module_variables import Variant
from unihub._plan import python_objects
from unihub._save import backward_compat, module_function, module_spec
from unihub._save.save import SaveRequest
from unihub._tf import packages, saved_model
from unihub._types import Backend

_Variants = Tuple[Tuple[FrozenSet[str], Mapping[str, Any]], ...]


def write(request: SaveRequest, directory: str) -> None:
    """Writes a module.

    Args:
        request: What is to be written: a module function, a ``hub.ModuleSpec``, or a module that was loaded.
        directory: An empty directory.

    Raises:
        UnihubError: It cannot be written, and why.
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
    # Upstream writes them, too.
    backward_compat.drop_from(directory)


def _refuse(request: SaveRequest, kind: str, *arguments: str) -> None:
    for argument in arguments:
        value = getattr(request, argument)
        if value is not None and value != () and value != {}:
            raise errors.InputError.no_use_for(argument, kind)


def _export(module: Any, session: Any, directory: str) -> None:
    """Writes a module with the values that its variables have in the session."""
    if session is None:
        raise errors.InputError.no_session()
    parts = [part for found in _parts(module).values() for part in found]
    if any(part.graph is not session.graph for part in parts):
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


def _check_tags(variants: _Variants) -> None:
    seen = set()
    for tags, _ in variants:
        if tags in seen:
            raise errors.TagsError.repeated(tags)
        seen.add(tags)


def _create_spec(function: Callable[..., Any], variants: _Variants) -> Any:
    """The spec that tensorflow_hub makes of a function, which may use its functions, and ours."""
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


def _write_spec(spec: Any, request: SaveRequest, directory: str) -> None:
    modules = [(frozenset(tags), *_instantiate(spec, tags)) for tags in spec.get_tags()]
    variants = [Variant(tags, graph, _parts(module)) for tags, graph, module in modules]
    values = module_variables.collect(variants, request.checkpoint)
    _, graph, module = modules[0]
    v1 = packages.import_tensorflow().compat.v1
    with graph.as_default(), v1.Session() as session:
        session.run([variable.initializer for parts in variants[0].variables.values() for variable in parts])
        module.export(directory, session)
    shutil.rmtree(os.path.join(directory, "variables"), ignore_errors=True)
    module_variables.write(values, directory)


def _instantiate(spec: Any, tags: Any) -> Tuple[Any, Any]:
    """A variant of a spec in a graph of its own."""
    with packages.import_tensorflow().Graph().as_default() as graph:
        return graph, packages.find_hub_attribute("Module")(spec, tags=set(tags))


def _parts(module: Any) -> Dict[str, List[Any]]:
    return {
        name: variable if isinstance(variable, list) else [variable] for name, variable in module.variable_map.items()
    }
