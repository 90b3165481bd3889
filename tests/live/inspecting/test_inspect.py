"""What inspect reads from files is what TensorFlow says: its own messages, a session, and the loaded objects."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import processes
import saved_modules
import saved_objects
import unihub
from live_runtime import DATA, RUNTIME, TENSORFLOW, live_context
from unihub._tf import saved_model, tracking
from unihub._tf.functions import restored_arguments, restored_function_type

v1 = tf.compat.v1

pytestmark = pytest.mark.thorough

STORED = sorted(str(path.parent.relative_to(DATA)) for path in DATA.glob("**/saved_model.pb"))
PACKED = sorted(path.name for path in DATA.glob("keras/*.tar.gz"))
MADE = ["objects/" + name for name in ("function", "module", "nested", "python", "words")] + [
    "modules/" + name for name in ("classifier", "constant", "loop", "partitioned", "sparse", "vocabulary")
]
# Their ops and types are those of a package that is not installed, or of no TensorFlow yet.
OF_OTHER_PACKAGES = ("new_op", "new_attribute", "saved_model_missing_op", "saved_model_type_spec")
PSEUDO = ("__saved_model_init_op", "__saved_model_train_op")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Models that this TensorFlow writes."""
    directory = tmp_path_factory.mktemp("made")
    if TENSORFLOW >= (1, 15):
        saved_objects.write_all(str(directory / "objects"), in_graph=RUNTIME != "tf2")
    if RUNTIME != "tf2":
        saved_modules.write_all(str(directory / "modules"))
    return directory


@pytest.fixture(params=STORED + PACKED + MADE)
def path(request, made):
    if request.param in PACKED:
        return unihub.resolve(DATA / "keras" / request.param)
    if request.param not in MADE:
        return str(DATA / request.param)
    if not (made / request.param).exists():
        pytest.skip("this runtime does not write it")
    return str(made / request.param)


def is_loaded_here(path):
    """Whether this TensorFlow is to load it: it is not newer, and uses nothing of other packages."""
    if any(name in path for name in OF_OTHER_PACKAGES):
        return False
    written = unihub.inspect(path).tensorflow_version.split(".")[:2]
    return tuple(map(int, written)) <= TENSORFLOW


def shape_of(shape):
    """A shape of TensorFlow's as inspect tells it."""
    shape = tf.TensorShape(shape)
    return None if shape.ndims is None else tuple(shape.as_list())


def test_all_models_are_there():
    assert len(STORED) >= 24 and len(PACKED) == 6


def test_the_messages(path):
    """TensorFlow's own classes parse the file; the rest of TensorFlow is not asked, so it holds for every model."""
    info = unihub.inspect(path)
    messages = saved_model.read_meta_graphs(path)
    assert len(info.meta_graphs) == len(messages) > 0
    for found, wanted in zip(info.meta_graphs, messages):
        library = wanted.graph_def.library.function
        bodies = itertools.chain(wanted.graph_def.node, *(function.node_def for function in library))
        functions = {function.signature.name for function in library}
        assert found.tags == set(wanted.meta_info_def.tags)
        assert found.tensorflow_version == wanted.meta_info_def.tensorflow_version
        assert found.ops == {node.op for node in bodies} - functions
        assert found.contents.node_count == len(wanted.graph_def.node)
        assert found.contents.function_count == len(library)
        assert found.has_object_graph == wanted.HasField("object_graph_def")
        assert {each.name for each in found.signatures} == set(wanted.signature_def) - set(PSEUDO)
        for signature in found.signatures:
            check_signature(signature, wanted.signature_def[signature.name])
        sizes = {
            name: len(getattr(value, value.WhichOneof("kind")).value) for name, value in wanted.collection_def.items()
        }
        assert dict(found.collections) == sizes
        assert set(found.assets) == {os.path.basename(name) for name in asset_names(wanted)}
        if found.has_object_graph:
            check_objects(found, wanted.object_graph_def)


def check_signature(found, wanted):
    assert found.method_name == wanted.method_name
    for tensors, infos in ((found.inputs, wanted.inputs), (found.outputs, wanted.outputs)):
        assert [tensor.name for tensor in tensors] == sorted(infos)
        for tensor in tensors:
            info = infos[tensor.name]
            kind = info.WhichOneof("encoding")
            assert (tensor.kind == "dense") == (kind == "name") and (tensor.kind == "sparse") == (kind == "coo_sparse")
            if kind != "composite_tensor":
                assert (tensor.dtype, tensor.shape) == (tf.as_dtype(info.dtype).name, shape_of(info.tensor_shape))


def asset_names(message):
    from tensorflow.core.protobuf import meta_graph_pb2

    names = [asset.filename for asset in message.asset_file_def]
    for value in (
        message.collection_def["saved_model_assets"].any_list.value
        if "saved_model_assets" in message.collection_def
        else ()
    ):
        asset = meta_graph_pb2.AssetFileDef()
        value.Unpack(asset)
        names.append(asset.filename)
    return names


def check_objects(found, graph):
    """The objects of TensorFlow 2; slots of an optimizer are variables that nobody but it has."""
    root = graph.nodes[0]
    assert found.attributes == {child.local_name for child in root.children}
    calls = [graph.nodes[child.node_id] for child in root.children if child.local_name == "__call__"]
    assert (found.call is not None) == bool(calls)
    for node in calls:
        if node.HasField("function"):
            assert found.call.traces == len(node.function.concrete_functions)
    marked = [variable.trainable for variable in found.variables]
    wanted = [
        node.variable
        for number, node in enumerate(graph.nodes)
        if node.HasField("variable") and number in reached(graph)
    ]
    assert sorted(marked) == sorted(variable.trainable for variable in wanted)


def reached(graph):
    """The numbers of the objects that are somebody's attribute, from the root."""
    found = [0]
    for number in found:
        found += [child.node_id for child in graph.nodes[number].children if child.node_id not in found]
    return set(found)


def test_a_session(path):
    """What is in a graph after ``tf.saved_model.load`` of TensorFlow 1, each variant in a graph of its own."""
    if not is_loaded_here(path):
        pytest.skip("this TensorFlow cannot load it")
    info = unihub.inspect(path)
    for found in info.meta_graphs:
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            message = v1.saved_model.load(session, sorted(found.tags), path)
            for signature in found.signatures:
                wanted = message.signature_def[signature.name]
                for tensors, infos in ((signature.inputs, wanted.inputs), (signature.outputs, wanted.outputs)):
                    for tensor in [each for each in tensors if each.kind == "dense"]:
                        real = graph.get_tensor_by_name(infos[tensor.name].name)
                        assert real.dtype.name == tensor.dtype
                        assert real.shape.is_compatible_with(tf.TensorShape(tensor.shape))
            if found.has_object_graph:
                continue
            trainable = {variable.op.name for variable in v1.trainable_variables()}
            wanted = {
                variable.op.name: (
                    variable.dtype.base_dtype.name,
                    shape_of(variable.shape),
                    variable.op.name in trainable,
                )
                for variable in v1.global_variables()
            }
            assert {each.name: (each.dtype, each.shape, each.trainable) for each in found.variables} == wanted
            values = session.run(v1.global_variables())
            numbers = [value for value in values if value.dtype.kind not in "OSU"]
            assert sum(each.nbytes for each in found.variables) == sum(value.nbytes for value in numbers)
            assert sum(each.parameters for each in found.variables) == sum(value.size for value in values)


def tracked(root):
    """All objects that a loaded object keeps."""
    found = [root]
    seen = {id(root)}
    for obj in found:
        for child in tracking.tracked_children(obj).values():
            if id(child) not in seen:
                seen.add(id(child))
                found.append(child)
    return found


@pytest.mark.skipif(RUNTIME != "tf2", reason="eager TensorFlow tells the values of what it loaded")
def test_the_objects(path):
    """What ``tf.saved_model.load`` gives back, when all of it is loaded."""
    info = unihub.inspect(path)
    if not is_loaded_here(path) or not info.has_object_graph:
        pytest.skip("this TensorFlow cannot load it, or it has no objects")
    loaded = v1.saved_model.load_v2(path, tags=sorted(info.plain.tags))
    assert {each.name for each in info.signatures} == set(loaded.signatures)
    for signature in info.signatures:
        function = loaded.signatures[signature.name]
        _, inputs = function.structured_input_signature
        assert {each.name: each.dtype for each in signature.inputs} == {
            name: spec.dtype.name for name, spec in inputs.items()
        }
        for tensor in [each for each in signature.inputs if each.kind == "dense"]:
            assert tensor.shape == shape_of(inputs[tensor.name].shape)
        assert [each.name for each in signature.outputs] == sorted(function.structured_outputs)
        for tensor in [each for each in signature.outputs if each.kind == "dense"]:
            real = function.structured_outputs[tensor.name]
            assert tensor.dtype == real.dtype.name and real.shape.is_compatible_with(tf.TensorShape(tensor.shape))
    assert info.callable == callable(loaded)
    if info.callable and type(loaded.__call__) is restored_function_type():
        assert info.plain.call.arguments == tuple(name for name in restored_arguments(loaded) if name != "self")
        assert info.plain.call.traces == len(loaded.__call__.concrete_functions)
    variables = [obj for obj in tracked(loaded) if isinstance(obj, tf.Variable)]
    wanted = sorted((each.dtype.name, str(shape_of(each.shape)), each.trainable) for each in variables)
    assert sorted((each.dtype, str(each.shape), each.trainable) for each in info.variables) == wanted
    if TENSORFLOW >= (2, 1) and "tf1.15" not in path and all(each.name for each in info.variables):
        named = {each.name.split(":")[0] for each in variables}
        assert {each.name for each in info.variables} <= named or info.tensorflow_version.startswith(("1.", "2.0"))
    for totals, is_trainable in ((info.trainable_totals, True), (info.frozen_totals, False)):
        values = [each.numpy() for each in variables if each.trainable == is_trainable]
        arrays = [np.asarray(value) for value in values]
        assert totals.variables == len(arrays) and totals.parameters == sum(array.size for array in arrays)
        numbers = [array for array in arrays if array.dtype.kind not in "OSU"]
        assert totals.nbytes == sum(array.nbytes for array in numbers)
        assert (totals.unknown_shapes, totals.unknown_sizes) == (0, len(arrays) - len(numbers))


def test_a_variable_of_unknown_shape(tmp_path):
    """Its size is not guessed, and the text says so."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        kernel = v1.get_variable("kernel", initializer=tf.ones([2, 3]), use_resource=True)
        growing = v1.Variable(
            np.zeros([4], np.float32), shape=tf.TensorShape([None]), name="growing", use_resource=True
        )
        words = v1.Variable([b"a", b"bc"], name="words", trainable=False, use_resource=True)
        y = tf.matmul(x, kernel) + tf.reduce_sum(growing)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(tmp_path / "model"), {"x": x}, {"y": y})
        assert words.dtype.base_dtype == tf.string
    info = unihub.inspect(tmp_path / "model")
    assert str(info.trainable_totals) == ("2 variables, at least 6 parameters, at least 24 bytes (1 of unknown shape)")
    assert str(info.frozen_totals) == "1 variable, 2 parameters, at least 0 bytes (1 of unknown size)"
    assert info.to_dict()["trainable"] == {
        "variables": 2, "parameters": 6, "nbytes": 24, "unknown_shapes": 1, "unknown_sizes": 1
    }  # fmt: skip


@pytest.mark.skipif(TENSORFLOW < (1, 15), reason="TensorFlow 1.14 cannot load it")
def test_the_plan_counts_what_is_trained(place):
    handle = DATA / "saved_model" / "reusable"
    info = unihub.inspect(handle)
    plan = unihub.plan(handle, trainable=True, api="load")
    assert (plan.trainable_totals, plan.frozen_totals) == (info.trainable_totals, info.frozen_totals)
    plan = unihub.plan(handle, api="load")
    assert plan.trainable_totals.variables == 0 and plan.frozen_totals.variables == info.variable_count


def run_command(words, cache):
    """What a command prints as JSON, and whether it imported TensorFlow."""
    code = (
        "import sys; from unihub import _cli; status = _cli.main(sys.argv[1:]); "
        "print('tensorflow' in sys.modules, status, file=sys.stderr)"
    )
    env = processes.environment(UNIHUB_CACHE_DIR=str(cache))
    env.pop("TF_CPP_MIN_LOG_LEVEL", None)
    command = [sys.executable, "-c", code, *words, "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, cwd=str(cache.parent))
    lines = done.stderr.splitlines()
    return json.loads(done.stdout), lines[-1], lines[:-1]


CONVNET = str(DATA / "tf1_hub" / "convnet")


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", CONVNET],
        ["plan", CONVNET, "--runtime", "tf1-compat", "--tensorflow", "2.15", "--operation", "fine-tune"],
        ["plan", CONVNET, "--api", "keras", "--tensorflow", "2.15"],
        ["matrix"],
        ["matrix", "--tensorflow", "2.15"],
        ["resolve", CONVNET],
        ["cache", "ls"],
        ["env"],
    ],
    ids=lambda words: " ".join(map(os.path.basename, words)),
)
def test_no_command_imports_tensorflow_without_need(words, tmp_path):
    assert run_command(words, tmp_path)[1:] == ("False 0", [])


def test_plan_here(tmp_path):
    found, ended, said = run_command(["plan", CONVNET], tmp_path)
    # A new process is in the runtime that TensorFlow starts in.
    assert found["runtime"]["mode"] == ("tf1" if TENSORFLOW < (2, 0) else "tf2")
    assert found["runtime"]["tensorflow"] == tf.__version__ and (ended, said) == ("True 0", [])


def test_matrix_here(tmp_path):
    """Who is said to serve a cell is who serves it in a plan."""
    found, ended, said = run_command(["matrix", "--here"], tmp_path)
    assert (ended, said) == ("True 0", []) and found["tensorflow"] == tf.__version__
    handles = {
        "tf1-hub": CONVNET,
        "tf2-saved-model": str(DATA / "saved_model" / "reusable"),
        "tf1-saved-model": str(DATA / "tf1_saved_model" / "half_plus_two"),
    }
    compared = 0
    for row in found["rows"]:
        mode = "tf2" if RUNTIME == "tf2" else RUNTIME
        if row["runtime"] != mode or row["operation"] == "create" or not row["supported"]:
            continue
        for choice in row["choices"]:
            with live_context(mode):
                check_choice(handles[row["format"]], row, choice)
            compared += 1
    assert compared >= 4


def check_choice(handle, row, choice):
    for server in choice["here"]:
        options = {
            "api": choice["api"],
            "trainable": row["operation"] == "fine-tune",
            "keras": server["keras"] or "auto",
        }
        if server["missing"] is None:
            assert str(unihub.plan(handle, **options).backend) == server["backend"]
        else:
            with pytest.raises(unihub.errors.RuntimeUnavailableError):
                unihub.load(handle, **options)


def test_env_here(tmp_path):
    found, ended, _ = run_command(["env", "--import"], tmp_path)
    # What TensorFlow says when it is imported belongs into a report of a bug.
    assert ended == "True 0" and found["imported"]["devices"]
    assert found["runtime"]["tensorflow"] == tf.__version__
    if unihub._tf.packages.installed_version("tensorflow-hub"):
        assert found["imported"]["problems"] == []


def test_convert(tmp_path):
    found, ended, _ = run_command(["convert", CONVNET, str(tmp_path / "out")], tmp_path / "cache")
    if TENSORFLOW < (2, 0):
        assert (found["error"]["type"], ended) == ("UnsupportedError", "True 13")
        return
    assert ended == "True 0" and found["path"] == str(tmp_path / "out") and len(found["variables"]) == 18
    assert all(signature["difference"] <= 1e-5 for signature in found["signatures"])
    assert str(unihub.inspect(tmp_path / "out").format) == "tf2-saved-model"
