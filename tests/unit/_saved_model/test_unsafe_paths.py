"""The scan for unsafe ops follows each path to its origin: what it accepts as the model's own file, and what it must not."""

import pytest

from model_files import block
from unihub._saved_model import unsafe_scan
from unihub._saved_model.text_format import encode_text
from unihub._saved_model.wire import Message, Source

ASSET = 'asset_file_def { tensor_info { name: "asset:0" } filename: "vocab.txt" }'
OTHER = 'asset_file_def { tensor_info { name: "asset:0" } filename: "../x" }'


def node(name, op, *inputs, attr="", field="node"):
    given = " ".join('input: "{}"'.format(each) for each in inputs)
    return '{} {{ name: "{}" op: "{}" {} {} }}'.format(field, name, op, given, attr)


def inner(name, op, *inputs, attr=""):
    return node(name, op, *inputs, attr=attr, field="node_def")


def const(name, value="/etc/x"):
    return node(name, "Const", attr='attr {{ key: "value" value {{ tensor {{ string_val: "{}" }} }} }}'.format(value))


def named(value):
    return 'attr {{ key: "shared_name" value {{ s: "{}" }} }}'.format(value)


def calls(function, key="f"):
    return 'attr {{ key: "{}" value {{ func {{ name: "{}" }} }} }}'.format(key, function)


def function(name, arguments, *nodes):
    given = " ".join('input_arg {{ name: "{}" }}'.format(argument) for argument in arguments)
    return 'library {{ function {{ signature {{ name: "{}" {} }} {} }} }}'.format(name, given, " ".join(nodes))


def graph(*parts, more=""):
    return "graph_def {{ {} }} {}".format(" ".join(parts), more)


def output(name, key="s"):
    return 'signature_def {{ key: "{}" value {{ outputs {{ key: "y" value {{ {} }} }} }} }}'.format(key, name)


def fed(tensor):
    return 'signature_def {{ key: "s" value {{ inputs {{ key: "x" value {{ {} }} }} }} }}'.format(tensor)


def found(text, more=b""):
    message = Message(Source.of_bytes(encode_text(text.encode(), "MetaGraphDef") + more), "MetaGraphDef")
    return [op.op for op in unsafe_scan.find(message)]


def reads(*parts, path="p", more=ASSET):
    """Whether a ``ReadFile`` of a path is flagged, in a graph with an asset and a foreign file."""
    names = found(graph(node("asset", "Const"), const("foreign"), *parts, node("r", "ReadFile", path), more=more))
    assert names in ([], ["ReadFile"])
    return names == ["ReadFile"]


def saves(*parts, path="p", more=""):
    """Whether a ``SaveV2`` to a path is flagged."""
    names = found(graph(node("name", "Placeholder"), const("foreign"), *parts, node("save", "SaveV2", path), more=more))
    assert names in ([], ["SaveV2"])
    return names == ["SaveV2"]


def chain(op, length, *more):
    """Ops in a row, each of which takes the one before; the first takes the asset, the last is ``p``."""
    names = ["asset", *("n{}".format(index) for index in range(1, length)), "p"]
    return [node(name, op, before, *more) for before, name in zip(names, names[1:])]


class TestSteps:
    @pytest.mark.parametrize(
        "op", ["Identity", "ExpandDims", "Reshape", "Squeeze", "StridedSlice", "Pack", "StringJoin"]
    )
    def test_a_long_way_is_followed_and_a_longer_one_is_unsafe(self, op):
        assert not reads(*chain(op, 63))
        assert reads(*chain(op, 64))
        assert reads(*chain(op, 70))

    def test_a_long_way_to_a_foreign_file(self):
        assert reads(*chain("Identity", 63), more="")

    def test_a_long_way_through_functions(self):
        def functions(count):
            names = ["f{}".format(index) for index in range(count)]
            bodies = [function(name, ["path"], inner("c", after, "path")) for name, after in zip(names, names[1:])]
            return graph(
                node("asset", "Const"),
                node("call", "f0", "asset"),
                *bodies,
                function(names[-1], ["path"], inner("r", "ReadFile", "path")),
                more=ASSET,
            )

        assert found(functions(63)) == []
        assert found(functions(64)) == ["ReadFile"]

    def test_a_function_that_calls_itself(self):
        body = function("f", ["path"], inner("again", "f", "path"), inner("r", "ReadFile", "path"))
        assert found(graph(node("asset", "Const"), node("call", "f", "asset"), body, more=ASSET)) == ["ReadFile"]

    def test_a_long_way_to_the_end_of_a_path(self):
        def joined(count):
            names = ["end", *("s{}".format(index) for index in range(count))]
            choices = [node(name, "Select", "c", before, "end") for before, name in zip(names, names[1:])]
            return reads(const("end", "_1"), *choices, node("p", "StringJoin", "asset", names[-1]))

        assert not joined(63)
        assert joined(64)

    def test_a_long_way_through_variables(self):
        def variables(count):
            parts, before = [], "asset"
            for index in range(count):
                handle, read = "v{}".format(index), "p{}".format(index)
                parts.append(node(handle, "VarHandleOp", attr=named(handle)))
                parts.append(node("a{}".format(index), "AssignVariableOp", handle, before))
                parts.append(node(read, "ReadVariableOp", handle))
                before = read
            return reads(*parts, path=before)

        assert not variables(63)
        assert variables(64)


class TestOps:
    @pytest.mark.parametrize(
        "path, flagged",
        [
            ([], False),
            ([node("p", "Identity", "foreign")], True),
            ([node("p", "Identity", "foreign", "asset")], True),
            ([node("p", "Identity")], True),
            ([node("p", "Identity", "^asset")], True),
            ([node("p", "Identity", "asset:0", "^foreign")], False),
            ([node("p", "Reshape", "asset", "shape")], False),
            ([node("p", "Pack", "asset", "foreign")], True),
            ([node("p", "Pack", "foreign", "asset")], True),
            ([node("p", "Other", "asset")], True),
            ([node("p", "Identity", "nowhere")], True),
            ([node("p", "StringJoin")], True),
            ([node("p", "StringJoin", "foreign", "end")], True),
            ([node("p", "StringJoin", "asset", "end")], False),
            ([node("p", "StringJoin", "asset", "up")], True),
            ([node("p", "StringJoin", "asset", "end", "up")], True),
            ([node("p", "StringJoin", "asset", "two")], True),
            ([node("p", "StringJoin", "asset", "twice")], True),
            ([node("p", "StringJoin", "asset", "nowhere")], True),
            ([node("p", "StringJoin", "asset", "x"), node("x", "Placeholder")], True),
            ([node("p", "ShardedFilename", "asset", "shard", "count")], False),
            ([node("p", "ShardedFilename", "foreign", "shard", "count")], True),
            ([node("p", "StringJoin", "asset", "s"), node("s", "Select", "c", "end", "end")], False),
            ([node("p", "StringJoin", "asset", "s"), node("s", "SelectV2", "c", "end", "up")], True),
            ([node("p", "StringJoin", "asset", "s"), node("s", "Select", "c", "up", "end")], True),
            ([node("p", "StringJoin", "asset", "s"), node("s", "Select", "up", "end", "end")], False),
        ],
    )
    def test_what_makes_a_path_of_a_path(self, path, flagged):
        value = 'attr { key: "value" value { tensor { string_val: "%s" } } }'
        ends = [
            const("end", "_part"),
            const("up", "/../x"),
            node("two", "Const", attr='attr { key: "value" value { tensor { string_val: "a" string_val: "b" } } }'),
            node("twice", "Const", attr=value % "a" + ' attr { key: "value" value { } }'),
        ]
        assert reads(*ends, *path, path="p" if path else "asset") == flagged

    def test_no_path_at_all(self):
        assert found(graph(node("asset", "Const"), node("r", "ReadFile"), more=ASSET)) == ["ReadFile"]
        assert found(graph(node("asset", "Const"), node("r", "ReadFile", "^asset"), more=ASSET)) == ["ReadFile"]

    def test_each_path_of_several(self):
        ops = [node("asset", "Const"), const("foreign")]
        for inputs, flagged in [
            (("asset", "asset"), 0),
            (("asset", "foreign"), 1),
            (("foreign", "asset"), 1),
            (("asset",), 1),
        ]:
            text = graph(*ops, node("r", "GenerateVocabRemapping", *inputs), more=ASSET)
            assert found(text) == ["GenerateVocabRemapping"] * flagged

    def test_ops_that_have_no_safe_path(self):
        assert found(graph(node("asset", "Const"), node("w", "WriteFile", "asset"), more=ASSET)) == ["WriteFile"]

    def test_a_node_of_two_ops(self):
        two = 'node { name: "r" op: "Identity" op: "ReadFile" input: "asset" }'
        assert found(graph(node("asset", "Const"), two, more=ASSET)) == ["ReadFile"]

    def test_a_node_of_two_names(self):
        """The last one counts."""
        two = 'node {{ name: "{}" name: "{}" op: "Const" }}'
        for names, flagged in ((("other", "asset"), 0), (("asset", "other"), 1)):
            text = graph(two.format(*names), node("r", "ReadFile", "asset"), more=ASSET)
            assert found(text) == ["ReadFile"] * flagged

    def test_a_cache_whose_name_is_computed(self):
        def cached(*inputs):
            return found(graph(const("c", ""), const("d", "x"), node("n", "CacheDatasetV2", *inputs)))

        assert cached("d", "c", "d") == []
        assert cached("c", "d", "c") == cached("c") == cached("c", "nowhere", "c") == ["CacheDatasetV2"]

    def test_attributes_that_are_unsafe(self):
        attr = 'attr { key: "%s" value { list { s: "" s: "%s" } } }'
        assert found(graph(node("d", "DebugIdentity", attr=attr % ("debug_urls", "file:///x")))) == ["DebugIdentity"]
        assert found(graph(node("d", "DebugIdentity", attr=attr % ("other", "file:///x")))) == []

    def test_the_same_op_twice_is_told_once(self):
        assert found(graph(node("w", "WriteFile"), node("w", "WriteFile"), node("v", "WriteFile"))) == ["WriteFile"] * 2


OWN_NAME = named("v")


class TestVariables:
    """TensorFlow 2 keeps the path of an asset in a variable."""

    def variable(self, *more, attr=OWN_NAME, assigned="asset", **options):
        parts = [
            node("v", "VarHandleOp", attr=attr),
            node("a", "AssignVariableOp", "v", assigned),
            node("p", "ReadVariableOp", "v"),
        ]
        return reads(*parts, *more, **options)

    def test_an_asset(self):
        assert not self.variable()
        assert not self.variable(node("i", "VarIsInitializedOp", "v"))
        assert not self.variable(node("w", "VarHandleOp", attr=named("w")), node("b", "Other", "w"))

    def test_a_foreign_file(self):
        assert self.variable(assigned="foreign")
        assert self.variable(node("b", "AssignVariableOp", "v", "foreign"))
        assert self.variable(node("b", "AssignVariableOp", "v:0", "foreign"))

    def test_one_that_is_changed_in_another_way(self):
        assert self.variable(node("b", "Other", "x", "v"))
        assert self.variable(node("w", "VarHandleOp", attr=named("v")))
        assert self.variable(function("f", [], inner("w", "VarHandleOp")))
        assert self.variable(attr="")

    def test_one_that_is_never_assigned(self):
        assert reads(node("v", "VarHandleOp", attr=named("v")), node("p", "ReadVariableOp", "v"))
        assert self.variable(node("b", "Other"), assigned="^asset")
        handle = node("v", "VarHandleOp", attr=named("v"))
        assert reads(handle, node("a", "AssignVariableOp", "v", "asset", "x"), node("p", "ReadVariableOp", "v"))

    def test_what_is_no_variable(self):
        assert reads(
            node("v", "Other", attr=named("v")),
            node("a", "AssignVariableOp", "v", "asset"),
            node("p", "ReadVariableOp", "v"),
        )
        assert reads(node("p", "ReadVariableOp"))
        assert reads(node("p", "ReadVariableOp", "nowhere"))

    def test_in_a_function(self):
        body = [
            inner("v", "VarHandleOp", attr=named("v")),
            inner("a", "AssignVariableOp", "v", "path"),
            inner("p", "ReadVariableOp", "v"),
            inner("r", "ReadFile", "p"),
        ]
        text = graph(node("asset", "Const"), node("c", "f", "asset"), function("f", ["path"], *body), more=ASSET)
        assert found(text) == ["ReadFile"]


READER = function("reader", ["other", "path"], inner("r", "ReadFile", "path"))


def entry(name, *bound):
    numbers = " ".join("bound_inputs: {}".format(number) for number in bound)
    return 'concrete_functions {{ key: "{}" value {{ {} }} }}'.format(name, numbers)


def objects(*entries):
    """Object 1 is an asset of the model, 2 is a file elsewhere, 3 one that does not exist."""
    nodes = "nodes { } " + " ".join(
        "nodes {{ asset {{ asset_file_def_index: {} }} }}".format(index) for index in range(3)
    )
    assets = 'asset_file_def { tensor_info { name: "a:0" } filename: "v" } ' + OTHER
    return assets + " object_graph_def {{ {} {} }}".format(nodes, " ".join(entries))


class TestFunctions:
    @pytest.mark.parametrize(
        "caller, flagged",
        [
            (node("c", "reader", "foreign", "asset"), False),
            (node("c", "reader", "asset", "foreign"), True),
            (node("c", "reader", "asset"), True),
            (node("c", "reader", "foreign", "asset") + node("d", "reader", "foreign", "foreign"), True),
            (node("c", "PartitionedCall", "foreign", "asset", attr=calls("reader")), False),
            (node("c", "StatefulPartitionedCall", "foreign", "asset", attr=calls("reader")), False),
            (node("c", "StatefulPartitionedCall", "asset", "foreign", attr=calls("reader")), True),
            (node("c", "PartitionedCall", "foreign", "asset", attr=calls("reader", "g")), True),
            (node("c", "PartitionedCall", "foreign", "asset", attr=calls("reader") + calls("reader", "g")), True),
            (node("c", "reader", "x", "asset") + node("d", "While", "x", "asset", attr=calls("reader", "body")), True),
            (
                node("c", "reader", "x", "asset") + node("d", "PartitionedCall", "x", "foreign", attr=calls("reader2")),
                False,
            ),
            ("", True),
        ],
    )
    def test_who_calls_it(self, caller, flagged):
        text = graph(node("asset", "Const"), const("foreign"), caller, READER, more=ASSET)
        assert found(text) == ["ReadFile"] * flagged

    @pytest.mark.parametrize("name, flagged", [(b"reader", 1), (b"other", 0)])
    def test_one_branch_of_several(self, name, flagged):
        branches = block(5, block(1, b"branches") + block(2, block(1, block(9, block(1, name)))))
        case = block(2, block(1, block(1, b"d") + block(2, b"Case") + block(3, b"x") + branches))
        text = graph(node("asset", "Const"), node("c", "reader", "x", "asset"), READER, more=ASSET)
        assert found(text, case) == ["ReadFile"] * flagged

    def test_called_by_another_function(self):
        for path, flagged in (("given", 0), ("own", 1)):
            other = function("f", ["given"], inner("own", "Const"), inner("c", "reader", "x", path))
            text = graph(node("asset", "Const"), node("c", "f", "asset"), other, READER, more=ASSET)
            assert found(text) == ["ReadFile"] * flagged

    def test_an_asset_by_its_name_is_none_in_a_function(self):
        text = graph(
            node("asset", "Const"),
            function("f", [], inner("asset", "Const"), inner("r", "ReadFile", "asset")),
            more=ASSET,
        )
        assert found(text) == ["ReadFile"]

    def test_an_argument_hides_a_constant_of_its_name(self):
        value = 'attr { key: "value" value { tensor { string_val: "_a" } } }'
        for argument, flagged in (("end", 1), ("other", 0)):
            body = [
                inner("end", "Const", attr=value),
                inner("p", "StringJoin", "path", "end"),
                inner("r", "ReadFile", "p"),
            ]
            text = graph(
                node("asset", "Const"),
                node("c", "f", "asset", "asset"),
                function("f", ["path", argument], *body),
                more=ASSET,
            )
            assert found(text) == ["ReadFile"] * flagged

    @pytest.mark.parametrize(
        "entries, flagged",
        [
            ([entry("reader", 1)], False),
            ([entry("reader", 0, 1)], False),
            ([entry("reader", 2, 1)], False),
            ([entry("reader", 1, 0)], True),
            ([entry("reader", 0)], True),
            ([entry("reader", 2)], True),
            ([entry("reader", 3)], True),
            ([entry("reader", 9)], True),
            ([entry("reader")], True),
            ([entry("reader2", 1)], True),
            ([entry("reader", 2), entry("reader", 1)], False),
            ([entry("reader", 1), entry("reader", 2)], True),
            ([], True),
        ],
    )
    def test_what_an_object_binds(self, entries, flagged):
        assert found(graph(READER, more=objects(*entries))) == ["ReadFile"] * flagged

    def test_an_argument_that_is_not_bound(self):
        """What is bound are the last arguments."""
        body = function("reader", ["path", "other"], inner("r", "ReadFile", "path"))
        assert found(graph(body, more=objects(entry("reader", 1)))) == ["ReadFile"]

    def test_bound_and_called(self):
        bound = objects(entry("reader", 1))
        asset = node("a", "Const")
        assert found(graph(asset, node("c", "reader", "x", "a"), READER, more=bound)) == []
        assert found(graph(asset, const("foreign"), node("c", "reader", "x", "foreign"), READER, more=bound)) == [
            "ReadFile"
        ]


class TestAssets:
    @pytest.mark.parametrize("name", ["vocab.txt", "sub/vocab.txt", "a..b"])
    def test_own_files(self, name):
        assert not reads(path="asset", more=ASSET.replace("vocab.txt", name))

    @pytest.mark.parametrize("name", ["/etc/x", "..", "../x", "a/../../x", "..\\\\x", "\\\\x", ""])
    def test_files_elsewhere(self, name):
        assert reads(path="asset", more=ASSET.replace("vocab.txt", name))

    @pytest.mark.parametrize(
        "asset",
        [
            'asset_file_def { tensor_info { name: "asset:0" } filename: "a" filename: "b" }',
            'asset_file_def { tensor_info { name: "asset:0" } tensor_info { name: "b:0" } filename: "a" }',
            'asset_file_def { tensor_info { name: "asset:0" } }',
            ASSET + OTHER,
            OTHER + ASSET,
            ASSET.replace("asset:0", "b:0"),
        ],
    )
    def test_odd_assets(self, asset):
        assert reads(path="asset", more=asset)

    @pytest.mark.parametrize("key, flagged", [("saved_model_assets", False), ("others", True)])
    def test_assets_in_a_collection(self, key, flagged):
        text = encode_text(b'tensor_info { name: "asset:0" } filename: "v"', "AssetFileDef")
        escaped = "".join("\\{:03o}".format(byte) for byte in text)
        more = 'collection_def {{ key: "{}" value {{ any_list {{ value {{ value: "{}" }} }} }} }}'.format(key, escaped)
        assert reads(path="asset", more=more) == flagged

    def test_a_placeholder_is_fed_by_who_runs_the_graph(self):
        assert not reads(node("p", "Placeholder"))
        assert reads(node("p", "PlaceholderWithDefault", "foreign"))
        assert reads(node("p", "Placeholder"), more=OTHER.replace("asset:0", "p:0"))

    @pytest.mark.parametrize(
        "tensor",
        [
            'name: "p:0"',
            'coo_sparse { values_tensor_name: "p:0" }',
            'coo_sparse { indices_tensor_name: "p:0" }',
            'coo_sparse { dense_shape_tensor_name: "p:0" }',
            'composite_tensor { components { name: "x:0" } components { name: "p:0" } }',
        ],
    )
    def test_an_input_of_a_signature_is_fed_by_its_caller(self, tensor):
        assert reads(node("p", "Placeholder"), more=fed(tensor))
        assert not reads(node("p", "Placeholder"), more=fed(tensor.replace("p:0", "q:0")))

    def test_a_constant_is_fed_only_while_the_model_is_initialized(self):
        assert reads(path="asset", more=ASSET + output('name: "r:0"'))
        assert not reads(path="asset", more=ASSET + output('name: "r:0"', "__saved_model_init_op"))
        assert not reads(path="asset", more=ASSET + output('name: "asset:0"'))

    def test_likewise_in_a_function(self):
        parts = [node("asset", "Const"), node("c", "reader", "x", "asset"), READER]
        assert found(graph(*parts, more=ASSET + output('name: "c:0"'))) == ["ReadFile"]
        assert found(graph(*parts, more=ASSET + output('name: "asset:0"'))) == []
        # One call among several.
        parts.append(node("d", "reader", "x", "asset"))
        assert found(graph(*parts, more=ASSET + output('name: "d:0"'))) == ["ReadFile"]


class TestSaver:
    def test_the_path_that_is_fed(self):
        assert not saves(path="name")
        assert not saves(node("p", "PlaceholderWithDefault", "foreign"))
        assert saves(path="foreign")
        assert not saves(path="foreign", more='saver_def { filename_tensor_name: "foreign:0" }')
        assert saves(node("asset", "Const"), path="asset", more=ASSET)

    @pytest.mark.parametrize(
        "tensor",
        [
            'name: "save:0"',
            'name: "behind"',
            'name: "after:1"',
            'coo_sparse { values_tensor_name: "save:0" }',
            'coo_sparse { indices_tensor_name: "save:0" }',
            'coo_sparse { dense_shape_tensor_name: "save:0" }',
            'composite_tensor { components { name: "save:0" } }',
            'composite_tensor { components { name: "x" } components { composite_tensor { components { name: "save:0" } } } }',
        ],
    )
    @pytest.mark.parametrize("key", ["s", "__saved_model_init_op"])
    def test_one_that_runs_with_a_signature(self, tensor, key):
        behind = [node("behind", "Other", "x", "after:2"), node("after", "NoOp", "^save")]
        assert saves(*behind, path="name", more=output(tensor, key))
        assert not saves(*behind, path="name", more=output('name: "name:0"', key))

    @pytest.mark.parametrize("field", ["initializer_name", "snapshot_name", "initial_value_name"])
    def test_one_that_runs_with_a_variable(self, field):
        text = encode_text('{}: "save:0"'.format(field).encode(), "VariableDef")
        escaped = "".join("\\{:03o}".format(byte) for byte in text)
        more = 'collection_def { key: "%s" value { bytes_list { value: "%s" value: "%s" } } }'
        assert saves(path="name", more=more % ("variables", "\\377", escaped))
        assert not saves(path="name", more=more % ("savers", escaped, escaped))

    def test_one_that_runs_with_a_collection(self):
        more = 'collection_def { key: "%s" value { node_list { value: "%s" } } }'
        assert saves(path="name", more=more % ("update_ops", "save"))
        assert not saves(path="name", more=more % ("update_ops", "other"))

    def test_in_a_function(self):
        body = function("f", ["path"], inner("save", "SaveV2", "path"))
        parts = [node("name", "Placeholder"), node("c", "f", "name"), body]
        assert found(graph(*parts)) == []
        assert found(graph(*parts, more=output('name: "c:0"'))) == ["SaveV2"]
        assert found(graph(*parts, more=objects(entry("f", 1)))) == ["SaveV2"]

    @pytest.mark.parametrize(
        "inputs, flagged", [(("name", "name"), 0), (("name", "foreign"), 1), (("foreign", "name"), 1)]
    )
    def test_each_path_of_several(self, inputs, flagged):
        text = graph(node("name", "Placeholder"), const("foreign"), node("m", "MergeV2Checkpoints", *inputs))
        assert found(text) == ["MergeV2Checkpoints"] * flagged
