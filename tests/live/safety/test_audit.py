"""The audit on models that the TensorFlow at hand writes: what is planted is found, and decides whether they load."""

import contextlib
import shutil
import subprocess
import warnings

import numpy as np
import pytest
import tensorflow as tf

import archives
import servers
import unihub
from live_runtime import DATA, RUNTIME, TENSORFLOW, live_context, missing_server
from paths import SUPPORT
from processes import printed
from unihub import _cli, errors
from unihub._audit import op_packages
from unihub._cli.exit_status import STATUSES
from unihub._saved_model.unsafe_ops import UNSAFE_OPS
from unsafe_models import DEPTHS, HAS_LAMBDA, KINDS, plant, write_graph, write_lambda, write_object


def found_in(path):
    return {(op.op, op.where == "graph") for op in unihub.inspect(path).unsafe_ops}


@pytest.mark.parametrize("depth", sorted(DEPTHS))
def test_every_kind_is_found_at_each_depth(tmp_path, depth):
    path = write_graph(str(tmp_path / "model"), lambda: DEPTHS[depth](sorted(KINDS)))
    assert len(KINDS) >= 20
    assert found_in(path) == {(kind, depth == "graph") for kind in KINDS}


def test_every_kind_is_found_in_what_initializes(tmp_path):
    path = write_graph(str(tmp_path / "model"), lambda: plant(sorted(KINDS)), is_init=True)
    assert found_in(path) == {(kind, True) for kind in KINDS}


@pytest.mark.parametrize("depth", sorted(DEPTHS))
def test_every_kind_is_found_in_a_module(tmp_path, depth):
    path = write_graph(str(tmp_path / "model"), lambda: DEPTHS[depth](sorted(KINDS)), module=True)
    assert str(unihub.inspect(path).format) == "tf1-hub"
    assert found_in(path) == {(kind, depth == "graph") for kind in KINDS}


@pytest.mark.thorough
@pytest.mark.parametrize("depth", sorted(DEPTHS))
def test_each_kind_alone(tmp_path, depth):
    for kind in sorted(KINDS):
        path = write_graph(str(tmp_path / kind), lambda chosen=kind: DEPTHS[depth]([chosen]))
        assert found_in(path) == {(kind, depth == "graph")}


@pytest.mark.skipif(RUNTIME != "tf2", reason="objects are written eagerly")
def test_every_kind_is_found_in_an_object(tmp_path):
    path = write_object(str(tmp_path / "model"), sorted(KINDS))
    assert str(unihub.inspect(path).format) == "tf2-saved-model"
    assert found_in(path) == {(kind, False) for kind in KINDS}


@pytest.mark.keras2
@pytest.mark.skipif(not HAS_LAMBDA, reason="Keras 2 writes its layers' code into a SavedModel, and only eagerly")
def test_lambda_layer(tmp_path):
    path = write_lambda(str(tmp_path / "model"))
    (op,) = unihub.inspect(path).unsafe_ops
    assert (op.op, op.node) == ("Lambda", "plus_one")
    assert "marshalled" in op.reason


def test_the_ops_of_the_table_that_this_tensorflow_has_are_spelt_right():
    from unihub._tf import ops

    known = [op for op in UNSAFE_OPS if ">" not in op and ops.is_registered_op(op)]
    # Each TensorFlow has all but those that came later, or belong to a package.
    assert len(known) >= 60
    assert not ops.is_registered_op("NoSuchOpAtAll")


# What it decides.


def read_file(path):
    """A model that needs a file to be called, and none to be loaded."""
    return write_graph(path, lambda: tf.strings.to_number(tf.io.read_file("/nonexistent/file")))


@pytest.fixture
def fetched(tmp_path):
    """The handle of a model on a server that reads a file."""
    path = read_file(str(tmp_path / "model"))
    packed = archives.folder(path)
    (tmp_path / "model.tar.gz").write_bytes(packed)
    site = servers.Site()
    site.answers["/model.tar.gz"] = servers.serve(packed)
    yield site.url + "/model.tar.gz"
    site.close()


def no_warning():
    context = warnings.catch_warnings()
    context.__enter__()
    warnings.simplefilter("error", errors.UnsafeModelWarning)
    return contextlib.closing(_Closing(context))


class _Closing:
    def __init__(self, context):
        self.close = lambda: context.__exit__(None, None, None)


class TestTrust:
    def test_a_fetched_model_is_refused(self, fetched):
        for _ in range(2):  # The second time it is in the cache.
            with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError) as caught:
                unihub.load(fetched)
            assert [op.op for op in caught.value.unsafe_ops] == ["ReadFile"]

    def test_a_plan_does_not_depend_on_trust(self, fetched, capsys):
        """The command says what ``load`` would do, and so ends as it does."""
        with live_context(RUNTIME):
            assert [op.op for op in unihub.plan(fetched).info.unsafe_ops] == ["ReadFile"]
            assert _cli.main(["plan", fetched]) == STATUSES[errors.UnsafeModelError]
        assert "ReadFile" in capsys.readouterr().err

    @pytest.mark.keras2
    @pytest.mark.skipif(RUNTIME != "tf2", reason="the model is a tf1-saved-model, of which graphs have no layers")
    @pytest.mark.skipif(missing_server("keras") is not None, reason="nobody serves Keras layers here")
    def test_so_is_its_layer(self, fetched):
        with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError, match="ReadFile"):
            unihub.KerasLayer(fetched)

    @pytest.mark.skipif(RUNTIME == "tf2", reason="modules are of graphs")
    def test_so_is_its_module(self, tmp_path, monkeypatch):
        monkeypatch.setenv("UNIHUB_TRUST", "0")
        path = write_graph(str(tmp_path / "module"), lambda: plant(["ReadFile"]), module=True)
        with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError, match="ReadFile"):
            unihub.Module(path)

    def test_so_is_its_directory_in_the_cache(self, fetched):
        place = unihub.resolve(fetched)
        with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError, match="ReadFile"):
            unihub.load(place)

    @pytest.mark.parametrize("trust", [True, "ReadFile", ["ReadFile", "Rpc"]])
    def test_a_trusted_one_is_loaded_in_silence(self, fetched, trust):
        with live_context(RUNTIME), no_warning():
            assert [op.op for op in unihub.load(fetched, trust=trust).info.unsafe_ops] == ["ReadFile"]

    @pytest.mark.parametrize("trust", [False, ["WriteFile"], []])
    def test_other_trust_does_not_help(self, fetched, trust):
        with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError):
            unihub.load(fetched, trust=trust)

    def test_the_environment(self, fetched, monkeypatch):
        monkeypatch.setenv("UNIHUB_TRUST", "ReadFile, WriteFile")
        with live_context(RUNTIME), no_warning():
            unihub.load(fetched)
        monkeypatch.setenv("UNIHUB_TRUST", "1")
        with live_context(RUNTIME), no_warning():
            unihub.load(fetched)
        monkeypatch.setenv("UNIHUB_TRUST", "0")
        with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError):
            unihub.load(fetched)

    def test_a_local_one_warns_once(self, fetched, tmp_path):
        with live_context(RUNTIME), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            unihub.load(str(tmp_path / "model"))
        (warning,) = [each for each in caught if each.category is errors.UnsafeModelWarning]
        assert "ReadFile reads files" in str(warning.message)
        assert warning.filename == __file__

    def test_a_local_archive_warns(self, fetched, tmp_path):
        with live_context(RUNTIME), pytest.warns(errors.UnsafeModelWarning):
            unihub.load(str(tmp_path / "model.tar.gz"))

    def test_a_local_one_can_be_refused(self, fetched, tmp_path):
        with live_context(RUNTIME), pytest.raises(errors.UnsafeModelError, match="trust=False"):
            unihub.load(str(tmp_path / "model"), trust=False)

    @pytest.mark.skipif(RUNTIME != "tf2", reason="convert runs eagerly")
    def test_convert(self, fetched, tmp_path):
        with pytest.raises(errors.UnsafeModelError):
            unihub.convert(fetched, str(tmp_path / "converted"))
        assert not (tmp_path / "converted").exists()

    def test_a_word_that_is_none(self):
        with pytest.raises(errors.InputError, match="invalid value for trust: 3"):
            unihub.plan(str(DATA / "tf1_hub" / "convnet"), trust=3)

    @pytest.mark.keras2
    def test_a_saved_layer_does_not_decide_it(self, fetched):
        from unihub._strategies.layer_mixin import options_of

        config = {"handle": fetched, "trust": True, "custom_op_libraries": ["/tmp/x.so"]}
        assert options_of(config) == {"handle": fetched}

    def test_clean_models_load_in_silence(self):
        with live_context(RUNTIME) as live, no_warning():
            model = unihub.load(str(DATA / "tf1_saved_model" / "half_plus_two"), trust=False)
            np.testing.assert_array_equal(list_of(live.run(model(np.float32([[2.0]])), model)), [[[3.0]]])


def list_of(outputs):
    """The values of one call, whatever names they have."""
    return list(outputs.values()) if isinstance(outputs, dict) else [outputs]


# What TensorFlow lacks.

OP = "UnihubTestsTwice"

SOURCE = """
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/common_shape_fns.h"
using namespace tensorflow;
REGISTER_OP("UnihubTestsTwice").Input("x: float").Output("y: float").SetShapeFn(
    shape_inference::UnchangedShape);
class TwiceOp : public OpKernel {
 public:
  explicit TwiceOp(OpKernelConstruction* context) : OpKernel(context) {}
  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    Tensor* y = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    for (int i = 0; i < x.NumElements(); i++) y->flat<float>()(i) = 2 * x.flat<float>()(i);
  }
};
REGISTER_KERNEL_BUILDER(Name("UnihubTestsTwice").Device(DEVICE_CPU), TwiceOp);
"""

# In a process of its own, for an op that is registered once is there for good.
WRITE = """
import sys, tensorflow as tf
sys.path.insert(0, sys.argv[3])
import unsafe_models
twice = tf.load_op_library(sys.argv[1]).unihub_tests_twice
unsafe_models.write_graph(sys.argv[2], lambda: twice(x=tf.constant(4.0)))
"""


def compile_op(folder):
    """A library with an op of our own, built as TensorFlow's guide says."""
    source, library = folder / "twice.cc", folder / "twice.so"
    source.write_text(SOURCE)
    flags = tf.sysconfig.get_compile_flags() + tf.sysconfig.get_link_flags()
    standard = [] if any(flag.startswith("--std") for flag in flags) else ["-std=c++11"]
    command = ["g++", "-shared", "-fPIC", "-O0", str(source), "-o", str(library)] + standard + flags
    subprocess.run(command, check=True, stderr=subprocess.PIPE)
    return str(library)


@pytest.mark.thorough
def test_a_library_of_custom_ops(tmp_path):
    library = compile_op(tmp_path)
    path = str(tmp_path / "model")
    # Elsewhere, where no unihub lies beside that is not the one under test.
    printed(WRITE, library, path, SUPPORT)
    with live_context(RUNTIME), pytest.raises(errors.MissingOpsError) as caught:
        unihub.load(path)
    assert caught.value.ops == (OP,)
    assert caught.value.__cause__ is None, "it is told before TensorFlow fails"
    with live_context(RUNTIME) as live:
        model = unihub.load(path, custom_op_libraries=[library])
        outputs = live.run(model(np.float32(1.0)), model)
    np.testing.assert_allclose(np.ravel(list(outputs.values())[0] if isinstance(outputs, dict) else outputs), [9.0])


def test_a_library_that_is_not_there(tmp_path):
    with live_context(RUNTIME), pytest.raises(errors.MissingOpsError, match="there is no library"):
        unihub.load(str(DATA / "tf1_hub" / "text_embedding"), custom_op_libraries=str(tmp_path / "no.so"))


def test_a_library_that_is_none(tmp_path):
    (tmp_path / "bad.so").write_text("nothing")
    with live_context(RUNTIME), pytest.raises(errors.MissingOpsError, match="cannot be loaded"):
        unihub.load(str(DATA / "tf1_hub" / "text_embedding"), custom_op_libraries=[tmp_path / "bad.so"])


@pytest.mark.skipif(TENSORFLOW < (1, 15), reason="TensorFlow 1.14 loads no TF2 SavedModel")
def test_missing_ops_are_told_before_loading():
    has_text = op_packages.package_of("CaseFoldUTF8").module in installed()
    with live_context(RUNTIME) as live:
        if has_text:
            model = unihub.load(str(DATA / "saved_model_missing_op"))
            assert [value.tolist() for value in list_of(live.run(model(["A"]), model))] == [[b"a"]]
            return
        with pytest.raises(errors.MissingOpsError) as caught:
            unihub.load(str(DATA / "saved_model_missing_op"))
    assert (caught.value.ops, caught.value.package) == (("CaseFoldUTF8",), "tensorflow-text")
    assert "tensorflow-text=={}.{}.*".format(*TENSORFLOW) in caught.value.hint
    assert caught.value.__cause__ is None


def installed():
    import importlib.util

    names = ["tensorflow_text"]
    return [name for name in names if importlib.util.find_spec(name) is not None]


@pytest.mark.skipif(TENSORFLOW < (2, 10), reason="TensorFlow 2.4 has no register to ask; test_traps.py has its answer")
def test_missing_types_are_told_before_loading():
    with live_context(RUNTIME), pytest.raises(errors.MissingOpsError) as caught:
        unihub.load(str(DATA / "saved_model_type_spec"))
    assert caught.value.type_spec == "unihub_tests.PairSpec"
    assert caught.value.__cause__ is None


@pytest.mark.skipif(TENSORFLOW < (2, 10), reason="TensorFlow 2.4 has no register to ask; test_traps.py has its answer")
@pytest.mark.parametrize(
    "name, package", [(b"tfp.distributions.Law", "tensorflow-probability"), (b"tf_agents.specs.Array", "tf-agents")]
)
def test_the_package_of_a_type_is_told_by_its_name(name, package, tmp_path):
    path = tmp_path / "model"
    shutil.copytree(str(DATA / "saved_model_type_spec"), str(path))
    graph = path / "saved_model.pb"
    # A name of the same length, for the lengths of all messages around it stand in the file.
    old = b"unihub_tests.PairSpec"
    assert len(name) == len(old) and old in graph.read_bytes()
    graph.write_bytes(graph.read_bytes().replace(old, name))
    with live_context(RUNTIME), pytest.raises(errors.MissingOpsError, match="pip install " + package) as caught:
        unihub.load(str(path))
    assert caught.value.type_spec == name.decode()
