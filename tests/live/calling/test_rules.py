"""The same line gives the same numbers everywhere: signatures, inputs, outputs, training and tags.

Each rule of the table in docs/matrix.md is tested in each runtime that this process can reach, on models of each format. Where a
model's cell is not served in this environment, the test is that it is refused with the right error.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf

import unihub
from live_runtime import DATA, HAS_HUB_MODULE, TENSORFLOW, assert_close, hub, load_golden
from unihub.errors import InputError, RuntimeUnavailableError, SignatureError, TagsError, UnsupportedError

pytestmark = pytest.mark.slow

v1 = tf.compat.v1
HALVES = np.array([[1.0], [2.0]], np.float32)


def refusal_here(model, mode):
    """What loading a model for inference raises here, if it does."""
    if model.startswith("saved_model") and TENSORFLOW < (1, 15):
        return UnsupportedError
    return None


def on(*models):
    """Runs a test for each of these models in each runtime of this process."""

    def decorate(test):
        @pytest.mark.parametrize("model", models)
        @functools.wraps(test)
        def run(place, model, **more):
            refusal = refusal_here(model, place.mode)
            if refusal is None:
                test(place, model, **more)
                return
            with pytest.raises(refusal):
                unihub.load(DATA / model, signature=first_signature(model))

        return run

    return decorate


def first_signature(model):
    """For what has no signature that is called by itself."""
    return next((signature.name for signature in unihub.inspect(DATA / model).signatures), None)


def golden(model, call):
    return load_golden(DATA / model)[call]


def the_output(wanted):
    """What a call returns of these, if nothing is chosen."""
    if not isinstance(wanted, dict):
        return wanted
    if "default" in wanted:
        return wanted["default"]
    return next(iter(wanted.values())) if len(wanted) == 1 else wanted


def run(place, model, inputs):
    outputs = model(inputs)
    place.initialize(model)
    return place.run(outputs)


def write_tf1_saved_model(path, *signatures):
    """Writes a model whose signatures multiply by 1, 2, 3 and so on."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 1])
        build = v1.saved_model.build_tensor_info
        definitions = {
            name: v1.saved_model.build_signature_def({"x": build(x)}, {"y": build(x * float(factor))}, "predict")
            for factor, name in enumerate(signatures, 1)
        }
        builder = v1.saved_model.Builder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], definitions)
        builder.save()
    return path


# Signatures


@on("tf1_hub/convnet")
def test_a_module_is_called_by_default(place, model):
    loaded = unihub.load(DATA / model)
    assert loaded.plan.signature.name == "default"
    inputs, wanted = golden(model, "default")
    assert_close(run(place, loaded, inputs["default"]), wanted["default"])


@on("tf1_hub/convnet", "tf1_hub/mobilenet", "saved_model/reusable", "saved_model/text", "tf1_saved_model/classifier")
def test_a_signature_is_called_by_its_name(place, model):
    name = {"tf1_hub/convnet": "feature_map", "tf1_hub/mobilenet": "default", "tf1_saved_model/classifier": "predict"}
    name = name.get(model, "serving_default")
    loaded = unihub.load(DATA / model, signature=name, as_dict=True)
    assert loaded.plan.signature.name == name
    inputs, wanted = golden(model, name)
    assert_close(run(place, loaded, inputs), wanted)


@on("saved_model/reusable", "saved_model/text")
def test_a_callable_model_is_called_itself(place, model):
    loaded = unihub.load(DATA / model)
    assert loaded.plan.signature is None
    inputs, wanted = golden(model, "call")
    assert_close(run(place, loaded, next(iter(inputs.values()))), wanted)


@on("tf1_saved_model/half_plus_two", "tf1_saved_model/classifier", "tf1_saved_model/unfed_placeholder")
def test_any_other_is_called_by_serving_default(place, model):
    assert len(unihub.inspect(DATA / model).signatures) == 2
    assert unihub.load(DATA / model).plan.signature.name == "serving_default"


@pytest.mark.parametrize(
    "names, chosen, factor",
    [
        (["only"], "only", 1.0),
        (["other", "default"], "default", 2.0),
        (["default", "serving_default"], "serving_default", 2.0),
    ],
    ids=["only", "default", "serving_default"],
)
def test_what_is_called_without_a_name(place, tmp_path, names, chosen, factor):
    loaded = unihub.load(write_tf1_saved_model(tmp_path / "model", *names))
    assert loaded.plan.signature.name == chosen
    assert_close(run(place, loaded, HALVES), HALVES * np.float32(factor))


def test_a_signature_must_be_named_when_none_is_the_usual_one(place, tmp_path):
    path = write_tf1_saved_model(tmp_path / "model", "encode", "decode")
    with pytest.raises(SignatureError) as caught:
        unihub.load(path)
    assert "encode(x: float32[None,1]) -> y: float32[None,1]" in str(caught.value)


@on("saved_model/signatures_only")
def test_so_it_must_for_an_object_that_cannot_be_called(place, model):
    with pytest.raises(SignatureError, match="decode.code: float32.None,4"):
        unihub.load(DATA / model)


@on("tf1_hub/convnet", "saved_model/reusable", "tf1_saved_model/classifier")
def test_an_unknown_signature_is_told_at_load(place, model):
    with pytest.raises(SignatureError) as caught:
        unihub.load(DATA / model, signature="nonesuch")
    assert all(str(signature) in str(caught.value) for signature in unihub.inspect(DATA / model).signatures)


# Inputs


@pytest.mark.parametrize("given", ["array", "tensor", "list", "dict", "dict of lists", "integers"])
@on("tf1_saved_model/half_plus_two", "saved_model/no_training", "tf1_hub/convnet")
def test_a_sole_input_in_every_form(place, model, given):
    name, call = {
        "tf1_saved_model/half_plus_two": ("x", "serving_default"),
        "saved_model/no_training": (None, "call"),
        "tf1_hub/convnet": ("default", "default"),
    }[model]
    inputs, wanted = golden(model, call)
    array = next(iter(inputs.values()))
    wanted = the_output(wanted)
    loaded = unihub.load(DATA / model)
    if given == "integers":
        whole = np.ones(array.shape, np.int64)
        assert_close(run(place, loaded, whole), run(place, loaded, whole.astype(np.float32)))
        return
    value = {"array": array, "tensor": tf.constant(array), "list": array.tolist()}.get(given, array)
    if given.startswith("dict") and name is None:
        # By name is for signatures; the model itself takes any nest, and its own is a plain tensor.
        with pytest.raises(InputError):
            loaded({"x": value})
        return
    if given.startswith("dict"):
        value = {name: array.tolist() if given == "dict of lists" else array}
    assert_close(run(place, loaded, value), wanted)


@pytest.mark.parametrize("given", ["list", "list of bytes", "array", "array of bytes", "tensor", "dict"])
@on("tf1_hub/text_embedding", "saved_model/text", "tf1_saved_model/classifier")
def test_texts_in_every_form(place, model, given):
    call = {"saved_model/text": "call", "tf1_hub/text_embedding": "default"}.get(model, "serving_default")
    inputs, wanted = golden(model, call)
    [(name, recorded)] = inputs.items()
    texts = [text.decode() if isinstance(text, bytes) else text for text in recorded.tolist()]
    value = {
        "list": texts,
        "list of bytes": [text.encode() for text in texts],
        "array": np.array(texts),
        "array of bytes": np.array([text.encode() for text in texts], object),
        "tensor": tf.constant(texts),
        "dict": {name: texts},
    }[given]
    loaded = unihub.load(DATA / model)
    if given == "dict" and model == "saved_model/text":
        with pytest.raises(InputError):
            loaded(value)
        return
    assert_close(run(place, loaded, value), the_output(wanted))


@on("saved_model/dict_output")
def test_the_model_itself_takes_any_nest(place, model):
    inputs, wanted = golden(model, "call")
    loaded = unihub.load(DATA / model)
    assert_close(run(place, loaded, inputs), wanted)
    assert_close(run(place, loaded, {name: value.tolist() for name, value in inputs.items()}), wanted)


@on("saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_a_variable_is_read(place, model):
    inputs, wanted = golden(model, "serving_default")
    ((name, array),) = inputs.items()
    loaded = unihub.load(DATA / model, signature="serving_default")
    variable = tf.Variable(array)
    outputs = loaded({name: variable})
    if place.graph is not None:
        place.session.run(variable.initializer)
    assert_close(place.run(outputs, loaded), the_output(wanted))


@on("tf1_hub/multi_signature")
def test_several_inputs_are_a_dict(place, model):
    inputs, wanted = golden(model, "sum")
    loaded = unihub.load(DATA / model, signature="sum")
    assert_close(run(place, loaded, inputs), wanted)
    assert_close(run(place, loaded, {name: tf.constant(value) for name, value in inputs.items()}), wanted)
    with pytest.raises(InputError):
        loaded(inputs["a"])


@on("tf1_hub/multi_signature")
def test_a_sparse_input(place, model):
    dense = np.eye(3, 4, dtype=np.float32)
    zeros = np.zeros_like(dense)
    wanted = run(place, unihub.load(DATA / model, signature="sum", output_key="y"), {"a": dense, "b": zeros})
    places = np.argwhere(dense).astype(np.int64)
    loaded = unihub.load(DATA / model, signature="sparse", name="sparse_module")
    sparse = tf.SparseTensor(places, np.ones(3, np.float32), [3, 4])
    assert_close(run(place, loaded, sparse), wanted)
    assert_close(run(place, loaded, {"x": v1.SparseTensorValue(places, np.ones(3, np.float32), [3, 4])}), wanted)
    with pytest.raises(InputError):
        loaded(dense)


WRONG = {
    "name": lambda array: {"nonesuch": array},
    "one name more": lambda array: {"x": array, "default": array, "z": array},
    "no name": lambda array: {},
    "nothing": lambda array: None,
    "dtype of a tensor": lambda array: tf.constant(array.astype(np.int32)),
    "dtype of an array": lambda array: np.full(array.shape, "text"),
    "dtype of a list": lambda array: array.astype(complex).tolist(),
    "rank": lambda array: array[0],
    "size": lambda array: np.concatenate([array, array], axis=-1),
    "size of a tensor": lambda array: tf.constant(np.concatenate([array, array], axis=-1)),
    "ragged list": lambda array: [array.tolist(), array[0].tolist()],
    "composite": lambda array: tf.SparseTensor([[0, 0]], [1.0], [1, 1]),
}


@pytest.mark.parametrize("wrong", list(WRONG))
@on("tf1_hub/convnet", "saved_model/no_training", "saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_what_does_not_fit_is_told_before_tensorflow_is_called(place, model, wrong):
    loaded = unihub.load(DATA / model)
    call = {"tf1_hub/convnet": "default", "tf1_saved_model/half_plus_two": "serving_default"}.get(model, "call")
    array = next(iter(golden(model, call)[0].values()))
    with pytest.raises(InputError) as caught:
        loaded(WRONG[wrong](array))
    assert caught.value.why and caught.value.hint
    assert isinstance(caught.value, TypeError)


@on("tf1_hub/text_embedding", "saved_model/text", "tf1_saved_model/classifier")
def test_numbers_are_no_texts(place, model):
    loaded = unihub.load(DATA / model)
    for wrong in ([1, 2], [3.0, "world"], ["world", 3.0], np.zeros([2]), tf.constant([1.0]), [["the"]]):
        with pytest.raises(InputError):
            loaded(wrong)


# Outputs


@on("tf1_hub/multi_signature")
def test_which_output_is_returned(place, model):
    inputs, scaled = golden(model, "scale")
    array = inputs["default"]
    assert_close(run(place, unihub.load(DATA / model, signature="scale"), array), scaled["default"])
    assert_close(run(place, unihub.load(DATA / model, signature="scale", as_dict=True), array), scaled)
    assert_close(run(place, unihub.load(DATA / model, signature="scale", output_key="cube"), array), scaled["cube"])
    inputs, summed = golden(model, "sum")
    assert_close(run(place, unihub.load(DATA / model, signature="sum"), inputs), summed)
    assert_close(run(place, unihub.load(DATA / model, signature="sum", output_key="total"), inputs), summed["total"])


@on("tf1_saved_model/half_plus_two", "tf1_saved_model/classifier")
def test_the_only_output_or_all(place, model):
    inputs, wanted = golden(model, "serving_default")
    array = next(iter(inputs.values()))
    assert_close(run(place, unihub.load(DATA / model), array), wanted if len(wanted) > 1 else wanted["y"])
    assert_close(run(place, unihub.load(DATA / model, as_dict=True), array), wanted)
    for name in wanted:
        assert_close(run(place, unihub.load(DATA / model, output_key=name), array), wanted[name])


@on("saved_model/dict_output", "saved_model/no_training")
def test_outputs_of_the_model_itself(place, model):
    inputs, wanted = golden(model, "call")
    inputs = inputs if len(inputs) > 1 else inputs["x"]
    named = wanted if isinstance(wanted, dict) else {"default": wanted}
    assert_close(run(place, unihub.load(DATA / model), inputs), wanted)
    assert_close(run(place, unihub.load(DATA / model, as_dict=True), inputs), named)
    for name in named:
        assert_close(run(place, unihub.load(DATA / model, output_key=name), inputs), named[name])


@on("tf1_hub/convnet", "saved_model/dict_output", "saved_model/no_training", "tf1_saved_model/classifier")
def test_an_unknown_output_is_told_with_those_there_are(place, model):
    inputs, outputs = load_golden(DATA / model)[
        {"tf1_hub/convnet": "default", "tf1_saved_model/classifier": "serving_default"}.get(model, "call")
    ]
    with pytest.raises(SignatureError) as caught:
        unihub.load(DATA / model, output_key="nonesuch")(inputs if len(inputs) > 1 else next(iter(inputs.values())))
    assert all(name in str(caught.value) for name in (outputs if isinstance(outputs, dict) else ["default"]))


# Training


@on("saved_model/reusable", "saved_model/bare", "saved_model/two_traces")
def test_training_is_chosen_by_each_call(place, model):
    loaded = unihub.load(DATA / model, trainable=True, api="load")
    inputs, wanted = golden(model, "call")
    frozen = loaded(inputs["x"], training=False)
    place.initialize(loaded)
    assert_close(place.run(frozen), wanted)
    assert_close(place.run(loaded(inputs["x"])), wanted)
    trained = place.run(loaded(inputs["x"], training=True))
    assert np.abs(trained - wanted).max() > 1e-2


@on("saved_model/no_training")
def test_training_is_nothing_to_a_model_that_knows_no_such_mode(place, model):
    loaded = unihub.load(DATA / model, trainable=True, api="load")
    inputs, wanted = golden(model, "call")
    for training in (None, False, True):
        outputs = loaded(inputs["x"], training=training)
        place.initialize(loaded)
        assert_close(place.run(outputs), wanted)


@on("saved_model/reusable", "saved_model/no_training", "tf1_hub/convnet", "tf1_saved_model/half_plus_two")
def test_a_frozen_model_is_never_in_training_mode(place, model):
    loaded = unihub.load(DATA / model)
    call = {"tf1_hub/convnet": "default", "tf1_saved_model/half_plus_two": "serving_default"}.get(model, "call")
    inputs, wanted = golden(model, call)
    array = next(iter(inputs.values()))
    with pytest.raises(InputError):
        loaded(array, training=True)
    outputs = loaded(array, training=False)
    place.initialize(loaded)
    assert_close(place.run(outputs), the_output(wanted))


@pytest.mark.parametrize("training", [1, 0, "True", "tensor"])
@on("saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_training_is_a_python_bool(place, model, training):
    trainable = model == "saved_model/reusable"
    loaded = unihub.load(DATA / model, trainable=trainable, api="load")
    array = next(iter(load_golden(DATA / model)["call" if trainable else "serving_default"][0].values()))
    with pytest.raises(InputError):
        loaded(array, training=tf.constant(True) if training == "tensor" else training)


@on("tf1_hub/convnet", "tf1_hub/text_embedding")
def test_the_variant_of_a_module_is_chosen_at_load(place, model):
    """A call that contradicts it is an error; in eager TensorFlow 2 there is no training at all."""
    if place.mode == "tf2":
        with pytest.raises(UnsupportedError):
            unihub.load(DATA / model, trainable=True)
        return
    loaded = unihub.load(DATA / model, trainable=True)
    has_variant = model == "tf1_hub/convnet"
    assert loaded.plan.tags == ({"train"} if has_variant else set())
    inputs = next(iter(golden(model, "default")[0].values()))
    loaded(inputs, training=has_variant)
    with pytest.raises(InputError):
        loaded(inputs, training=not has_variant)


# Tags


@on("tf1_hub/convnet")
def test_tags_choose_the_variant(place, model):
    path = DATA / model
    assert unihub.load(path).plan.tags == set()
    assert unihub.load(path, tags=[]).plan.tags == set()
    assert unihub.load(path, tags=set()).plan.tags == set()
    if place.mode != "tf2":
        assert unihub.load(path, trainable=True).plan.tags == {"train"}
        assert unihub.load(path, trainable=True, tags={"train"}).plan.tags == {"train"}
        assert unihub.load(path, trainable=True, tags=[]).plan.tags == set()


@on("saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_tags_of_a_saved_model(place, model):
    for tags in (None, "serve", ["serve"], {"serve"}):
        assert unihub.load(DATA / model, tags=tags).plan.tags == {"serve"}


@on("tf1_hub/convnet", "saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_tags_that_do_not_fit(place, model):
    with pytest.raises(TagsError):
        unihub.load(DATA / model, tags=["nonesuch"])
    with pytest.raises(TagsError):
        # Of a module it is there, and would leave dropout on in what is said to be frozen.
        unihub.load(DATA / model, tags=["train"])


# The names that tensorflow_hub has for it


@pytest.mark.keras2
@on("saved_model/reusable", "saved_model/dict_output", "saved_model/no_training")
def test_keras_layer_by_its_familiar_name(place, model):
    path = str(DATA / model)
    inputs, wanted = golden(model, "call")
    inputs = inputs if len(inputs) > 1 else inputs["x"]
    layer = unihub.KerasLayer(path, keras="keras2")
    assert layer.plan.api == "keras" and isinstance(layer, hub.KerasLayer)
    assert_close(run(place, layer, inputs), wanted)
    if model == "saved_model/dict_output":
        assert_close(run(place, unihub.KerasLayer(path, output_key="dot", keras="keras2"), inputs), wanted["dot"])
        return
    shaped = unihub.KerasLayer(path, False, None, output_shape=[4], tags=["serve"], name="shaped", keras="keras2")
    assert shaped.name == "shaped"
    assert tuple(shaped(inputs).shape.as_list())[1:] == (4,)
    assert tuple(shaped.compute_output_shape((None, 8)))[1:] == (4,)
    assert_close(run(place, shaped, inputs), wanted)
    assert unihub.KerasLayer(path, trainable=True, keras="keras2").trainable_weights


@pytest.mark.keras2
@on("saved_model/reusable")
def test_keras_layer_takes_the_outputs_as_dict(place, model):
    inputs, wanted = golden(model, "serving_default")
    layer = unihub.KerasLayer(DATA / model, signature="serving_default", signature_outputs_as_dict=True, keras="keras2")
    assert_close(run(place, layer, inputs["x"]), wanted)


@on("saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_load_options_under_both_names(place, model):
    if TENSORFLOW < (2, 3):
        with pytest.raises(RuntimeUnavailableError):
            unihub.load(DATA / model, options=object())
        return
    options = tf.saved_model.LoadOptions()
    for name in ("options", "load_options"):
        loaded = unihub.load(DATA / model, **{name: options})
        assert loaded.plan.request.load_options is options
        assert len(loaded.signatures) > 0


@on("tf1_hub/convnet", "tf1_hub/multi_signature")
def test_module_by_its_familiar_name(place, model):
    path = str(DATA / model)
    if place.mode == "tf2":
        with pytest.raises(UnsupportedError):
            unihub.Module(path)
        return
    module = unihub.Module(path, trainable=False, name="familiar", tags=set())
    assert module.plan.api == "module"
    assert all(variable.name.startswith("familiar") for variable in module.variables)
    call = "feature_map" if model == "tf1_hub/convnet" else "sum"
    inputs, wanted = golden(model, call)
    outputs = module(inputs, signature=call, as_dict=True)
    place.initialize(module)
    assert_close(place.run(outputs), wanted)


@on("tf1_hub/convnet", "saved_model/reusable", "tf1_saved_model/half_plus_two")
def test_what_no_api_takes_is_told_at_load(place, model):
    with pytest.raises(InputError):
        unihub.load(DATA / model, nonesuch=1)
    for wrong in ({"api": "nonesuch"}, {"keras": "keras1"}, {"trainable": "yes"}, {"as_dict": 1}):
        with pytest.raises(InputError):
            unihub.load(DATA / model, **wrong)


def scale(x, factor=2.0):
    return x * factor


@pytest.mark.parametrize("api", ["load", "keras"])
def test_a_callable(place, api):
    if TENSORFLOW < (1, 15):
        with pytest.raises(UnsupportedError):
            unihub.load(scale, api=api)
        return
    loaded = unihub.load(scale, api=api, keras="keras2")
    assert loaded.native is scale
    assert loaded.info.format == "tf2-saved-model"
    assert_close(run(place, loaded, tf.constant(HALVES)), HALVES * 2)
    if api == "keras":
        layer = unihub.KerasLayer(scale, arguments={"factor": 5.0}, keras="keras2")
        assert_close(run(place, layer, tf.constant(HALVES)), HALVES * 5)
    else:
        assert_close(place.run(loaded(tf.constant(HALVES), factor=5.0)), HALVES * 5)


@pytest.mark.parametrize("api", ["load", "keras"])
@on("saved_model/reusable")
def test_an_object_that_tensorflow_loaded_is_told_of_training(place, model, api):
    """Its call is no more than ``*args, **kwargs`` to Python."""
    loaded = unihub.load(v1.saved_model.load_v2(str(DATA / model)), trainable=True, api=api, keras="keras2")
    x = tf.constant(np.ones([4, 8], np.float32))
    frozen, trained = (place.run(loaded(x, training=training), loaded) for training in (False, True))
    assert not np.allclose(frozen, trained)
    assert_close(run(place, unihub.load(DATA / model), x), frozen)


@on("tf1_hub/convnet")
def test_a_module_spec(place, model):
    inputs, wanted = golden(model, "feature_map")
    if not HAS_HUB_MODULE:
        assert not hasattr(hub, "load_module_spec")  # There is no such handle, then.
        return
    spec = hub.load_module_spec(str(DATA / model))
    if place.mode == "tf2":
        with pytest.raises(UnsupportedError):
            unihub.Module(spec)
        return
    loaded = unihub.load(spec, signature="feature_map", as_dict=True)
    assert loaded.plan.api == "module"
    assert_close(run(place, loaded, inputs), wanted)
