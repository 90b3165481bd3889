"""Every recorded output of the models under ``tests/data``, through each api, in each runtime of this process.

A cell that the matrix refuses, or that nobody serves in this environment, is tested to say so.
"""

import pytest
import tensorflow as tf

import unihub
from live_runtime import DATA, HAS_KERAS2, MODES, assert_close, live_context, load_golden, missing_server
from unihub.errors import RuntimeUnavailableError, UnsupportedError

FORMATS = {"tf1_hub": "tf1-hub", "saved_model": "tf2-saved-model", "tf1_saved_model": "tf1-saved-model"}
# They are not outputs of a call; test_contract.py has them.
STATES = ("train", "regularization")
CALLS = [
    (path.parent.name, path.name.split(".")[0], call)
    for path in sorted(DATA.glob("*/*.golden.npz"))
    for call in load_golden(str(path)[: -len(".golden.npz")])
    if call not in STATES
]
CELLS = {(cell.format, cell.runtime): cell for cell in unihub.matrix() if cell.operation == "inference"}


def test_all_models_are_there():
    assert len(CALLS) == 31
    assert {folder for folder, _, _ in CALLS} == set(FORMATS)


@pytest.mark.parametrize("api", ["module", "load", "keras2", "keras3"][: 3 if HAS_KERAS2 else 4])
@pytest.mark.parametrize("folder, model, call", CALLS, ids=["/".join(call) for call in CALLS])
@pytest.mark.parametrize("mode", MODES)
def test_golden(mode, folder, model, call, api):
    handle = DATA / folder / model
    inputs, wanted = load_golden(handle)[call]
    options = {"signature": None if call == "call" else call, "as_dict": call != "call"}
    api, keras = ("keras", api) if api.startswith("keras") else (api, "auto")
    options.update(api=api, keras=keras)
    with live_context(mode) as place:
        if is_refused(FORMATS[folder], mode, api):
            with pytest.raises(UnsupportedError):
                unihub.load(handle, **options)
        elif missing_server(api, keras):
            with pytest.raises(RuntimeUnavailableError):
                unihub.load(handle, **options)
        else:
            loaded = unihub.load(handle, **options)
            assert_close(place.run(loaded(arrange(model, call, inputs)), loaded), wanted)


def is_refused(format, mode, api):
    cell = CELLS[format, mode]
    too_old = cell.since == "1.15" and tf.__version__.startswith("1.14")
    return too_old or api not in [choice.api for choice in cell.choices]


def arrange(model, call, inputs):
    """The recorded inputs as a user would pass them: by name, or as they are to the model itself."""
    if not inputs:
        return None
    if call != "call":
        return inputs
    if model == "ragged_sparse":
        return tf.SparseTensor(inputs["x"], inputs["x_1"], inputs["x_2"])
    return inputs if len(inputs) > 1 else next(iter(inputs.values()))
