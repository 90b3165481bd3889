"""Collect the contents of a SavedModel from a model or layer of Keras 2 or 3: one function, variables and losses.

``model.save`` of Keras 2 writes several functions for each layer, which makes loading slow, and ``model.export`` of
Keras 3 writes models that cannot be trained. A SavedModel cannot hold losses that depend on inputs, such as activity
regularizers or ``add_loss`` in a call.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Optional, Union

from unihub import errors
from unihub._save.collected import Contents, descendants, is_variable, trace_loss
from unihub._save.tracing import read_specs, trace, without_batch_size
from unihub._tf import packages
from unihub._tf.keras import keras2_input_spec, keras_of_layer, own_weight_losses, spec_of_composite_symbol
from unihub._tf.types import KerasLayer, KerasTensor, SpecNest, TensorNest, TfFunction, TfVariable, TypeSpec


def of_layer(layer: KerasLayer, inputs: Optional[SpecNest]) -> Contents:
    """The contents for a layer or model.

    Args:
        layer: A layer of either Keras. If it has no variables yet, the traced call creates them.
        inputs: Specs or examples of the inputs of a call; ``None`` if Keras knows them.

    Raises:
        InputError: Keras does not know the inputs of a call.
    """

    def call(inputs: TensorNest, training: Union[bool, TensorNest] = False) -> TensorNest:
        return layer(inputs, training=training)

    specs = read_specs(inputs) if inputs is not None else _find_specs(layer)
    return Contents(
        call=trace(call, specs),
        variables=_values(layer.weights),
        trainable_variables=_values(layer.trainable_weights),
        regularization_losses=[trace_loss(loss) for loss in weight_losses(layer)],
        attributes={},
        signatures={},
        owners=[layer],
        trains_captured=False,
    )


def weight_losses(layer: KerasLayer) -> List[TfFunction]:
    """The losses of a layer and its sublayers that do not depend on inputs, as functions without arguments."""
    return [loss for each in descendants(layer) for loss in own_weight_losses(each)]


def _values(weights: Iterable[Any]) -> List[TfVariable]:
    """The ``tf.Variable`` of each weight; Keras 3 wraps them, and Keras 2.4 lists tables among its weights."""
    variables = [weight if is_variable(weight) else getattr(weight, "value", None) for weight in weights]
    return [variable for variable in variables if variable is not None]


def _find_specs(layer: KerasLayer) -> SpecNest:
    """Specs of the inputs: those of a functional model, or of what the layer was built for or called with."""
    tf = packages.import_tensorflow()
    symbols = _find_symbols(layer)
    if symbols is not None:
        specs = tf.nest.map_structure(_spec_of_symbol, symbols)
    elif keras_of_layer(layer) == "keras3":
        specs = _specs_by_shape((layer.get_build_config() or {}).get("input_shape"), layer.variable_dtype)
    else:
        specs = keras2_input_spec(layer)
    if specs is None:
        raise errors.InputError.needs_inputs(layer)
    is_fixed = getattr(layer, "stateful", False) or (symbols is not None and not _is_sequential(layer))
    return specs if is_fixed else tf.nest.map_structure(_of_any_batch, specs)


def _find_symbols(layer: KerasLayer) -> Optional[Any]:
    """The symbolic tensors that a layer was connected to; ``None`` for a layer outside of a functional model."""
    if _is_sequential(layer):
        symbols = getattr(layer, "inputs", None)
        return symbols[0] if symbols else None
    return getattr(layer, "input", None)


def _is_sequential(layer: KerasLayer) -> bool:
    return any(cls.__name__ == "Sequential" for cls in type(layer).__mro__)


def _spec_of_symbol(symbol: KerasTensor) -> TypeSpec:
    tf = packages.import_tensorflow()
    if isinstance(symbol, (tf.SparseTensor, tf.RaggedTensor)):
        return read_specs(symbol)
    spec = spec_of_composite_symbol(symbol)
    if spec is not None:
        return spec
    return tf.TensorSpec(symbol.shape, symbol.dtype, name=symbol.name.split(":")[0])


def _specs_by_shape(shape: Any, dtype: str) -> Optional[SpecNest]:
    """Specs for the shapes that a layer of Keras 3 was built for; Keras does not record the dtypes."""
    if shape is None:
        return None
    if isinstance(shape, dict):
        return {name: _specs_by_shape(part, dtype) for name, part in shape.items()}
    if all(size is None or isinstance(size, int) for size in shape):
        return packages.import_tensorflow().TensorSpec(shape, dtype)
    return [_specs_by_shape(part, dtype) for part in shape]


def _of_any_batch(spec: TypeSpec) -> TypeSpec:
    """The spec with a free batch size: a layer that was called with one batch accepts others."""
    tf = packages.import_tensorflow()
    if not isinstance(spec, tf.TensorSpec):
        return spec
    return tf.TensorSpec(without_batch_size(spec.shape), spec.dtype, name=spec.name)
