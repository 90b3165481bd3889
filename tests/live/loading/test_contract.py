"""The contract of ``unihub.load``: every row of the matrix, in each runtime that this process can reach.

A test's id is the name of its cell. What a cell promises is tested in full where this environment serves it; where the
server is missing (Keras 3 has no graphs, the Keras 2 layer needs tensorflow_hub) the exact refusal is. None is skipped.
"""

import collections

import numpy as np
import pytest
import tensorflow as tf

import unihub
from live_runtime import (
    DATA,
    MODES,
    TENSORFLOW,
    assert_close,
    backend_of,
    live_context,
    load_golden,
    missing_server,
    note_served,
)
from unihub.errors import RuntimeUnavailableError, UnsupportedError

v1 = tf.compat.v1
APIS = ("module", "load", "keras")
EXAMPLES = {
    "tf1-hub": ["tf1_hub/convnet", "tf1_hub/text_embedding"],
    "tf2-saved-model": ["saved_model/reusable", "saved_model/text"],
    "tf1-saved-model": ["tf1_saved_model/classifier", "tf1_saved_model/half_plus_two"],
}
VARIABLES = {"convnet": (18, 12), "text_embedding": (1, 1), "reusable": (6, 4), "text": (1, 1)}
SIGNATURES = {
    "convnet": {"default", "feature_map"},
    "text_embedding": {"default"},
    "reusable": {"serving_default"},
    "text": {"serving_default"},
    "classifier": {"serving_default", "predict"},
    "half_plus_two": {"serving_default", "regress"},
}

Row = collections.namedtuple("Row", "cell api keras")
ROWS = [
    Row(cell, choice.api, keras)
    for cell in unihub.matrix()
    for choice in cell.choices
    for keras in (("auto", "keras2") if choice.api == "keras" else ("auto",))
    if cell.runtime in MODES and cell.operation != "create"
]
CELLS = [cell for cell in unihub.matrix() if cell.runtime in MODES and cell.operation != "create"]
CREATE = [cell for cell in unihub.matrix() if cell.runtime in MODES and cell.operation == "create"]


def name_row(row):
    name = "{0.format}/{0.operation}/{0.runtime}/{1}".format(row.cell, row.api)
    return name if row.keras == "auto" else "{}[{}]".format(name, row.keras)


def name_cell(cell):
    return "{0.format}/{0.operation}/{0.runtime}/{1}".format(cell, "-" if not cell.choices else "*")


def too_old(format):
    return format == "tf2-saved-model" and TENSORFLOW < (1, 15)


def refusal_of(format, row_api, keras="auto"):
    """What a supported row raises in this environment; ``None`` where it is served."""
    if too_old(format):
        return UnsupportedError
    return RuntimeUnavailableError if missing_server(row_api, keras) else None


def rows_of(operation):
    rows = [row for row in ROWS if row.cell.operation == operation]
    return pytest.mark.parametrize("row", rows, ids=name_row)


def model_of(handle):
    return str(handle).split("/")[-1]


def test_the_matrix_has_a_row_for_all_that_is_promised_here():
    formats, operations = ("tf1-hub", "tf2-saved-model", "tf1-saved-model"), ("inference", "fine-tune", "create")
    found = {(cell.format, cell.operation, cell.runtime) for cell in CELLS + CREATE}
    assert found == {(format, operation, mode) for format in formats for operation in operations for mode in MODES}


# Inference


@pytest.mark.parametrize("example", [0, 1], ids=["first", "second"])
@rows_of("inference")
def test_inference(row, example):
    handle = DATA / EXAMPLES[row.cell.format][example]
    options = {"api": str(row.api), "keras": row.keras}
    with live_context(str(row.cell.runtime)) as place:
        if check_refusal(row, handle, options):
            return
        model = unihub.load(handle, **options)
        check_promises(model, row, handle, options)
        check_frozen(model)
        inputs, wanted = load_golden(handle)[call_of(handle)]
        check_outputs(place, model, inputs, wanted)
        check_signatures(place, model, handle)
        check_initialize(place, model)
        note_served(name_row(row), model.plan.backend)


def call_of(handle):
    calls = load_golden(handle)
    return next(call for call in ("default", "call", "serving_default") if call in calls)


def check_refusal(row, handle, options):
    """Whether this environment refuses a row that the matrix supports; then that the load says so."""
    refusal = refusal_of(row.cell.format, row.api, row.keras)
    if refusal is None:
        return False
    with pytest.raises(refusal) as caught:
        unihub.load(handle, **options)
    assert type(caught.value) is refusal
    if refusal is RuntimeUnavailableError:
        assert missing_server(row.api, row.keras) in str(caught.value)
    else:
        assert "1.15" in caught.value.why
    return True


def check_promises(model, row, handle, options):
    """What docs/api.md says that every result offers, and that it was loaded as planned."""
    assert isinstance(model, unihub.Model)
    assert model.plan == unihub.plan(handle, **options)
    assert model.plan.api == row.api
    assert model.plan.cell == row.cell
    assert model.plan.runtime.mode == row.cell.runtime
    assert model.plan.runtime.tensorflow == tf.__version__
    assert model.plan.backend == backend_of(row.api, row.keras)
    assert model.plan.request.operation == row.cell.operation
    assert str(row.cell.format) in str(model.plan)
    assert model.info == unihub.inspect(handle)
    assert model.info.format == row.cell.format
    assert set(model.signatures) == SIGNATURES[model_of(handle)]
    assert all(callable(signature) for signature in model.signatures.values())
    if row.api == "module":
        assert type(model.native).__name__ == "Module"
        assert type(model.native).__module__.startswith(backend_of(row.api))
    else:
        assert set(model.native.signatures) == SIGNATURES[model_of(handle)]
    if row.api == "keras":
        assert isinstance(model, keras_of(row.keras).layers.Layer)
    counts = VARIABLES.get(model_of(handle))
    if counts:
        assert len(model.variables) == counts[0]
        names = {name_in_model(variable) for variable in model.variables}
        known = {variable.name for variable in model.info.variables}
        # Keras 3 has no slashes in the names of variables.
        assert names in ({name.split("/")[-1] for name in known}, {name.replace("/", "_") for name in known})


@pytest.mark.parametrize("mode", MODES)
def test_a_model_that_runs_in_a_session_of_its_own(mode):
    """A TF1 graph that TensorFlow cannot turn into functions."""
    with live_context(mode) as place:
        model = unihub.load(DATA / "tf1_saved_model" / "unliftable")
        assert isinstance(model, unihub.Model)
        assert isinstance(model.native, v1.Session)
        assert model.plan.info is model.info
        assert len(model.variables) == len(model.info.variables)
        assert (model.trainable_variables, model.regularization_losses, model.update_ops) == ([], [], [])
        assert set(model.signatures) == {signature.name for signature in model.info.meta_graphs[0].signatures}
        model.initialize(place.session)


def name_in_model(variable):
    return variable.name.split(":")[0].split("/")[-1]


def keras_of(keras):
    """The Keras whose layer is promised."""
    if keras == "auto" or TENSORFLOW < (2, 16):
        return tf.keras
    import tf_keras

    return tf_keras


def check_frozen(model):
    assert list(model.trainable_variables) == []
    assert list(model.regularization_losses) == []
    assert list(model.update_ops) == []
    if tf.executing_eagerly():
        return
    for key in ("TRAINABLE_VARIABLES", "UPDATE_OPS", "REGULARIZATION_LOSSES"):
        collected = v1.get_collection(getattr(v1.GraphKeys, key))
        # hub.Module itself takes its variables out of the collection; what hub.load left there no optimizer may find.
        assert not [item for item in collected if any(item is variable for variable in model.variables)]


def check_outputs(place, model, inputs, wanted):
    sole = next(iter(inputs.values()))
    inputs = sole if len(inputs) == 1 else inputs
    place.initialize(model)
    named = isinstance(wanted, dict)
    if named and "default" in wanted:
        wanted = wanted["default"]
    elif named and len(wanted) == 1:
        wanted = next(iter(wanted.values()))
    assert_close(place.run(model(inputs)), wanted)
    if model.plan.api != "keras":
        assert_close(place.run(model(inputs, training=None)), wanted)
        assert_close(place.run(model(inputs, training=False)), wanted)


def check_signatures(place, model, handle):
    """Each signature answers to tensors by name with a dict by name."""
    calls = load_golden(handle)
    for name in SIGNATURES[model_of(handle)] & set(calls):
        inputs, wanted = calls[name]
        tensors = {
            key: tf.constant(value.tolist() if value.dtype.kind in "SU" else value) for key, value in inputs.items()
        }
        outputs = model.signatures[name](**tensors)
        place.initialize(model)
        assert_close(place.run(outputs), wanted)


def check_initialize(place, model):
    """It makes everything ready, and touches nothing that has a value."""
    if place.graph is None:
        model.initialize(None)
        return
    waiting = v1.report_uninitialized_variables(model.variables)
    assert list(place.session.run(waiting)) == []
    variable = next(variable for variable in model.variables if variable.dtype.base_dtype.is_floating)
    changed = place.session.run(variable) + 1
    place.session.run(v1.assign(variable, changed))
    model.initialize(place.session)
    np.testing.assert_array_equal(place.session.run(variable), changed)


@rows_of("inference")
def test_initialize_keeps_a_variable_that_another_is_missing_beside(row):
    """A TF1-style model restores all its variables by one op; a checkpoint of some of them must survive it."""
    handle = DATA / {"tf1-hub": "tf1_hub/convnet", "tf1-saved-model": "tf1_saved_model/classifier"}.get(
        str(row.cell.format), "saved_model/reusable"
    )
    options = {"api": str(row.api), "keras": row.keras}
    with live_context(str(row.cell.runtime)) as place:
        if check_refusal(row, handle, options):
            return
        model = unihub.load(handle, **options)
        if place.graph is None:
            assert model.initialize(None) is None
            return
        first, second = model.variables[:2]
        place.session.run(v1.assign(first, tf.ones_like(first) * 7))
        model.initialize(place.session)
        kept, restored = place.session.run([first, second])
        assert np.all(kept == 7)
        assert not np.all(restored == 7)


# Fine-tuning


@pytest.mark.keras2
@rows_of("fine-tune")
def test_fine_tune(row):
    handle = DATA / EXAMPLES[row.cell.format][0]
    options = {"api": str(row.api), "keras": row.keras, "trainable": True}
    with live_context(str(row.cell.runtime)) as place:
        if check_refusal(row, handle, options):
            return
        model = unihub.load(handle, **options)
        check_promises(model, row, handle, options)
        total, trainable = VARIABLES[model_of(handle)]
        assert len(model.trainable_variables) == trainable
        assert len(model.variables) == total
        assert model.plan.tags == ({"train"} if row.cell.format == "tf1-hub" else {"serve"})
        check = check_train_variant if row.cell.format == "tf1-hub" else check_training_mode
        check(place, model, handle)
        check_initialize(place, model)
        note_served(name_row(row), model.plan.backend)


def check_train_variant(place, module, handle):
    inputs, _ = load_golden(handle)["default"]
    assert same_items(v1.trainable_variables(), module.trainable_variables)
    assert len(module.regularization_losses) == 3
    losses = [loss() for loss in module.regularization_losses]
    assert same_items(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES), losses)
    module(inputs)
    assert len(module.update_ops) == 6
    assert same_items(v1.get_collection(v1.GraphKeys.UPDATE_OPS), module.update_ops)
    place.initialize(module)
    assert all(loss > 0 and loss.shape == () for loss in place.run(losses))
    statistics = [variable for variable in module.variables if "moving" in variable.name]
    before = place.run(statistics)
    place.run(module.update_ops)
    assert all(np.abs(old - new).max() > 0 for old, new in zip(before, place.run(statistics)))


def check_training_mode(place, model, handle):
    """The outputs of inference, and the statistics that one call in training mode leaves behind."""
    calls = load_golden(handle)
    inputs, wanted = calls["call"]
    frozen = model(inputs["x"], training=False)
    place.initialize(model)
    assert_close(place.run(frozen), wanted)
    assert len(model.regularization_losses) == 1
    assert_close(place.run(model.regularization_losses[0]()), calls["regularization"][1])
    if place.graph is not None:
        assert same_items(v1.trainable_variables(), model.trainable_variables)
        assert len(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)) == 1
    trained = model(inputs["x"], training=True)
    if place.graph is None:
        assert list(model.update_ops) == []
    else:
        assert len(model.update_ops) == 2
        assert same_items(v1.get_collection(v1.GraphKeys.UPDATE_OPS), model.update_ops)
        # In one run, as in a training step: the outputs of training mode bring the updates along.
        _, trained = place.run((model.update_ops, trained))
    assert tuple(trained.shape) == wanted.shape
    statistics = {name_in_model(variable): variable for variable in model.variables}
    _, moved = calls["train"]
    assert_close(place.run({name: statistics[name] for name in moved}), moved)


def same_items(found, wanted):
    return {id(item) for item in found} == {id(item) for item in wanted}


@pytest.mark.keras2
@rows_of("fine-tune")
def test_fine_tune_leaves_the_collections_alone_if_asked_to(row):
    handle = DATA / EXAMPLES[row.cell.format][0]
    options = {"api": str(row.api), "keras": row.keras, "trainable": True, "collections": False}
    with live_context(str(row.cell.runtime)) as place:
        if check_refusal(row, handle, options):
            return
        model = unihub.load(handle, **options)
        inputs = next(iter(load_golden(handle)[call_of(handle)][0].values()))
        model(inputs, training=True)
        assert len(model.trainable_variables) == VARIABLES[model_of(handle)][1]
        if place.graph is not None:
            assert len(model.update_ops) > 0
            for key in ("TRAINABLE_VARIABLES", "UPDATE_OPS", "REGULARIZATION_LOSSES"):
                assert v1.get_collection(getattr(v1.GraphKeys, key)) == []


@pytest.mark.keras2
@rows_of("fine-tune")
def test_fine_tune_of_nothing_is_refused(row):
    """A model without trainable variables, and a way of calling that trains none."""
    format, options = row.cell.format, {"api": str(row.api), "keras": row.keras, "trainable": True}
    with live_context(str(row.cell.runtime)):
        if check_refusal(row, DATA / EXAMPLES[format][0], options):
            return
        if format == "tf1-hub":
            # It has no train variant and trains in inference mode, as it must with hub.Module.
            module = unihub.load(DATA / "tf1_hub" / "text_embedding", **options)
            assert module.plan.tags == set() and len(module.trainable_variables) == 1 and module.update_ops == []
            return
        for handle, more in (
            ("frozen", {}),
            ("reusable", {"signature": "serving_default"}),
            ("signatures_only", {"signature": "encode"}),
        ):
            with pytest.raises(UnsupportedError):
                unihub.load(DATA / "saved_model" / handle, **dict(options, **more))


# Refusals


@pytest.mark.parametrize("api", ("auto",) + APIS)
@pytest.mark.parametrize("cell", CELLS, ids=name_cell)
def test_what_a_cell_does_not_offer_is_refused_at_load(cell, api):
    offered = [] if too_old(cell.format) else [str(choice.api) for choice in cell.choices]
    handle = DATA / EXAMPLES[cell.format][0]
    options = {"api": api, "trainable": cell.operation == "fine-tune"}
    with live_context(str(cell.runtime)):
        if api in offered or (api == "auto" and offered):
            # The rows above load it; here it need only not be called unsupported.
            try:
                unihub.plan(handle, **options)
            except RuntimeUnavailableError:
                assert api != "auto" and missing_server(api)
            return
        for attempt in (unihub.load, unihub.plan):
            with pytest.raises(UnsupportedError) as caught:
                attempt(handle, **options)
            error = caught.value
            assert (error.format, error.operation, error.runtime) == (cell.format, cell.operation, cell.runtime)
            assert error.path == str(handle)
            assert error.why and error.hint and str(handle) in error.what
            if not offered and not too_old(cell.format):
                assert error.why == cell.reason


@pytest.mark.parametrize("cell", CREATE, ids=name_cell)
def test_create(cell, tmp_path):
    """What the row allows is written, and is a model of the format; a refusal writes nothing."""
    target = tmp_path / "model"
    with live_context(cell.runtime) as place:
        if cell.supported and not too_old(cell.format):
            unihub.save(doubling(cell.format), target, format=str(cell.format), **creating(cell.format))
            assert unihub.inspect(target).format == cell.format
            model = unihub.load(target)
            np.testing.assert_array_equal(place.run(model(np.array([1.5, 2.0], "f")), model), [3.0, 4.0])
            return
        with pytest.raises(UnsupportedError) as caught:
            unihub.save(doubling(cell.format), target, format=str(cell.format), **creating(cell.format))
    error = caught.value
    assert (error.format, error.operation, error.runtime) == (cell.format, "create", cell.runtime)
    assert list(tmp_path.iterdir()) == []
    if not cell.supported:
        assert str(cell) == "-" and error.why == cell.reason and 'format="tf2-saved-model"' in error.hint


def doubling(format):
    """What doubles its input, as it is given to ``unihub.save``."""

    def module_fn():
        x = tf.compat.v1.placeholder(tf.float32, [None])
        unihub.add_signature(inputs=x, outputs=2.0 * x)

    return module_fn if format == "tf1-hub" else lambda x: 2.0 * x


def creating(format):
    return {} if format == "tf1-hub" else {"inputs": tf.TensorSpec([None], tf.float32)}
