"""How the arguments of a call are converted, and which trace of a function they choose. No model is loaded here."""

import collections
import types

import numpy as np
import pytest
import tensorflow as tf

from unihub._call import inputs, signature_call, trace_matching
from unihub._types import Signature, Tensor
from unihub.errors import InputError, SignatureError


def sparse(dtype=tf.float32):
    return tf.SparseTensor([[0, 0]], tf.constant([1], dtype), [1, 2])


def converted(value, dtype, shape=None):
    return inputs.convert(value, tf.as_dtype(dtype), tf.TensorShape(shape))


def refused(value, dtype, shape=None):
    with pytest.raises(inputs.Mismatch) as caught:
        converted(value, dtype, shape)
    return str(caught.value)


class TestConvert:
    @pytest.mark.parametrize(
        "value, dtype, wanted",
        [
            ([1, 2], "float32", [1.0, 2.0]),
            ([True, False], "int32", [1, 0]),
            (np.float64([1.5]), "float32", [1.5]),
            (np.uint16([0, 255]), "uint8", [0, 255]),
            ([-128, 127], "int8", [-128, 127]),
            ([70000], "float16", [np.inf]),
            ([2**40], "float32", [2.0**40]),
            ([300], "complex64", [300]),
            (np.zeros([0, 2], np.int64), "int8", np.zeros([0, 2])),
            (np.uint8([7]), "int64", [7]),
            ([True, False], "bool", [True, False]),
            (["a", "longer"], "string", [b"a", b"longer"]),
            (("a", b"\xff"), "string", [b"a", b"\xff"]),
            ([["a"], ["b"]], "string", [[b"a"], [b"b"]]),
            (np.array(["a", "bc"]), "string", [b"a", b"bc"]),
            (np.array([b"a", b"bc"]), "string", [b"a", b"bc"]),
            (np.array(["a", b"bc"], object), "string", [b"a", b"bc"]),
            ("one", "string", b"one"),
        ],
    )
    @pytest.mark.filterwarnings("ignore:overflow")
    def test_values(self, place, value, dtype, wanted):
        tensor = converted(value, dtype)
        assert tensor.dtype == tf.as_dtype(dtype)
        np.testing.assert_array_equal(place.run(tensor), wanted)

    @pytest.mark.parametrize(
        "value, dtype, described",
        [
            (np.uint16([256]), "uint8", "uint16[1]"),
            (np.uint16([0, 256]), "uint8", "uint16[2]"),
            (np.int16([0, 1]), "uint8", "int16[2]"),
            ([2**31], "int32", "int64[1]"),
            ([-1], "uint8", "int64[1]"),
            ([128], "int8", "int64[1]"),
            ([-129], "int8", "int64[1]"),
            ([1.5], "int32", "float64[1]"),
            ([1j], "float32", "complex128[1]"),
            ([1], "bool", "int64[1]"),
            (["a"], "float32", "string[1]"),
            (np.array(["1"]), "float32", "string[1]"),
            (np.array([b"1"]), "float32", "string[1]"),
            (np.array([1.0, None], object), "float32", "object[2]"),
            ([1.0, None], "float32", "[float64[], NoneType]"),
            ([1, 2], "string", "int64[2]"),
            ([[1], [2]], "string", "[int64[1], int64[1]]"),
            (["a", 1], "string", "[string[], int64[]]"),
            ([b"a", 1.5], "float32", "string[2]"),
            (np.zeros([2]), "string", "float64[2]"),
            (1, "string", "int64[]"),
        ],
    )
    def test_values_of_another_kind(self, place, value, dtype, described):
        assert refused(value, dtype) == described

    def test_a_list_of_unequal_lengths(self, place):
        assert refused([np.zeros([2, 3]), np.zeros([1, 2])], "float32") == "[float64[2,3], float64[1,2]]"

    def test_floating_tensors_are_cast(self, place):
        tensor = converted(tf.constant([1.5], tf.float64), "float32")
        assert tensor.dtype == tf.float32
        np.testing.assert_array_equal(place.run(tensor), [1.5])
        assert converted(tf.constant([1.5], tf.float32), "float16").dtype == tf.float16

    @pytest.mark.parametrize("given, wanted", [("int32", "float32"), ("float32", "int32"), ("int64", "int32")])
    def test_other_tensors_are_not_cast(self, place, given, wanted):
        assert refused(tf.constant([1], given), wanted) == given + "[1]"

    def test_a_tensor_of_the_dtype_is_taken_as_it_is(self, place):
        tensor = tf.constant([1])
        assert converted(tensor, "int32") is tensor

    @pytest.mark.parametrize("shape", [None, [None, 2], [1, 2]])
    def test_shapes_that_fit(self, place, shape):
        assert converted([[1.0, 2.0]], "float32", shape).shape.as_list() == [1, 2]

    @pytest.mark.parametrize("shape", [[2], [None, 3], [2, 2], []])
    def test_shapes_that_do_not_fit(self, place, shape):
        assert refused([[1.0, 2.0]], "float32", shape) == "float32[1,2]"

    def test_a_variable_is_read(self, place):
        variable = tf.Variable([1.5])
        tensor = converted(variable, "float32")
        assert not isinstance(tensor, tf.Variable)
        if place.graph is not None:
            place.session.run(variable.initializer)
        np.testing.assert_array_equal(place.run(tensor), [1.5])

    def test_composite_tensors(self, place):
        assert refused(sparse(), "float32") == "sparse float32[1,2]"
        assert refused(tf.ragged.constant([[1.0], []]), "float32") == "float32[2,None]"

    def test_a_zero_at_the_end_of_a_text_is_kept(self, place):
        assert place.run(converted(["a\0", "b"], "string"))[0] == b"a\0"

    def test_a_tensor_without_a_dtype(self, place, monkeypatch):
        monkeypatch.setattr(tf, "is_tensor", lambda value: True)
        assert refused(None, "float32") == "NoneType"

    def test_which_values_are_composite(self, place):
        assert inputs.is_composite(sparse()) and inputs.is_composite(tf.ragged.constant([[1]]))
        assert not inputs.is_composite(tf.constant([1])) and not inputs.is_composite([1])


class TestDescribe:
    @pytest.mark.parametrize(
        "value, text",
        [
            (1, "int64[]"),
            (1.5, "float64[]"),
            ("a", "string[]"),
            (b"a", "string[]"),
            ([1.5, 2.5], "float64[2]"),
            (["a", b"b"], "string[2]"),
            ([], "float64[0]"),
            ((1, 2), "int64[2]"),
            ([[1, 2], [3, 4]], "[int64[2], int64[2]]"),
            ([None] * 4, "[NoneType, NoneType, NoneType, NoneType]"),
            ([None] * 5, "[NoneType, NoneType, NoneType, NoneType, ...]"),
            ([1, None], "[int64[], NoneType]"),
            ([1, 2.5, True], "float64[3]"),
            (("a", 1), "[string[], int64[]]"),
            (np.zeros([2, 8], np.float32), "float32[2,8]"),
            (np.array([True]), "bool[1]"),
            ({"a": 1, "b": {"c": None}}, "{'a': int64[], 'b': {'c': NoneType}}"),
            ({}, "{}"),
            (None, "NoneType"),
            (object(), "object"),
        ],
    )
    def test_values(self, value, text):
        assert inputs.describe(value) == text

    def test_what_looks_like_an_array(self):
        assert inputs.describe(types.SimpleNamespace(dtype="int64")) == "SimpleNamespace"
        assert inputs.describe(types.SimpleNamespace(shape=(1,))) == "SimpleNamespace"
        assert inputs.describe(types.SimpleNamespace(dtype="int64", shape=(1,))) == "int64[1]"

    def test_tensors(self, place):
        assert inputs.describe(tf.constant([[1.0]])) == "float32[1,1]"
        assert inputs.describe(sparse()) == "sparse float32[1,2]"
        assert inputs.describe(tf.TensorSpec([None, 8], tf.string)) == "string[None,8]"
        assert inputs.describe(tf.TensorSpec(None, tf.int64)) == "int64[?]"


def signature(*tensors):
    return Signature("s", tensors, ())


class TestBindInputs:
    X = Tensor("x", "float32", (None, 2))
    N = Tensor("n", "int32", ())

    def test_one_value_for_a_sole_input(self, place):
        for given in ([[1, 2]], {"x": [[1, 2]]}):
            bound = signature_call.bind_inputs(signature(self.X), given)
            assert list(bound) == ["x"]
            np.testing.assert_array_equal(place.run(bound["x"]), [[1.0, 2.0]])

    def test_several_by_name_in_the_order_of_the_signature(self, place):
        bound = signature_call.bind_inputs(signature(self.X, self.N), {"n": 3, "x": [[1, 2]]})
        assert list(bound) == ["x", "n"]
        assert place.run(bound["n"]) == 3

    def test_nothing_for_no_inputs(self, place):
        assert signature_call.bind_inputs(signature(), None) == {}
        with pytest.raises(InputError, match="takes no inputs|0 inputs|dict"):
            signature_call.bind_inputs(signature(), [1])

    @pytest.mark.parametrize("given", [None, [[1, 2]], 3])
    def test_several_need_a_dict(self, place, given):
        with pytest.raises(InputError) as caught:
            signature_call.bind_inputs(signature(self.X, self.N), given)
        assert str(caught.value) == str(InputError.needs_dict(signature(self.X, self.N)))

    @pytest.mark.parametrize("given", [{}, {"x": [[1, 2]]}, {"x": [[1, 2]], "n": 1, "z": 1}, {"x": 1, "z": 1}])
    def test_other_names(self, place, given):
        with pytest.raises(InputError) as caught:
            signature_call.bind_inputs(signature(self.X, self.N), given)
        assert str(caught.value) == str(InputError.wrong_names(signature(self.X, self.N), given))

    def test_what_does_not_fit(self, place):
        with pytest.raises(InputError, match=r"float64\[3\]|float32\[3\]") as caught:
            signature_call.bind_inputs(signature(self.X), [1.0, 2.0, 3.0])
        assert str(self.X) in str(caught.value)

    def test_sparse_inputs(self, place):
        wanted = signature(Tensor("x", "float32", (None, None), "sparse"))
        given = sparse()
        assert signature_call.bind_inputs(wanted, given)["x"] is given
        value = tf.compat.v1.SparseTensorValue([[0, 0]], np.float32([1]), [1, 2])
        assert isinstance(signature_call.bind_inputs(wanted, value)["x"], tf.SparseTensor)
        for wrong, text in [(sparse(tf.int32), r"sparse int32\[1,2\]"), ([[1.0]], "")]:
            with pytest.raises(InputError, match=text):
                signature_call.bind_inputs(wanted, wrong)

    def test_ragged_inputs(self, place):
        wanted = signature(Tensor("x", "int32", (None, None), "ragged"))
        given = tf.ragged.constant([[1], []])
        assert signature_call.bind_inputs(wanted, given)["x"] is given
        with pytest.raises(InputError):
            signature_call.bind_inputs(wanted, sparse(tf.int32))

    def test_composites_of_other_kinds_are_left_to_tensorflow(self, place):
        wanted = signature(Tensor("x", "int32", None, "OwnSpec"))
        assert signature_call.bind_inputs(wanted, "whatever") == {"x": "whatever"}


class TestSelectOutput:
    def test_the_output_that_is_asked_for(self):
        outputs = {"default": 1, "b": 2}
        assert signature_call.select_output(outputs, "b", False, "s") == 2
        assert signature_call.select_output(outputs, "b", True, "s") == 2
        with pytest.raises(SignatureError, match="'c'") as caught:
            signature_call.select_output(outputs, "c", False, "s")
        assert "default" in str(caught.value) and "b" in str(caught.value)

    @pytest.mark.parametrize(
        "outputs, wanted", [({"default": 1, "b": 2}, 1), ({"b": 2}, 2), ({"b": 2, "c": 3}, {"b": 2, "c": 3}), ({}, {})]
    )
    def test_the_one_that_stands_out(self, outputs, wanted):
        assert signature_call.select_output(outputs, None, False, "s") == wanted
        assert signature_call.select_output(outputs, None, True, "s") == outputs


class Trace:
    """What is asked of a concrete function of a restored one."""

    def __init__(self, *args, **kwargs):
        self.structured_input_signature = args, kwargs
        leaves = tf.nest.flatten([args, [kwargs[name] for name in sorted(kwargs)]], expand_composites=True)
        self.inputs = [leaf for leaf in leaves if isinstance(leaf, tf.TensorSpec)]

    def __call__(self, inputs, **arguments):
        return ["trace", inputs, arguments]


def rows(count, dtype=tf.float32):
    return tf.TensorSpec([count, 2], dtype)


def matched(concretes, value, names=("x", "training"), **arguments):
    return trace_matching.match("/m", names, concretes, value, arguments)


Pair = collections.namedtuple("Pair", "left right")


class TestMatch:
    def test_the_first_that_fits(self, place):
        first, second = Trace(rows(None)), Trace(rows(None))
        found = matched([first, second], [[1, 2]])
        assert found.concrete is first and found.is_first
        assert found.call(lambda *given, **more: [given, more]) == [(found.inputs,), {}]

    def test_one_that_fits_for_certain_goes_before_one_that_may(self, place):
        """A tensor of an unknown number of rows could have two."""
        fixed, open_trace = Trace(rows(2)), Trace(rows(None))
        with tf.Graph().as_default():
            given = tf.compat.v1.placeholder(tf.float32, [None, 2])
            found = matched([fixed, open_trace], given)
            assert found.concrete is open_trace and not found.is_first
            assert found.call(None) == ["trace", given, {}]
            # None fits for certain.
            found = matched([fixed, Trace(rows(3))], given)
            assert found.concrete is fixed and found.is_first
            unknown = tf.compat.v1.placeholder(tf.float32, None)
            assert matched([fixed, Trace(rows(None))], unknown).is_first
            anything = Trace(tf.TensorSpec(None, tf.float32))
            assert matched([fixed, anything], unknown).concrete is anything

    def test_the_sizes_decide(self, place):
        two, three = Trace(rows(2)), Trace(rows(3))
        assert matched([two, three], np.ones([3, 2])).concrete is three
        assert matched([two, three], np.ones([3, 2])).is_first
        with pytest.raises(InputError):
            matched([two, three], np.ones([4, 2]))

    def test_any_tensor_of_several_decides(self, place):
        specs = {"a": rows(None), "b": rows(2)}
        with tf.Graph().as_default():
            given = {name: tf.compat.v1.placeholder(tf.float32, [None, 2]) for name in specs}
            open_trace = Trace({"a": rows(None), "b": rows(None)})
            assert matched([Trace(specs), open_trace], given).concrete is open_trace

    def test_python_values_choose(self, place):
        train, infer = Trace(rows(None), True), Trace(rows(None), False)
        found = matched([train, infer], [[1, 2]], training=False)
        assert found.concrete is infer
        assert found.arguments == {"training": False} and found.all_arguments == {"training": False}
        assert matched([train, infer], [[1, 2]]).concrete is train
        assert matched([train, infer], [[1, 2]]).arguments == {}
        assert matched([train, infer], [[1, 2]]).all_arguments == {"training": True}
        # 0 == False, but TensorFlow takes no number for a bool.
        with pytest.raises(InputError, match="training=0"):
            matched([train, infer], [[1, 2]], training=0)

    def test_where_another_trace_is_called_it_gets_its_own_values(self, place):
        fixed, open_trace = Trace(rows(2), training=True), Trace(rows(None), training=False)
        with tf.Graph().as_default():
            given = tf.compat.v1.placeholder(tf.float32, [None, 2])
            assert matched([fixed, open_trace], given).call(None) == ["trace", given, {"training": False}]

    def test_keywords_and_unknown_arguments(self, place):
        trace = Trace(rows(None), scale=tf.TensorSpec([], tf.float32), mode="fast")
        found = matched([trace], [[1, 2]], names=("x",), scale=3)
        assert sorted(found.all_arguments) == ["mode", "scale"] and list(found.arguments) == ["scale"]
        assert len(found.tensors) == 2 and found.arguments["scale"].dtype == tf.float32
        for arguments in ({}, {"scale": "x"}, {"scale": 3, "other": 1}, {"scale": 3, "mode": "slow"}):
            with pytest.raises(InputError):
                matched([trace], [[1, 2]], names=("x",), **arguments)

    def test_the_self_of_a_method(self, place):
        class UnknownArgument:
            pass

        trace = Trace(UnknownArgument(), rows(None), False)
        trace.inputs = [rows(None)]
        found = matched([trace], [[1, 2]])
        assert found.all_arguments == {"training": False} and len(found.tensors) == 1
        # Only the first argument is one.
        found = matched([Trace(rows(None), 3)], [[1, 2]], names=())
        assert found.all_arguments == {"argument 1": 3}

    def test_the_inputs_by_their_name_too(self, place):
        """The first argument is what the caller passes as the inputs."""
        for arguments in ({"x": [[1, 2]]}, {"x": [[1, 2]], "training": True}):
            with pytest.raises(InputError):
                matched([Trace(rows(None), True)], [[1, 2]], **arguments)

    def test_every_argument_by_its_name(self, place):
        found = matched([Trace(rows(None), True, mode="fast")], [[1, 2]], training=True, mode="fast")
        assert found.arguments == {"training": True, "mode": "fast"}

    def test_a_function_without_arguments(self, place):
        with pytest.raises(InputError):
            matched([Trace()], [[1, 2]])

    @pytest.mark.parametrize(
        "spec, value",
        [
            ({"a": rows(None), "b": rows(None)}, {"b": [[1, 2]], "a": [[3, 4]]}),
            ([rows(None), rows(None)], [[[1, 2]], [[3, 4]]]),
            ((rows(None), rows(None)), ([[1, 2]], [[3, 4]])),
            (Pair(rows(None), rows(None)), ([[1, 2]], [[3, 4]])),
        ],
    )
    def test_nests(self, place, spec, value):
        found = matched([Trace(spec)], value)
        assert type(found.inputs) is (Pair if isinstance(spec, Pair) else type(value))
        assert [tensor.shape.as_list() for tensor in tf.nest.flatten(found.inputs)] == [[1, 2], [1, 2]]
        assert len(found.tensors) == 2

    @pytest.mark.parametrize(
        "spec, value",
        [
            ({"a": rows(None)}, {"b": [[1, 2]]}),
            ({"a": rows(None)}, {"a": [[1, 2]], "b": [[1, 2]]}),
            ({"a": rows(None)}, [[1, 2]]),
            ({"a": rows(None)}, {"a": [["x", "y"]]}),
            ([rows(None)], [[[1, 2]], [[1, 2]]]),
            ([rows(None), rows(None)], [[[1, 2]]]),
            ([rows(None)], {"a": [[1, 2]]}),
            ([rows(None)], None),
            (rows(None), None),
            (None, [[1, 2]]),
            (3, 4),
            (3, 3.0),
        ],
    )
    def test_nests_of_another_structure(self, place, spec, value):
        with pytest.raises(InputError):
            matched([Trace(spec)], value)

    @pytest.mark.parametrize("value", [None, 3, "x"])
    def test_python_values_in_a_nest(self, place, value):
        found = matched([Trace({"a": rows(None), "b": value})], {"a": [[1, 2]], "b": value})
        assert found.inputs["b"] == value and len(found.tensors) == 1

    @pytest.mark.skipif(not hasattr(tf, "SparseTensorSpec"), reason="TensorFlow 1.14 has no specs of sparse tensors")
    def test_composite_tensors(self, place):
        trace = Trace(tf.SparseTensorSpec([None, 2], tf.float32))
        trace.inputs = [
            tf.TensorSpec([None, 2], tf.int64),
            tf.TensorSpec([None], tf.float32),
            tf.TensorSpec([2], tf.int64),
        ]
        given = sparse()
        found = matched([trace], given)
        assert found.inputs is given and len(found.tensors) == 3
        for wrong in (sparse(tf.int32), [[1.0, 2.0]], "x", None):
            with pytest.raises(InputError):
                matched([trace], wrong)

    @pytest.mark.parametrize("error", [TypeError, ValueError])
    def test_a_type_that_fails_on_what_is_no_tensor(self, place, error):
        class Spec:
            value_type = None

            def is_compatible_with(self, value):
                raise error

        with pytest.raises(InputError):
            matched([Trace(Spec())], "x")

    def test_what_the_error_says(self, place):
        trace = Trace({"a": rows(None), "b": [rows(3), "x"]}, False)
        with pytest.raises(InputError) as caught:
            matched([trace, Trace(rows(2, tf.string), mask=None)], [1.0], training=True)
        assert caught.value.given == "float64[1], training=True"
        assert caught.value.expected == (
            "x: {'a': float32[None,2], 'b': [float32[3,2], x]}, training: False",
            "x: string[2,2], mask: None",
        )
