"""The Python objects of a SavedModel, from graphs of objects that are written by hand."""

import pytest

from unihub._saved_model import reader, schema
from unihub._saved_model.model_info import Call
from unihub._saved_model.object_graph import ObjectGraph
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Message, Source


def message(text, kind):
    return Message(Source.of_bytes(encode_text(text.encode(), kind)), kind)


def graph(*nodes, more=""):
    text = " ".join("nodes {{ {} }}".format(node) for node in nodes) + more
    return ObjectGraph(message(text, "SavedObjectGraph"))


def child(number, name):
    return 'children {{ node_id: {} local_name: "{}" }}'.format(number, name)


def variable(name="", trainable=0):
    given = 'name: "{}"'.format(name) if name else ""
    return "variable {{ dtype: DT_FLOAT shape {{ dim {{ size: 2 }} }} trainable: {} {} }}".format(trainable, given)


def slot(number):
    return "slot_variables {{ slot_variable_node_id: {} }}".format(number)


def names(objects):
    return [each.name for each in objects.variables()]


class TestVariables:
    def test_by_their_names(self):
        objects = graph(child(1, "a") + child(2, "b"), variable("x", 1), variable("y"))
        assert [(each.name, each.dtype, each.shape, each.trainable) for each in objects.variables()] == [
            ("x", "float32", (2,), True),
            ("y", "float32", (2,), False),
        ]

    def test_those_without_names_by_their_ways(self):
        objects = graph(child(1, "a") + child(3, "c"), child(2, "b"), variable(), variable("named"))
        assert names(objects) == ["a/b", "named"]
        assert names(graph(child(1, "a"), variable())) == ["a"]

    def test_the_shortest_way_and_the_first(self):
        objects = graph(child(1, "a") + child(2, "b") + child(2, "c"), child(2, "deep") + child(0, "up"), variable())
        assert names(objects) == ["b"]

    def test_one_without_any_way(self):
        assert names(graph("", variable("x"), variable())) == ["x", ""]

    def test_slots_of_an_optimizer_are_left_out(self):
        optimizer = slot(2) + slot(3)
        objects = graph(
            child(1, "v") + child(4, "optimizer") + child(3, "kept"),
            variable("v"),
            variable("m"),
            variable("s"),
            optimizer,
        )
        assert names(objects) == ["v", "s"]

    @pytest.mark.parametrize("number", [-1, 2, 3, 2**40])
    def test_children_that_do_not_exist(self, number):
        assert names(graph(child(number, "a") + child(1, "b"), variable())) == ["b"]


class TestCall:
    def call(self, node, number=1):
        return graph(child(0, "first") + child(number, "__call__"), node).call()

    def function(self, args=(), keyword_only=(), more="", traces=1):
        def values(key, names):
            listed = " ".join('values {{ string_value: "{}" }}'.format(name) for name in names)
            return 'values {{ key: "{}" value {{ list_value {{ {} }} }} }}'.format(key, listed)

        specification = values("args", args) + values("kwonlyargs", keyword_only)
        concrete = " ".join('concrete_functions: "f{}"'.format(index) for index in range(traces))
        return "function {{ {} function_spec {{ {} fullargspec {{ named_tuple_value {{ {} }} }} }} }}".format(
            concrete, more, specification
        )

    def test_arguments_and_traces(self):
        assert self.call(self.function(["x", "training"], ["mask"], traces=3)) == Call(("x", "training", "mask"), 3)
        assert self.call(self.function(["self", "x"])) == Call(("x",), 1)
        assert self.call(self.function(["this", "x"], more="is_method: true")) == Call(("x",), 1)
        assert self.call(self.function(["this", "x"])) == Call(("this", "x"), 1)
        assert self.call(self.function(["x", "self"])) == Call(("x", "self"), 1)

    def test_a_bare_function(self):
        node = 'bare_concrete_function { argument_keywords: "x" argument_keywords: "y" }'
        assert self.call(node) == Call(("x", "y"), 1)

    def test_what_cannot_be_called(self):
        assert graph(child(1, "call"), self.function()).call() is None
        assert self.call("user_object { }") is None
        for number in (-1, 0, 2, 9):
            assert self.call(self.function(), number) is None
        assert graph().call() is None

    def test_attributes(self):
        assert graph(child(1, "a") + child(1, "b"), child(1, "c")).attributes() == {"a", "b"}
        assert graph().attributes() == frozenset()


class TestTypeSpecs:
    def found(self, *values, kind=None):
        more = " ".join("concrete_functions {{ value {{ {} }} }}".format(value) for value in values)
        return graph("", more=more).type_specs(kind)

    def spec(self, text):
        return "type_spec_value {{ {} }}".format(text)

    def test_in_inputs_and_outputs_however_deep(self):
        deep = "tuple_value { values { list_value { values { %s } } } }" % self.spec('type_spec_class_name: "A"')  # noqa: UP031
        given = "canonicalized_input_signature {{ {} }}".format(deep)
        made = "output_signature {{ {} }}".format(self.spec('type_spec_class_name: "B"'))
        assert self.found(given) == {"A"} and self.found(made) == {"B"}
        assert self.found(given, made) == {"A", "B"}
        assert self.found("output_signature { list_value { } }", given) == {"A"}

    def test_those_of_one_kind(self):
        one = "output_signature {{ {} }}".format(self.spec('type_spec_class: 3 type_spec_class_name: "A"'))
        two = "output_signature {{ {} }}".format(self.spec("type_spec_class: 1"))
        assert self.found(one, two, kind=3) == {"A"}
        assert self.found(one, two) == {"A", schema.TYPE_SPECS[1]}
        assert self.found("output_signature {{ {} }}".format(self.spec("type_spec_class: 99"))) == {"unknown"}


class TestReader:
    def test_what_is_counted(self):
        functions = "function { } function { }"
        text = "graph_def {{ node {{ }} node {{ }} node {{ }} library {{ {} }} }}".format(functions)
        meta_graph = message(text, "MetaGraphDef")
        assert (reader._count_nodes(meta_graph), reader._count_functions(meta_graph)) == (3, 2)

    @pytest.mark.parametrize(
        "state, dtype, shape",
        [
            ("", "unknown", None),
            ("values { tensor_dtype_value: DT_INT64 }", "int64", None),
            (
                "values { tensor_shape_value { dim { size: 2 } } } values { tensor_dtype_value: DT_INT64 }",
                "int64",
                (2,),
            ),
            ("values { tensor_dtype_value: DT_INT64 } values { tensor_dtype_value: DT_FLOAT }", "int64", None),
        ],
    )
    def test_composite_tensors(self, state, dtype, shape):
        spec = 'type_spec { type_spec_class_name: "Own" type_state { tuple_value { %s } } }' % state  # noqa: UP031
        tensor = reader._read_tensor("x", message("composite_tensor {{ {} }}".format(spec), "TensorInfo"))
        assert (tensor.name, tensor.dtype, tensor.shape, tensor.kind) == ("x", dtype, shape, "Own")
