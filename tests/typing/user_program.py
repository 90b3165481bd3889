"""A user's program, for type checkers: each ``reveal_type`` says in its comment what it must print. It is never run."""

from __future__ import annotations

from typing import List

import unihub


def predict(handle: str, texts: List[str]) -> None:
    model = unihub.load(handle, trainable=False, signature=None, as_dict=True)
    reveal_type(model)  # Model
    reveal_type(model.variables)  # list[Any]
    reveal_type(model.trainable_variables)  # list[Any]
    reveal_type(model.signatures)  # Mapping[str, Callable[..., dict[str, Any]]]
    reveal_type(model.info)  # ModelInfo
    reveal_type(model.plan)  # Plan
    reveal_type(model.native)  # Any
    reveal_type(model(texts, training=False))  # Any


def train(handle: str) -> None:
    layer = unihub.KerasLayer(handle, trainable=True, output_key="default")
    reveal_type(layer.plan)  # Plan
    module = unihub.Module(handle, trainable=True, name="module", tags={"train"})
    reveal_type(module)  # Model
    reveal_type(module.regularization_losses)  # list[Callable[[], Any]]
    reveal_type(module.update_ops)  # list[Any]
    module.initialize(session=None)


def look(handle: str) -> None:
    path = unihub.resolve(handle, offline=True)
    reveal_type(path)  # str
    info = unihub.inspect(path)
    reveal_type(info)  # ModelInfo
    reveal_type(info.format)  # Format
    for meta_graph in info.meta_graphs:
        reveal_type(meta_graph)  # MetaGraph
        for signature in meta_graph.signatures:
            reveal_type(signature)  # Signature
            reveal_type(signature.inputs[0].shape)  # tuple[int | None, ...] | None
    reveal_type(info.to_dict())  # dict[str, Any]


def decide(handle: str) -> None:
    plan = unihub.plan(handle, trainable=True, api="keras")
    reveal_type(plan)  # Plan
    reveal_type(plan.runtime)  # Runtime
    reveal_type(plan.backend)  # Backend
    reveal_type(plan.strategy)  # str
    reveal_type(plan.signature)  # Signature | None
    reveal_type(plan.tags)  # frozenset[str]
    for cell in unihub.matrix():
        reveal_type(cell)  # Cell


def write(handle: str, directory: str) -> None:
    reveal_type(unihub.save(lambda x: x, directory, format="tf2-saved-model", overwrite=True))  # str
    report = unihub.convert(handle, directory, check=True)
    reveal_type(report)  # Conversion
    reveal_type(report.path)  # str
    unihub.add_signature("default", inputs=None, outputs=None)


def fail(handle: str) -> None:
    try:
        unihub.load(handle)
    except unihub.errors.ModelNotFoundError as error:
        reveal_type(error)  # ModelNotFoundError
        reveal_type(error.hint)  # str
    except (unihub.errors.UnsafeModelError, unihub.errors.UnihubError) as error:
        reveal_type(error.why)  # str


def hold(model: unihub.Model, info: unihub.ModelInfo, plan: unihub.Plan, runtime: unihub.Runtime) -> unihub.Signature:
    reveal_type(runtime.tensorflow_hub)  # str | None
    reveal_type(runtime.hub_offers)  # frozenset[str]
    reveal_type(unihub.__version__)  # str
    return info.meta_graphs[0].signatures[0]
