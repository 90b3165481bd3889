"""What is written of a Keras model or layer, of Keras 2 and of Keras 3: one function, its variables and its losses.

``model.save`` writes some functions for each layer, which makes loading slow, and Keras 3 writes no model that can be
trained. A loss that depends on inputs (an activity regularizer, ``add_loss`` in a call) has no place in a SavedModel.
"""

from __future__ import annotations

from typing import Any, List

from unihub import errors
from unihub._save.collected import Parts, descendants, is_variable, trace_loss
from unihub._save.tracing import read_specs, trace, without_batch_size
from unihub._tf import packages
from unihub._tf.keras import keras2_input_spec, keras_of_layer, own_weight_losses, spec_of_composite_symbol


def of_layer(layer: Any, inputs: Any) -> Parts:
    """What is written of a layer or model.

    Args:
        layer: Of either Keras; its variables are made by the call that is traced here, if they are not there yet.
        inputs: What a call takes; ``None`` if Keras knows it.

    Raises:
        InputError: Keras does not know what a call takes.
    """

    def call(inputs: Any, training: Any = False) -> Any:
        return layer(inputs, training=training)

    specs = read_specs(inputs) if inputs is not None else _find_specs(layer)
    return Parts(
        call=trace(call, specs),
        variables=_values(layer.weights),
        trainable_variables=_values(layer.trainable_weights),
        regularization_losses=[trace_loss(loss) for loss in weight_losses(layer)],
        attributes={},
        signatures={},
        owners=[layer],
        trains_captured=False,
    )


def weight_losses(obj: Any) -> List[Any]:
    """The losses of a layer, and of the layers in it, that depend on no input, as functions without arguments."""
    return [loss for layer in descendants(obj) for loss in own_weight_losses(layer)]


def _values(weights: Any) -> List[Any]:
    """The variables of TensorFlow; those of Keras 3 are wrapped, and Keras 2.4 has tables among its weights."""
    found = [weight if is_variable(weight) else getattr(weight, "value", None) for weight in weights]
    return [variable for variable in found if variable is not None]


def _find_specs(layer: Any) -> Any:
    """What Keras knows of the inputs: of a network of layers its own, else of what it was built for or called with."""
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


def _find_symbols(layer: Any) -> Any:
    """The symbolic tensors that a layer was connected to; ``None`` for one that is no part of a network."""
    if _is_sequential(layer):
        symbols = getattr(layer, "inputs", None)
        return symbols[0] if symbols else None
    return getattr(layer, "input", None)


def _is_sequential(layer: Any) -> bool:
    return any(cls.__name__ == "Sequential" for cls in type(layer).__mro__)


def _spec_of_symbol(symbol: Any) -> Any:
    tf = packages.import_tensorflow()
    if isinstance(symbol, (tf.SparseTensor, tf.RaggedTensor)):
        return read_specs(symbol)
    spec = spec_of_composite_symbol(symbol)
    if spec is not None:
        return spec
    return tf.TensorSpec(symbol.shape, symbol.dtype, name=symbol.name.split(":")[0])


def _specs_by_shape(shape: Any, dtype: str) -> Any:
    """Specs for the shapes that a layer of Keras 3 was built for, which does not note the dtypes."""
    if shape is None:
        return None
    if isinstance(shape, dict):
        return {name: _specs_by_shape(part, dtype) for name, part in shape.items()}
    if all(size is None or isinstance(size, int) for size in shape):
        return packages.import_tensorflow().TensorSpec(shape, dtype)
    return [_specs_by_shape(part, dtype) for part in shape]


def _of_any_batch(spec: Any) -> Any:
    """A layer that was called with a batch takes others, too."""
    tf = packages.import_tensorflow()
    if not isinstance(spec, tf.TensorSpec):
        return spec
    return tf.TensorSpec(without_batch_size(spec.shape), spec.dtype, name=spec.name)
