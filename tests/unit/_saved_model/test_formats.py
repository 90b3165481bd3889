import builtins
import json
import os
import random
import struct
from pathlib import Path

import pytest

from archives import zipped
from model_files import (
    block,
    bundle_entry,
    checkpoint_index,
    number,
    saved_model,
    table_block,
    varint,
    write_variables,
)
from paths import DATA
from unihub._saved_model.checkpoint_index import Index, decompress, read_index
from unihub._saved_model.files import check_complete
from unihub._saved_model.formats import detect_format
from unihub._saved_model.reader import inspect
from unihub._saved_model.wire import WireError
from unihub._types import Format
from unihub.errors import IntegrityError, ModelNotFoundError, UnihubError, UnknownFormatError
from words import words_of

TF1 = 'meta_graphs { meta_info_def { tags: "serve" } graph_def { node { name: "c" op: "Const" } } }'
TF2 = 'meta_graphs { meta_info_def { tags: "serve" } object_graph_def { } }'

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 1812293\n"


@pytest.fixture
def model(tmp_path, monkeypatch):
    """The directory "model", by its relative name, as messages show it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    return Path("model")


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def message(kind, function, *arguments):
    with pytest.raises(kind) as caught:
        function(*arguments)
    assert type(caught.value) is kind
    return words_of(caught.value)


class TestDetectFormat:
    def test_tf1_saved_model(self, model):
        write(model / "saved_model.pb", saved_model(TF1))
        assert detect_format("model") is Format.TF1_SAVED_MODEL

    def test_tf2_saved_model(self, model):
        write(model / "saved_model.pb", saved_model(TF2))
        assert detect_format("model") is Format.TF2_SAVED_MODEL

    def test_any_meta_graph_with_objects_makes_it_tf2(self, model):
        write(model / "saved_model.pb", saved_model(TF1 + TF2))
        assert detect_format("model") is Format.TF2_SAVED_MODEL

    def test_tf1_hub(self, model):
        write(model / "saved_model.pb", saved_model(TF1))
        write(model / "tfhub_module.pb", b"\x08\x03")
        assert detect_format("model") is Format.TF1_HUB

    def test_text(self, model):
        write(model / "saved_model.pbtxt", TF2)
        assert detect_format("model") is Format.TF2_SAVED_MODEL

    def test_binary_goes_before_text(self, model):
        write(model / "saved_model.pbtxt", TF1)
        write(model / "saved_model.pb", saved_model(TF2))
        assert detect_format("model") is Format.TF2_SAVED_MODEL

    @pytest.mark.parametrize("name", sorted(path.name for path in (DATA / "tf1_hub").iterdir() if path.is_dir()))
    def test_real_modules(self, name):
        assert detect_format(str(DATA / "tf1_hub" / name)) is Format.TF1_HUB


class TestMissingPath:
    def test_message(self, model):
        siblings = ["bert", "albert", "c", "d", "e", "f", "g", "h", "i"]
        assert words_of(ModelNotFoundError.missing_path("/models/brt/1", "/models", siblings)) == (
            "there is no model at /models/brt/1.\n"
            "  Why:  No such file or directory; of the directories above it, /models exists and holds albert, bert, "
            "c, d, e, f, g,\n"
            "        h and more.\n"
            "  Hint: Check the path. Did you mean 'bert'?"
        )

    def test_nearest_directory(self, model):
        with pytest.raises(ModelNotFoundError, match="exists and holds nothing") as caught:
            detect_format("model/b/c")
        assert caught.value.parent == os.path.abspath("model")

    def test_similar_name(self, model):
        with pytest.raises(ModelNotFoundError, match="Did you mean 'model'") as caught:
            detect_format("modle")
        assert isinstance(caught.value, FileNotFoundError)
        assert (caught.value.path, caught.value.parent) == ("modle", os.getcwd())

    def test_link_that_leads_nowhere(self, model):
        (model / "link").symlink_to("nowhere")
        with pytest.raises(ModelNotFoundError):
            detect_format("model/link")


class TestOtherFormats:
    """Each by the bytes that tell it, whatever its name."""

    def keras(self, path, names=("metadata.json", "config.json", "model.weights.h5")):
        path.write_bytes(zipped((name, b"{}", 0) for name in names))
        return str(path)

    def test_keras(self, model):
        assert message(UnknownFormatError, detect_format, self.keras(model / "m.keras")) == (
            "model/m.keras is a Keras model, not a SavedModel.\n"
            "  Why:  The .keras format holds a Keras configuration and weights; Keras rebuilds the model from its own "
            "classes.\n"
            '  Hint: tf.keras.models.load_model("model/m.keras") loads it; model.export(directory), or tf.saved_model.save(model,\n'
            "        directory) before Keras 3, makes a SavedModel of it."
        )

    def test_keras_under_another_name(self, model):
        assert "a Keras model" in message(UnknownFormatError, detect_format, self.keras(model / "m.zip"))

    def test_keras_cut_short(self, model):
        path = Path(self.keras(model / "m.keras"))
        path.write_bytes(path.read_bytes()[:60])
        assert "a Keras model" in message(UnknownFormatError, detect_format, str(path))

    def test_unpacked_keras(self, model):
        write(model / "config.json", "{}")
        write(model / "model.weights.h5", b"\x89HDF\r\n\x1a\n")
        assert "model is a Keras model" in message(UnknownFormatError, detect_format, "model")

    def test_h5(self, model):
        assert message(UnknownFormatError, detect_format, write(model / "m.h5", b"\x89HDF\r\n\x1a\n" + bytes(99))) == (
            "model/m.h5 is an HDF5 file, not a SavedModel.\n"
            "  Why:  Keras keeps models and weights in this format, and rebuilds the model from its own classes.\n"
            '  Hint: tf.keras.models.load_model("model/m.h5") loads a full model; model.load_weights("model/m.h5") '
            "loads weights\n"
            "        alone."
        )

    def test_tflite(self, model):
        path = write(model / "m.tflite", b"\x1c\0\0\0TFL3" + bytes(99))
        assert message(UnknownFormatError, detect_format, path) == (
            "model/m.tflite is a TensorFlow Lite model, not a SavedModel.\n"
            "  Why:  It was converted for small devices, and the conversion cannot be undone.\n"
            '  Hint: tf.lite.Interpreter(model_path="model/m.tflite") runs it.'
        )

    @pytest.mark.parametrize(
        "content",
        [
            {"format": "graph-model", "generatedBy": "2.1", "modelTopology": {}},
            {"modelTopology": {}, "weightsManifest": []},
        ],
    )
    def test_tfjs(self, model, content):
        assert message(UnknownFormatError, detect_format, write(model / "model.json", json.dumps(content))) == (
            "model/model.json is a TensorFlow.js model, not a SavedModel.\n"
            "  Why:  It was converted for JavaScript.\n"
            "  Hint: In JavaScript tf.loadGraphModel() or tf.loadLayersModel() loads it; of a layers model\n"
            '        tensorflowjs.converters.load_keras_model("model/model.json") makes a Keras model in Python.'
        )

    def test_graph_def(self, model):
        node = block(1, block(1, b"x") + block(2, b"Placeholder"))
        assert message(UnknownFormatError, detect_format, write(model / "frozen.pb", node)) == (
            "model/frozen.pb is a bare GraphDef (a frozen graph), not a SavedModel.\n"
            "  Why:  It has neither signatures nor variables, so its inputs and outputs are unknown.\n"
            "  Hint: tf.compat.v1.import_graph_def(tf.compat.v1.GraphDef.FromString(open(\"model/frozen.pb\", 'rb')"
            ".read())) imports\n"
            "        it into a graph."
        )

    def test_graph_def_under_the_name_of_a_saved_model(self, model):
        write(model / "saved_model.pb", block(1, block(1, b"x") + block(2, b"Placeholder")))
        assert "saved_model.pb is a bare GraphDef" in message(UnknownFormatError, detect_format, "model")

    @pytest.mark.parametrize("name", ["checkpoint", "model.ckpt-10.index"])
    def test_checkpoint(self, model, name):
        write(model / name, b"")
        assert message(UnknownFormatError, detect_format, "model") == (
            "model is a checkpoint, not a SavedModel.\n"
            "  Why:  It holds the values of variables, but no graph.\n"
            "  Hint: Build the model by its own code, then tf.train.Checkpoint(model=model).restore(...), or\n"
            "        tf.compat.v1.train.Saver().restore(session, ...) for TF1; "
            'tf.train.load_checkpoint("model") shows the values.'
        )

    def test_file_of_a_saved_model(self, model):
        assert message(UnknownFormatError, detect_format, write(model / "saved_model.pb", saved_model(TF1))) == (
            "model/saved_model.pb is one file of a SavedModel.\n"
            "  Why:  A model is the whole directory: the graph in saved_model.pb, and the variables and assets beside "
            "it.\n"
            '  Hint: unihub.load("model"), where the file has to be called saved_model.pb.'
        )

    def test_saved_model_under_another_name(self, model):
        write(model / "graph.pb", number(1, 1) + saved_model(TF1))
        assert "model/graph.pb is one file of a SavedModel." in message(UnknownFormatError, detect_format, "model")

    @pytest.mark.parametrize("content", [b"\x1f\x8b\x08", bytes(257) + b"ustar"])
    def test_archive(self, model, content):
        assert message(UnknownFormatError, detect_format, write(model / "m.tar.gz", content)) == (
            "model/m.tar.gz is an archive, not a directory.\n"
            "  Why:  An archive has to be unpacked before it can be read.\n"
            '  Hint: unihub.load("model/m.tar.gz") unpacks a .tar.gz, .tgz or .tar with a model in it;\n'
            '        unihub.resolve("model/m.tar.gz") returns where.'
        )

    def test_zip_archive(self, model):
        path = self.keras(model / "m.zip", names=["saved_model.pb"])
        assert "an archive" in message(UnknownFormatError, detect_format, path)

    @pytest.mark.parametrize(
        "content", ["<!DOCTYPE html>\n<html>", "\ufeff\n <HTML lang='en'>", "<!-- x -->\n<html>", "<head><title>404"]
    )
    def test_web_page(self, model, content):
        assert message(UnknownFormatError, detect_format, write(model / "1", content)) == (
            "model/1 is a web page, not a model.\n"
            "  Why:  A server answered with a page for people, such as a login or an error, and the answer was "
            "saved.\n"
            '  Hint: Delete it and pass the handle itself, as in unihub.load("https://..."), or download it by hand.'
        )

    def test_web_page_under_the_name_of_a_saved_model(self, model):
        write(model / "saved_model.pb", "<!doctype html><html>")
        assert "model/saved_model.pb is a web page" in message(UnknownFormatError, detect_format, "model")

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x0a\xff", b"\x0a\x03abc", b'{"a": 1}', b"PK\x03", bytes(99)])
    def test_plain_file(self, model, content):
        assert message(UnknownFormatError, detect_format, write(model / "file", content)) == (
            "model/file is not a model.\n"
            "  Why:  It is a file in an unknown format; a model is a directory with a saved_model.pb in "
            "it.\n"
            "  Hint: Pass the directory that tf.saved_model.save() or tf.compat.v1.saved_model.Builder() wrote, as "
            "in\n"
            '        unihub.load("path/to/directory").'
        )


class TestOtherDirectories:
    def test_empty(self, model):
        assert message(UnknownFormatError, detect_format, "model") == (
            "model holds no model: it is empty.\n"
            "  Why:  A model is a directory with a saved_model.pb in it.\n"
            '  Hint: Export with tf.saved_model.save(model, "model") or fetch a model into it; unihub.load("model") '
            "then loads it."
        )

    def test_unknown(self, model):
        for name in "zyxwvutsr":
            write(model / name, "")
        assert message(UnknownFormatError, detect_format, "model") == (
            "model is not a model.\n"
            "  Why:  It holds r, s, t, u, v, w, x, y and more, but no saved_model.pb.\n"
            "  Hint: Pass the directory that tf.saved_model.save() or tf.compat.v1.saved_model.Builder() wrote, as "
            "in\n"
            '        unihub.load("path/to/directory").'
        )

    def test_web_page_among_other_files_says_nothing(self, model):
        write(model / "index.html", "<html>")
        assert "model is not a model." in message(UnknownFormatError, detect_format, "model")

    def test_known_file_inside(self, model):
        write(model / "README.md", "a model")
        write(model / "m.tflite", b"\x1c\0\0\0TFL3")
        found = message(UnknownFormatError, detect_format, "model")
        assert "model/m.tflite is a TensorFlow Lite model" in found
        assert 'tf.lite.Interpreter(model_path="model/m.tflite")' in found

    def test_serving_layout(self, model):
        for version in ("2", "00000010", "9", "old"):
            write(model / version / "saved_model.pb", saved_model(TF1))
        (model / "11").mkdir()
        assert message(UnknownFormatError, detect_format, "model") == (
            "model is not a model, but holds one.\n"
            "  Why:  The model is in its directory 00000010, as TensorFlow Serving and unpacked archives lay models "
            "out.\n"
            '  Hint: Pass that one: unihub.load("model/00000010").'
        )

    def test_model_in_a_named_child(self, model):
        write(model / "exported" / "saved_model.pbtxt", TF1)
        with pytest.raises(UnknownFormatError) as caught:
            detect_format("model")
        assert caught.value.child == "model/exported"


class TestDamage:
    @pytest.mark.parametrize("name", ["variables/variables.index", "tfhub_module.pb", "fingerprint.pb"])
    def test_no_graph(self, model, name):
        write(model / name, b"")
        assert message(IntegrityError, detect_format, "model") == (
            "the model at model is incomplete: saved_model.pb is missing.\n"
            "  Why:  The other files of a SavedModel are there, but not the one with its graphs and signatures.\n"
            "  Hint: Fetch or export the model again; an interrupted download or copy leaves this behind."
        )

    def test_pointer(self, model):
        write(model / "saved_model.pb", POINTER)
        assert message(IntegrityError, detect_format, "model") == (
            "model/saved_model.pb is a git-lfs pointer, not the file itself.\n"
            "  Why:  The repository stores large files separately, and the pointer only refers to one "
            "(1,812,293 bytes).\n"
            '  Hint: Run "git lfs install" and then "git lfs pull" in the repository that it came from, or download '
            "the file from\n"
            "        the repository's web page."
        )

    def test_pointer_given_as_a_file(self, model):
        assert "git-lfs pointer" in message(IntegrityError, detect_format, write(model / "m.keras", POINTER))

    def test_truncated(self, model):
        write(model / "saved_model.pb", saved_model(TF2)[:-1])
        size = len(saved_model(TF2)) - 1
        assert message(IntegrityError, detect_format, "model") == (
            "model/saved_model.pb is truncated.\n"
            "  Why:  Reading it failed: it ends at byte {}, within a field.\n"
            "  Hint: Fetch or export the model again; the download or copy was interrupted."
        ).format(size)

    @pytest.mark.parametrize("content", [b"", b"\x08\x01"])
    def test_no_meta_graph(self, model, content):
        write(model / "saved_model.pb", content)
        assert "Reading it failed: it holds no graph." in message(IntegrityError, detect_format, "model")

    def test_damaged(self, model):
        write(model / "saved_model.pb", b"\x0f" + saved_model(TF2))
        assert message(IntegrityError, detect_format, "model") == (
            "model/saved_model.pb is damaged.\n"
            "  Why:  Reading it failed: the field at byte 0 has the unknown type 7.\n"
            "  Hint: Fetch or export the model again."
        )

    def test_damaged_text(self, model):
        write(model / "saved_model.pbtxt", "meta_graphs }")
        assert "model/saved_model.pbtxt is damaged." in message(IntegrityError, detect_format, "model")

    def test_unreadable(self, model, monkeypatch):
        write(model / "saved_model.pb", saved_model(TF1))

        def refuse(*arguments, **options):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(builtins, "open", refuse)
        assert message(IntegrityError, detect_format, "model") == (
            "model/saved_model.pb cannot be read.\n"
            "  Why:  Permission denied.\n"
            "  Hint: Check the permissions of the file and of the directories above it, and the disk it is on."
        )


SHARD = "variables.data-{:05d}-of-{:05d}".format


class TestCheckWhole:
    def test_whole(self, model):
        entries = {"a": bundle_entry(0, 0, 4), "b": bundle_entry(0, 4, 8), "c": bundle_entry(1, 0, 2)}
        write_variables(model, {SHARD(0, 2): 12, SHARD(1, 2): 2}, entries)
        write(model / "assets" / "vocab.txt", "a")
        check_complete("model", True, ["vocab.txt"])

    def test_no_variables_and_no_index(self, model):
        (model / "variables").mkdir()
        check_complete("model", False)

    def test_no_index(self, model):
        assert message(IntegrityError, check_complete, "model", True) == (
            "the model at model is incomplete: variables/variables.index is missing.\n"
            "  Why:  TensorFlow restores the model's variables from there when it loads it.\n"
            "  Hint: Fetch or export the model again. A repository may omit files because of size limits or its "
            ".gitignore; then\n"
            "        ask its owner for them."
        )

    @pytest.mark.parametrize(
        ("kept", "told"),
        [
            ((1, 2, 3, 4), "variables/variables.data-00000-of-00005 is missing."),
            ((0, 3, 4), "variables/variables.data-00001-of-00005 and variables/variables.data-00002-of-00005 are"),
            ((), "variables.data-00002-of-00005, ... (5 files) are missing."),
        ],
    )
    def test_missing_shards(self, model, kept, told):
        entries = {"v{}".format(shard): bundle_entry(shard, 0, 4) for shard in range(5)}
        write_variables(model, {SHARD(shard, 5): 4 for shard in range(5)}, entries)
        for shard in set(range(5)) - set(kept):
            (model / "variables" / SHARD(shard, 5)).unlink()
        assert told in message(IntegrityError, check_complete, "model", False)

    def test_shard_that_is_too_short(self, model):
        write_variables(model, {SHARD(0, 1): 11}, {"a": bundle_entry(0, 0, 4), "b": bundle_entry(0, 4, 8)})
        assert message(IntegrityError, check_complete, "model", True) == (
            "model/variables/variables.data-00000-of-00001 is truncated.\n"
            "  Why:  It has 11 bytes, and the variables in it need 12.\n"
            "  Hint: Fetch or export the model again; the download or copy was interrupted."
        )

    @pytest.mark.parametrize("name", ["variables.index", SHARD(0, 1)])
    def test_pointer(self, model, name):
        write_variables(model, {SHARD(0, 1): 1000}, {"a": bundle_entry(0, 0, 4)})
        write(model / "variables" / name, POINTER)
        found = message(IntegrityError, check_complete, "model", True)
        assert found.startswith("model/variables/{} is a git-lfs pointer".format(name))

    def test_damaged_index(self, model):
        write(model / "variables" / "variables.index", bytes(100))
        assert "variables.index is truncated." in message(IntegrityError, check_complete, "model", False)

    def test_missing_assets(self, model):
        assert message(IntegrityError, check_complete, "model", False, ["vocab.txt", "nul\0l"]) == (
            "the model at model is incomplete: assets/vocab.txt and assets/nul\0l are missing.\n"
            "  Why:  The model reads its vocabularies and other assets from there.\n"
            "  Hint: Fetch or export the model again, and copy its assets directory with it."
        )

    def test_asset_that_is_a_pointer(self, model):
        write(model / "assets" / "vocab.txt", POINTER)
        assert "model/assets/vocab.txt is a git-lfs" in message(
            IntegrityError, check_complete, "model", False, ["vocab.txt"]
        )


class TestIndex:
    def read(self, tmp_path, data):
        path = tmp_path / "variables.index"
        path.write_bytes(data)
        return read_index(str(path))

    def test_entries(self, tmp_path):
        entries = {
            "layer/bias": bundle_entry(0, 0, 12, shape=(3,)),
            "layer/kernel": bundle_entry(1, 12, 96, dtype=2, shape=(4, 3)),
            "step": bundle_entry(0, 108, 8, dtype=9),
        }
        index = self.read(tmp_path, checkpoint_index(entries, shards=2))
        assert index == Index(2, {0: 116, 1: 108})

    def test_slices(self, tmp_path):
        path = tmp_path / "variables.index"
        pairs = {b"": number(1, 1), b"\0\xff1": bundle_entry(0, 0, 4), b"\0\xfe1": bundle_entry(0, 4, 4)}
        path.write_bytes(checkpoint_index({}, data=table_block(pairs)))
        assert read_index(str(path)) == Index(1, {0: 8})

    def test_compressed(self, tmp_path):
        plain = table_block({b"": number(1, 1), b"w": bundle_entry(0, 0, 4)})
        literal = varint(len(plain)) + bytes([(len(plain) - 1) << 2]) + plain
        index = self.read(tmp_path, checkpoint_index({}, compression=1, data=literal))
        assert index == Index(1, {0: 4})

    def test_unknown_compression(self, tmp_path):
        with pytest.raises(WireError, match="compressed in the unknown way 7"):
            self.read(tmp_path, checkpoint_index({}, compression=7))

    def test_real_index_of_a_sharded_and_partitioned_module(self):
        index = read_index(str(DATA / "tf1_hub" / "recurrent" / "variables" / "variables.index"))
        assert index.shard_count == 2
        assert set(index.shard_bytes) == {0, 1}

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "it is 0 bytes long, shorter than its own footer"),
            (bytes(48), "it does not end as the index of a checkpoint does"),
            (b"\xff" * 40 + struct.pack("<Q", 0xDB4775248B80FB57), "the number at byte 0 does not end"),
            (
                b"\0\0\0\xff\xff\xff\x7f".ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57),
                "it ends at byte 48, within a field",
            ),
        ],
    )
    def test_damage(self, tmp_path, data, reason):
        with pytest.raises(WireError, match=reason):
            self.read(tmp_path, data)

    def test_negative_position(self, tmp_path):
        with pytest.raises(WireError, match="negative position"):
            self.read(tmp_path, checkpoint_index({"w": bundle_entry(0, -4, 4)}))


class TestDecompress:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"\x00", b""),
            (b"\x03\x08abc", b"abc"),
            (b"\x40\xf0\x3f" + b"x" * 64, b"x" * 64),  # the length of the literal in a byte of its own
            (b"\x0a\x08abc" + bytes([(7 - 4) << 2 | 1, 3]), b"abcabcabca"),  # a repetition of itself
            (b"\x06\x08abc" + bytes([(3 - 1) << 2 | 2, 3, 0]), b"abcabc"),  # an offset of two bytes
            (b"\x06\x08abc" + bytes([(3 - 1) << 2 | 3, 3, 0, 0, 0]), b"abcabc"),  # and of four
            (b"\x84\x02\xf4\x03\x01" + b"y" * 260, b"y" * 260),  # a length of two bytes
        ],
    )
    def test_elements(self, data, expected):
        assert decompress(data) == expected

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "within a number"),
            (b"\x05\x08abc", "not as long as it says"),
            (b"\x02\x08abc", "not as long as it says"),
            (b"\x03\x08ab", "within a field"),
            (b"\x07\x08abc\x01\x04", "repeats what is not there"),
            (b"\x07\x08abc\x01\x00", "repeats what is not there"),
            (b"\xff\xff\xff\xff\x0f", "compressed block of 4294967295 bytes"),
        ],
    )
    def test_damage(self, data, reason):
        with pytest.raises(WireError, match=reason):
            decompress(data)


class TestDamageAnywhere:
    """Whatever happens to the files of a real model, reading it succeeds or ends in an error of ours."""

    @pytest.mark.parametrize("name", ["text_embedding", "multi_signature"])
    @pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.index", "saved_model.pbtxt"])
    def test_only_typed_errors(self, tmp_path, name, file):
        source = DATA / "tf1_hub" / name
        for path in source.rglob("*"):
            if path.is_file():
                write(tmp_path / path.relative_to(source), path.read_bytes())
        if file == "saved_model.pbtxt":
            (tmp_path / "saved_model.pb").unlink()
            write(tmp_path / file, TF1 + TF2.replace("object_graph_def { }", 'signature_def { key: "s" value { } }'))
        whole = (tmp_path / file).read_bytes()
        noise = random.Random(name + file)
        outcomes = set()
        for turn in range(150):
            damaged = bytearray(whole)
            if turn % 3 == 0:
                del damaged[noise.randrange(len(damaged)) :]
            for _ in range(turn % 3 * noise.randrange(1, 20)):
                damaged[noise.randrange(len(damaged))] = noise.randrange(256)
            (tmp_path / file).write_bytes(bytes(damaged))
            try:
                str(inspect(str(tmp_path)))
                outcomes.add("model")
            except UnihubError as error:
                outcomes.add(type(error).__name__)
        assert "IntegrityError" in outcomes
        assert outcomes <= {"model", "IntegrityError", "UnknownFormatError"}
