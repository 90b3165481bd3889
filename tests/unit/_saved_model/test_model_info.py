import builtins
import io
import json
import pickle

import pytest

from model_files import block, block_of, bundle_entry, number, saved_model, write_pieces, write_variables
from paths import DATA
from processes import printed
from unihub._saved_model import formats
from unihub._saved_model.model_info import Call, Contents, MetaGraph, ModelInfo, Variable
from unihub._saved_model.reader import inspect
from unihub._types import Format, Signature, Tensor
from unihub.errors import IntegrityError, UnihubError

TF1_HUB = DATA / "tf1_hub"

MEGABYTE = 1 << 20


def inspect_text(directory, text):
    """A model of this graph, with a checkpoint that holds one number."""
    (directory / "saved_model.pb").write_bytes(saved_model(text))
    write_variables(directory, {"variables.data-00000-of-00001": 4}, {"w": bundle_entry(0, 0, 4)})
    return inspect(directory)


def only(directory, text):
    (meta_graph,) = inspect_text(directory, "meta_graphs {" + text + "}").meta_graphs
    return meta_graph


class TestModules:
    """Modules that tensorflow_hub exported on TensorFlow 1.15; the numbers are those of its own reader."""

    def test_convnet(self):
        info = inspect(TF1_HUB / "convnet")
        assert info.format is Format.TF1_HUB
        assert info.tag_sets == (frozenset(), frozenset(["train"]))
        assert info.tensorflow_version == "1.15.5"
        assert [str(signature) for signature in info.signatures] == [
            "default(default: float32[None,32,32,3]) -> default: float32[None,64]",
            "feature_map(images: float32[None,32,32,3]) -> default: float32[None,64], map: float32[None,4,4,64]",
        ]
        assert (info.variable_count, info.variable_bytes) == (18, 96128)
        assert sum(variable.trainable for variable in info.variables) == 12
        assert {"Conv2D", "FusedBatchNormV3", "VarHandleOp"} <= info.ops
        assert not info.has_object_graph
        assert not info.callable
        assert not info.takes_training

    def test_variants_of_convnet(self):
        info = inspect(TF1_HUB / "convnet")
        plain, train = info.meta_graphs
        assert info.plain is info.meta_graph([]) is plain
        assert info.meta_graph({"train"}) is train
        assert info.meta_graph({"train", "gpu"}) is None
        assert plain.collections == (("regularization_losses", 3), ("trainable_variables", 12), ("variables", 18))
        assert train.collection_size("update_ops") == 6
        assert plain.collection_size("update_ops") == 0

    def test_mobilenet(self):
        info = inspect(TF1_HUB / "mobilenet")
        assert (info.variable_count, info.variable_bytes) == (260, 1195392)
        assert info.meta_graph(["train"]).collection_size("update_ops") == 104

    def test_multi_signature(self):
        sparse = {signature.name: signature for signature in inspect(TF1_HUB / "multi_signature").signatures}["sparse"]
        assert [tensor.kind for tensor in sparse.inputs] == ["sparse"]
        assert sparse.inputs[0].shape == (None, None)

    def test_text_embedding(self):
        assert inspect(TF1_HUB / "text_embedding").assets == ("vocab.txt",)

    def test_partitioned_variable(self):
        names = [variable.name for variable in inspect(TF1_HUB / "recurrent").variables]
        assert len(names) == 5
        assert sum("part_" in name for name in names) > 1


class TestTensors:
    def test_dtypes_and_shapes(self, tmp_path):
        text = """
            signature_def { key: "b" value { method_name: "predict"
                inputs { key: "y" value { name: "y:0" dtype: DT_STRING tensor_shape { unknown_rank: true } } }
                inputs { key: "x" value { dtype: DT_INT64 tensor_shape { dim { size: -1 } dim { size: 3 } } } }
                outputs { key: "out" value { dtype: DT_HALF tensor_shape { } } } } }
            signature_def { key: "a" value { outputs { key: "ref" value { dtype: DT_FLOAT_REF } } } }
            signature_def { key: "__saved_model_init_op" value { outputs { key: "init" value { } } } }
            signature_def { key: "__saved_model_train_op" value { outputs { key: "train" value { } } } }
        """
        assert only(tmp_path, text).signatures == (
            Signature("a", (), (Tensor("ref", "float32_ref", ()),)),
            Signature(
                "b",
                (Tensor("x", "int64", (None, 3)), Tensor("y", "string", None)),
                (Tensor("out", "float16", ()),),
                "predict",
            ),
        )

    def test_composite_tensors(self, tmp_path):
        state = """type_state { tuple_value {
            values { tensor_shape_value { dim { size: -1 } dim { size: -1 } } }
            values { tensor_dtype_value: DT_INT32 }
            values { int64_value: 1 }
            values { tensor_dtype_value: DT_INT64 } } }"""
        text = """
            signature_def { key: "s" value {
                inputs { key: "named" value { composite_tensor { type_spec {
                    type_spec_class: RAGGED_TENSOR_SPEC type_spec_class_name: "RaggedTensorSpec" STATE } } } }
                inputs { key: "numbered" value { composite_tensor { type_spec {
                    type_spec_class: SPARSE_TENSOR_SPEC STATE } } } }
                inputs { key: "coo" value { dtype: DT_FLOAT coo_sparse { values_tensor_name: "v:0" }
                    tensor_shape { dim { size: -1 } dim { size: 9 } } } }
                inputs { key: "own" value { composite_tensor { type_spec {
                    type_spec_class: REGISTERED_TYPE_SPEC type_spec_class_name: "my.Spec" } } } } } }
        """.replace("STATE", state)
        assert only(tmp_path, text).signatures[0].inputs == (
            Tensor("coo", "float32", (None, 9), "sparse"),
            Tensor("named", "int32", (None, None), "ragged"),
            Tensor("numbered", "int32", (None, None), "sparse"),
            Tensor("own", "unknown", None, "my.Spec"),
        )

    def test_dtype_that_is_younger_than_we(self, tmp_path):
        text = 'signature_def { key: "s" value { inputs { key: "x" value { dtype: 77 } } } }'
        assert only(tmp_path, text).signatures[0].inputs[0].dtype == "unknown"


class TestGraph:
    def test_ops_of_graph_and_functions_without_the_functions(self, tmp_path):
        text = """graph_def {
            node { name: "a" op: "Add" } node { name: "b" op: "my_function" }
            library { function { signature { name: "my_function" } node_def { name: "c" op: "Mul" } } } }"""
        assert only(tmp_path, text).ops == {"Add", "Mul"}

    VARIABLES = """graph_def {
        node { name: "w" op: "VarHandleOp"
               attr { key: "dtype" value { type: DT_DOUBLE } }
               attr { key: "shape" value { shape { dim { size: 2 } dim { size: 3 } } } } }
        node { name: "step" op: "VariableV2"
               attr { key: "dtype" value { type: DT_INT64 } } attr { key: "shape" value { shape { } } } }
        node { name: "no" op: "Variable" } }"""

    def test_variables_by_their_collections(self, tmp_path):
        text = (
            self.VARIABLES
            + r"""
            collection_def { key: "variables" value { bytes_list { value: "\n\003w:0" value: "\n\006step:0" } } }
            collection_def { key: "trainable_variables" value { bytes_list { value: "\n\003w:0" } } }
            collection_def { key: "losses" value { node_list { value: "a:0" value: "b:0" value: "c:0" } } }
            """
        )
        found = only(tmp_path, text)
        assert found.variables == (Variable("w", "float64", (2, 3), True), Variable("step", "int64", (), False))
        assert [variable.nbytes for variable in found.variables] == [48, 8]
        assert found.collections == (("losses", 3), ("trainable_variables", 1), ("variables", 2))

    def test_variables_without_collections(self, tmp_path):
        names = [variable.name for variable in only(tmp_path, self.VARIABLES).variables]
        assert names == ["w", "step", "no"]

    def test_local_variables_are_not_in_the_checkpoint(self, tmp_path):
        text = self.VARIABLES + r'collection_def { key: "local_variables" value { bytes_list { value: "\n\001w" } } }'
        (tmp_path / "saved_model.pb").write_bytes(saved_model("meta_graphs {" + text + "}"))
        assert inspect(tmp_path).variables == ()

    def test_collection_of_numbers(self, tmp_path):
        text = 'collection_def { key: "numbers" value { int64_list { value: [1, 2] } } }'
        assert only(tmp_path, text).collections == (("numbers", 0),)

    def test_variable_whose_node_is_missing(self, tmp_path):
        text = r'collection_def { key: "variables" value { bytes_list { value: "\n\003w:0" } } }'
        assert only(tmp_path, text).variables == (Variable("w", "unknown", None, False),)

    def test_assets_of_both_kinds(self, tmp_path):
        (tmp_path / "assets").mkdir()
        for name in ("a", "b"):
            (tmp_path / "assets" / name).write_bytes(b"")
        text = """
            asset_file_def { filename: "a" } asset_file_def { filename: "a" }
            collection_def { key: "saved_model_assets" value { any_list {
                value { [type.googleapis.com/tensorflow.AssetFileDef] { filename: "b" } } value { type_url: "x" } } } }
        """
        assert only(tmp_path, text).assets == ("a", "b")

    @pytest.mark.parametrize(
        ("variable", "nbytes"),
        [
            (Variable("w", "bfloat16", (5, 4), True), 40),
            (Variable("w", "string", (5,), True), 0),
            (Variable("w", "float32", (None, 2), True), 0),
            (Variable("w", "float32", None, True), 0),
            (Variable("w", "float32", (0, 2), True), 0),
            (Variable("w", "resource", (), False), 0),
        ],
    )
    def test_sizes(self, variable, nbytes):
        assert variable.nbytes == nbytes


OBJECTS = """meta_info_def { tags: "serve" tensorflow_version: "2.4.1" } object_graph_def {
    nodes { children { node_id: 1 local_name: "w" } children { node_id: 2 local_name: "optimizer" }
            children { node_id: 4 local_name: "__call__" } children { node_id: 5 local_name: "layer" } }
    nodes { variable { dtype: DT_FLOAT shape { dim { size: 4 } } trainable: true name: "dense/kernel" } }
    nodes { children { node_id: 6 local_name: "tracked_slot" }
            slot_variables { original_variable_node_id: 1 slot_name: "m" slot_variable_node_id: 3 }
            slot_variables { original_variable_node_id: 1 slot_name: "v" slot_variable_node_id: 6 } }
    nodes { variable { dtype: DT_FLOAT shape { dim { size: 4 } } name: "Adam/m" } }
    nodes { FUNCTION }
    nodes { children { node_id: 7 local_name: "bias" } children { node_id: 0 local_name: "parent" } }
    nodes { variable { dtype: DT_FLOAT shape { dim { size: 4 } } name: "Adam/v" } }
    nodes { variable { dtype: DT_DOUBLE shape { } } }
    concrete_functions { key: "f" value {
        canonicalized_input_signature { tuple_value { values { tuple_value { values {
            type_spec_value { type_spec_class: REGISTERED_TYPE_SPEC type_spec_class_name: "my.Spec"
                type_state { dict_value { fields { key: "inner" value {
                    type_spec_value { type_spec_class: RAGGED_TENSOR_SPEC } } } } } } } } } } }
        output_signature { named_tuple_value { name: "Out" values { key: "x" value {
            type_spec_value { type_spec_class_name: "SparseTensorSpec" } } } } } } } }"""

ARGUMENTS = """function { concrete_functions: ["a", "b"] function_spec { SELF fullargspec { named_tuple_value {
    name: "FullArgSpec"
    values { key: "args" value { list_value { ARGS } } }
    values { key: "varargs" value { none_value { } } }
    values { key: "kwonlyargs" value { tuple_value { KEYWORDS } } } } } } }"""


def function(arguments, keywords=(), declared=""):
    def values(names):
        return " ".join('values {{ string_value: "{}" }}'.format(name) for name in names)

    return ARGUMENTS.replace("SELF", declared).replace("ARGS", values(arguments)).replace("KEYWORDS", values(keywords))


class TestObjects:
    def model(self, tmp_path, function="user_object { }"):
        return inspect_text(tmp_path, "meta_graphs {" + OBJECTS.replace("FUNCTION", function) + "}")

    def test_what_is_found(self, tmp_path):
        info = self.model(tmp_path)
        assert info.format is Format.TF2_SAVED_MODEL
        assert info.has_object_graph
        assert info.plain.attributes == {"w", "optimizer", "__call__", "layer"}
        assert info.plain.contents.type_specs == {"my.Spec", "RaggedTensorSpec", "SparseTensorSpec"}

    def test_variables_without_slots(self, tmp_path):
        assert self.model(tmp_path).variables == (
            Variable("dense/kernel", "float32", (4,), True),
            Variable("Adam/v", "float32", (4,), False),
            Variable("layer/bias", "float64", (), False),
        )

    def test_one_trace(self):
        assert str(Call(("x",), 1)) == "__call__(x), 1 trace"

    @pytest.mark.parametrize(
        ("node", "call", "takes_training"),
        [
            (function(["self", "x"], ["training"]), Call(("x", "training"), 2), True),
            (function(["inputs", "training", "mask"]), Call(("inputs", "training", "mask"), 2), True),
            (function(["this", "x"], declared="is_method: true"), Call(("x",), 2), False),
            (function([]), Call((), 2), False),
            ('bare_concrete_function { argument_keywords: "x" }', Call(("x",), 1), False),
            ("user_object { }", None, False),
        ],
    )
    def test_call(self, tmp_path, node, call, takes_training):
        info = self.model(tmp_path, node)
        assert info.plain.call == call
        assert info.callable == (call is not None)
        assert info.takes_training is takes_training

    def test_checkpoint_is_needed_even_without_variables(self, tmp_path):
        (tmp_path / "saved_model.pb").write_bytes(saved_model("meta_graphs { object_graph_def { } }"))
        with pytest.raises(IntegrityError, match="variables/variables.index is missing"):
            inspect(tmp_path)

    @pytest.mark.parametrize("number", [-1, 99, 0])
    def test_references_to_nowhere(self, tmp_path, number):
        text = "nodes {{ children {{ node_id: {} local_name: '__call__' }} }}".format(number)
        found = only(tmp_path, "object_graph_def {" + text + "}")
        assert found.call is None
        assert found.attributes == {"__call__"}


class TestModelInfo:
    def info(self, format, *tag_sets):
        graphs = [MetaGraph(frozenset(tags), (), Contents(frozenset([str(tags)]))) for tags in tag_sets]
        return ModelInfo("path", format, tuple(graphs))

    @pytest.mark.parametrize(
        ("format", "tag_sets", "plain"),
        [
            (Format.TF1_HUB, [["train"], []], []),
            (Format.TF1_HUB, [["train"], ["serve"]], ["train"]),
            (Format.TF2_SAVED_MODEL, [[], ["serve"]], ["serve"]),
            (Format.TF1_SAVED_MODEL, [["serve", "gpu"], ["serve"]], ["serve"]),
            (Format.TF1_SAVED_MODEL, [["eval"], ["train"]], ["eval"]),
        ],
    )
    def test_plain_variant(self, format, tag_sets, plain):
        info = self.info(format, *tag_sets)
        assert info.plain.tags == frozenset(plain)
        assert info.ops == {str(plain)}

    def test_text(self, tmp_path):
        info = inspect(TF1_HUB / "text_embedding")
        assert str(info).splitlines()[1:] == [
            "  format      tf1-hub",
            "  written by  TensorFlow 1.15.5",
            "  variants    {} (plain)",
            "  signatures  " + str(info.signatures[0]),
            "  callable    no",
            "  trainable   1 variable, 180 parameters, 720 bytes",
            "  frozen      none",
            "  assets      vocab.txt",
            "  ops         {} types".format(len(info.ops)),
            "  unsafe ops  none",
        ]

    def test_text_of_a_callable(self, tmp_path):
        objects = OBJECTS.replace("FUNCTION", function(["x"], ["training"]))
        info = inspect_text(tmp_path, "meta_graphs {" + objects + "}")
        assert "  callable    __call__(x, training), 2 traces\n" in str(info)
        assert "  signatures  none\n" in str(info)

    @pytest.mark.parametrize(
        "report, notes",
        [
            ('{"training_mode": false}', ["training= changes nothing: the TF1 model had no {train} variant."]),
            ('{"training_mode": true}', []),
            ('{"training_mode": 0}', []),
            ("[]", []),
            ("no JSON", []),
            (None, []),
        ],
    )
    def test_notes_of_a_converted_model(self, tmp_path, report, notes):
        if report is not None:
            (tmp_path / "conversion.json").write_text(report)
        info = inspect_text(
            tmp_path, "meta_graphs { " + OBJECTS.replace("FUNCTION", function(["x"], ["training"])) + "}"
        )
        assert info.to_dict()["notes"] == notes
        assert ["  notes       " + note for note in notes] == [
            line for line in str(info).splitlines() if line[2:7] == "notes"
        ]

    def test_dict_is_json_of_a_stable_shape(self):
        info = inspect(TF1_HUB / "multi_signature")
        found = json.loads(json.dumps(info.to_dict()))
        assert list(found) == [
            "path",
            "format",
            "tensorflow_version",
            "tag_sets",
            "signatures",
            "has_object_graph",
            "callable",
            "takes_training",
            "variable_count",
            "variable_bytes",
            "trainable",
            "frozen",
            "assets",
            "ops",
            "unsafe_ops",
            "meta_graphs",
            "notes",
        ]
        assert list(found["meta_graphs"][0]) == [
            "tags",
            "signatures",
            "ops",
            "tensorflow_version",
            "assets",
            "variables",
            "collections",
            "has_object_graph",
            "call",
            "attributes",
            "type_specs",
            "node_count",
            "function_count",
        ]
        assert found["format"] == "tf1-hub"
        assert sorted(found["signatures"]) == ["scale", "sparse", "sum"]
        assert found["signatures"]["sparse"]["inputs"][0]["kind"] == "sparse"
        assert found["meta_graphs"][0]["variables"][0]["nbytes"] == 48

    def test_call_in_the_dict(self, tmp_path):
        info = inspect_text(tmp_path, "meta_graphs {" + OBJECTS.replace("FUNCTION", function(["x"])) + "}")
        assert info.to_dict()["meta_graphs"][0]["call"] == {"arguments": ["x"], "traces": 2}

    def test_survives_pickling_and_hashing(self):
        info = inspect(TF1_HUB / "convnet")
        assert pickle.loads(pickle.dumps(info)) == info
        assert len({info, inspect(TF1_HUB / "convnet")}) == 1

    def test_read_once_while_the_files_stay_the_same(self, tmp_path, monkeypatch):
        first = inspect_text(tmp_path, "meta_graphs { graph_def { } }")
        monkeypatch.setattr(formats, "saved_model", None)
        assert inspect(tmp_path) is first

    @pytest.mark.parametrize("name", ["variables/variables.index", "variables/variables.data-00000-of-00001"])
    def test_what_is_lost_is_missed(self, tmp_path, name):
        inspect_text(tmp_path, "meta_graphs { object_graph_def { } }")
        (tmp_path / name).unlink()
        with pytest.raises(IntegrityError):
            inspect(tmp_path)

    def test_files_may_change_between_calls(self, tmp_path):
        assert only(tmp_path, 'meta_info_def { tags: "a" }').tags == {"a"}
        assert only(tmp_path, 'meta_info_def { tags: "b" }').tags == {"b"}


class TestText:
    def test_same_as_binary(self, tmp_path):
        text = "meta_graphs {" + OBJECTS.replace("FUNCTION", function(["x"])) + "}"
        binary = inspect_text(tmp_path, text)
        as_dict = binary.to_dict()
        hash(binary)  # Reads all of it.
        (tmp_path / "saved_model.pb").unlink()
        (tmp_path / "saved_model.pbtxt").write_text(text)
        assert inspect(tmp_path) == binary
        assert inspect(tmp_path).to_dict() == as_dict


class TestLater:
    """What takes long is read when it is asked for."""

    def test_another_model_in_its_place(self, tmp_path):
        info = inspect_text(tmp_path, "meta_graphs { graph_def { node { name: 'a' op: 'Const' } } }")
        inspect_text(tmp_path, "meta_graphs { graph_def { node { name: 'a' op: 'Identity' } } }")
        with pytest.raises(IntegrityError, match="saved_model.pb has changed since the model was inspected"):
            info.ops  # noqa: B018

    def test_nothing_in_its_place(self, tmp_path):
        info = inspect_text(tmp_path, "meta_graphs { graph_def { node { name: 'a' op: 'Const' } } }")
        read = info.ops
        (tmp_path / "saved_model.pb").unlink()
        assert info.ops == read == {"Const"}
        with pytest.raises(IntegrityError, match="saved_model.pb cannot be read"):
            info.plain.contents.function_count  # noqa: B018

    def test_a_copy_of_another_process(self, tmp_path):
        info = inspect_text(tmp_path, "meta_graphs { graph_def { node { name: 'a' op: 'Const' } } }")
        copy = pickle.loads(pickle.dumps(info))
        assert copy == info
        assert hash(copy) == hash(info)


class CountingFile(io.FileIO):
    """A file that adds up what is read from it."""

    total = 0

    def read(self, size=-1):
        data = super().read(size)
        CountingFile.total += len(data)
        return data


class TestCost:
    """A file of a gigabyte costs no more than its headers."""

    def constant(self, field, name, size):
        """A node of a graph or, under another field number, of a function."""
        value = block_of(8, block_of(4, [size]))
        attribute = block_of(5, [block(1, b"value"), *block_of(2, value)])
        return block_of(field, [block(1, name.encode()), block(2, b"Const"), *attribute])

    @pytest.mark.parametrize(("count", "size"), [(1, 1024 * MEGABYTE), (1024, MEGABYTE), (16 * 1024, MEGABYTE // 16)])
    @pytest.mark.parametrize("in_function", [False, True])
    def test_gigabyte_of_constants(self, tmp_path, monkeypatch, count, size, in_function):
        names = ["constant_{}".format(index) for index in range(count)]
        nodes = [piece for name in names for piece in self.constant(3 if in_function else 1, name, size)]
        if in_function:
            nodes = block_of(2, block_of(1, [block(1, block(1, b"f")), *nodes]))
        graph = block_of(2, nodes)
        signature = block(5, block(1, b"s") + block(2, block(3, b"predict")))
        pieces = [number(1, 1), *block_of(2, [block(1, block(4, b"serve")), *graph, signature])]
        write_pieces(tmp_path / "saved_model.pb", pieces)
        assert (tmp_path / "saved_model.pb").stat().st_size > 1024 * MEGABYTE

        monkeypatch.setattr(CountingFile, "total", 0)
        monkeypatch.setattr(builtins, "open", lambda path, *arguments, **options: CountingFile(path))
        (meta_graph,) = inspect(tmp_path).meta_graphs
        assert meta_graph.ops == {"Const"}
        assert [signature.name for signature in meta_graph.signatures] == ["s"]
        assert 0 < CountingFile.total < (MEGABYTE if count <= 1024 else 4 * MEGABYTE)

    def test_no_framework_is_imported(self):
        code = (
            "import sys; from unihub._saved_model.reader import inspect; inspect(sys.argv[1]); "
            "print([m for m in ('tensorflow', 'tensorflow_hub', 'keras', 'google.protobuf', 'numpy') if m in sys.modules])"
        )
        assert printed(code, TF1_HUB / "convnet") == ["[]"]


class TestErrors:
    def test_missing_assets_of_a_model(self, tmp_path):
        with pytest.raises(IntegrityError, match="assets/vocab.txt is missing"):
            only(tmp_path, 'asset_file_def { filename: "vocab.txt" }')

    def test_errors_of_lazy_reading_name_the_file(self, tmp_path):
        # A signature that claims to be longer than the graph it is in.
        broken = block(2, block(1, block(4, b"serve")) + block(5, block(1, b"s") + b"\x12\x7f")) + block(2, b"")
        (tmp_path / "saved_model.pb").write_bytes(broken)
        with pytest.raises(IntegrityError, match="saved_model.pb is damaged") as caught:
            inspect(tmp_path)
        assert caught.value.truncated is False
        assert isinstance(caught.value, UnihubError)
