"""What is decided of a model, from values alone: no TensorFlow, no files."""

import dataclasses

import pytest

from unihub import _api
from unihub._plan.plan import Plan, choose_backend, choose_signature, choose_tags, decide
from unihub._plan.request import Request, parse_request
from unihub._plan.runtime import Runtime
from unihub._saved_model.model_info import Call, Contents, MetaGraph, ModelInfo, Variable
from unihub._tf import packages
from unihub._types import Api, Backend, Format, Keras, Operation, RuntimeMode, Signature, Tensor, Use
from unihub.errors import InputError, RuntimeUnavailableError, SignatureError, TagsError, UnsupportedError

TF1 = Runtime(RuntimeMode.TF1, "1.15.5", "0.12.0", Keras.KERAS2)
TF1_OLD = Runtime(RuntimeMode.TF1, "1.14.0", "0.7.0", Keras.KERAS2)
TF1_COMPAT = Runtime(RuntimeMode.TF1_COMPAT, "2.15.1", "0.15.0", Keras.KERAS2)
TF2_GRAPH = Runtime(RuntimeMode.TF2_GRAPH, "2.15.1", "0.15.0", Keras.KERAS2)
TF2 = Runtime(RuntimeMode.TF2, "2.15.1", "0.15.0", Keras.KERAS2)
TF2_KERAS3 = Runtime(RuntimeMode.TF2, "2.21.0", "0.16.1", Keras.KERAS3)

X = Tensor("x", "float32", (None, 8))
Y = Tensor("y", "float32", (None, 4))
WEIGHTS = (Variable("kernel", "float32", (8, 4), True), Variable("mean", "float32", (4,), False))
FROZEN = (Variable("kernel", "float32", (8, 4), False),)
CALL = Call(("x", "training"), traces=2)


def signature(name):
    return Signature(name, (X,), (Y,))


def variant(*tags, signatures=("default",), variables=WEIGHTS, call=None):
    return MetaGraph(
        frozenset(tags),
        tuple(map(signature, signatures)),
        Contents(frozenset({"MatMul"}), variables),
        has_object_graph=call is not None,
        call=call,
    )


def hub_module(*variants):
    return ModelInfo("models/module", Format.TF1_HUB, variants or (variant(), variant("train")))


def saved_model(**contents):
    contents = {"signatures": ("serving_default",), "call": CALL, **contents}
    return ModelInfo("models/saved", Format.TF2_SAVED_MODEL, (variant("serve", **contents),))


def export(*signatures):
    return ModelInfo("models/export", Format.TF1_SAVED_MODEL, (variant("serve", signatures=signatures),))


def planned(info, runtime=TF2, **arguments):
    return decide("handle", info.path, info, runtime, parse_request(**arguments))


class TestRequest:
    def test_defaults(self):
        request = parse_request()
        assert request == Request()
        assert request.operation is Operation.INFERENCE
        assert (request.trainable, request.as_dict, request.collections) == (False, False, True)
        assert request.api is request.keras is request.tags is request.signature is None
        assert request.layer_options == {}

    def test_words(self):
        request = parse_request(api="keras", keras="keras2", trainable=True)
        assert (request.api, request.keras) == (Api.KERAS, Keras.KERAS2)
        assert request.operation is Operation.FINE_TUNE

    def test_words_may_be_members(self):
        assert parse_request(api=Api.LOAD, keras=Keras.KERAS3) == parse_request(api="load", keras="keras3")

    @pytest.mark.parametrize(
        "argument, word, hint",
        [
            ("api", "modul", "Did you mean 'module'?"),
            ("api", "Keras", "Did you mean 'keras'?"),
            ("api", "hub.Module", "Did you mean 'module'?"),
            ("keras", "keras4", "Did you mean 'keras"),
            ("api", "zzz", ""),
            ("api", None, ""),
        ],
    )
    def test_unknown_words(self, argument, word, hint):
        with pytest.raises(InputError) as caught:
            parse_request(**{argument: word})
        assert str(caught.value).startswith("invalid value for {}: {!r}.".format(argument, word))
        assert hint in caught.value.hint
        assert ("Did you mean" in caught.value.hint) == bool(hint)
        assert caught.value.argument == argument
        assert caught.value.expected[0] == "auto"

    @pytest.mark.parametrize("flag", ["trainable", "as_dict", "collections"])
    @pytest.mark.parametrize("value", [1, 0, "yes", "", ["train"], {"train"}])
    def test_flags_that_are_no_bool(self, flag, value):
        with pytest.raises(InputError) as caught:
            parse_request(**{flag: value})
        assert caught.value.what == "invalid value for {}: {!r}.".format(flag, value)
        assert caught.value.expected == ("True", "False")

    @pytest.mark.parametrize("flag, default", [("trainable", False), ("as_dict", False), ("collections", True)])
    def test_flags_left_out(self, flag, default):
        """Upstream's default for signature_outputs_as_dict is None."""
        assert getattr(parse_request(**{flag: None}), flag) is default

    @pytest.mark.parametrize("tags", [{"train"}, ["train"], ("train", "train"), "train", iter(["train"])])
    def test_tags(self, tags):
        assert parse_request(tags=tags).tags == frozenset({"train"})

    def test_no_tags_are_not_the_default(self):
        assert parse_request(tags=[]).tags == parse_request(tags=set()).tags == frozenset()
        assert parse_request(tags=None).tags is None

    def test_names_of_upstream(self):
        request = parse_request(signature_outputs_as_dict=True, output_key="y", load_options="options")
        assert (request.as_dict, request.output_key, request.load_options) == (True, "y", "options")
        assert parse_request(signature_outputs_as_dict=None).as_dict is False
        assert parse_request(options="options").load_options == "options"

    def test_the_rest_is_for_the_layer(self):
        options = {"arguments": {"a": 1}, "output_shape": [4], "input_shape": [8], "dtype": "float32"}
        request = parse_request(api="keras", name="layer", **options)
        assert request.layer_options == options
        assert request.name == "layer"

    @pytest.mark.parametrize("api", ["auto", "load"])
    def test_options_of_layers_for_what_is_no_layer(self, api):
        with pytest.raises(InputError) as caught:
            planned(saved_model(), api=api, outputkey="y")
        assert caught.value.option == "outputkey"
        assert 'api="keras"' in caught.value.hint
        assert "Did you mean 'output_key'?" in caught.value.hint

    def test_options_of_layers_for_a_layer(self):
        assert planned(saved_model(), api="keras", output_shape=[4]).request.layer_options == {"output_shape": [4]}
        assert planned(saved_model(), trainable=True, output_shape=[4]).api is Api.KERAS


class TestTags:
    @pytest.mark.parametrize("trainable, tags", [(False, set()), (True, {"train"})])
    def test_by_operation(self, trainable, tags):
        assert choose_tags(hub_module(), parse_request(trainable=trainable)) == tags

    def test_plain_for_training_without_a_variant_for_it(self):
        assert choose_tags(hub_module(variant()), parse_request(trainable=True)) == frozenset()
        assert choose_tags(saved_model(), parse_request(trainable=True)) == {"serve"}

    def test_asked_for(self):
        info = hub_module(variant(), variant("train"), variant("train", "gpu"))
        assert choose_tags(info, parse_request(trainable=True, tags={"train", "gpu"})) == {"train", "gpu"}
        assert choose_tags(info, parse_request(trainable=True, tags=[])) == frozenset()

    def test_the_only_one(self):
        info = ModelInfo("models/gpu", Format.TF2_SAVED_MODEL, (variant("serve", "gpu"),))
        assert choose_tags(info, parse_request()) == {"serve", "gpu"}

    def test_unknown(self):
        with pytest.raises(TagsError) as caught:
            choose_tags(hub_module(), parse_request(tags={"serve"}))
        assert caught.value.tags == frozenset({"serve"})
        assert caught.value.tag_sets == (frozenset(), frozenset({"train"}))

    def test_none_stands_out(self):
        info = ModelInfo("models/two", Format.TF2_SAVED_MODEL, (variant("serve", "gpu"), variant("serve", "tpu")))
        with pytest.raises(TagsError, match="does not say which of its graph variants"):
            choose_tags(info, parse_request())

    @pytest.mark.parametrize("tags", [{"train"}, {"train", "gpu"}])
    def test_a_train_variant_is_never_frozen(self, tags):
        info = hub_module(variant(), variant("train"), variant("train", "gpu"))
        with pytest.raises(TagsError, match="is for training, and trainable is False"):
            choose_tags(info, parse_request(tags=tags))


class TestSignature:
    def chosen(self, info, **arguments):
        found = choose_signature(info, info.meta_graphs[0], parse_request(**arguments))
        return found and found.name

    @pytest.mark.parametrize(
        "signatures, name",
        [
            (("default",), "default"),
            (("a", "default"), "default"),
            (("sum",), "sum"),
            (("serving_default",), "serving_default"),
        ],
    )
    def test_of_a_module(self, signatures, name):
        assert self.chosen(hub_module(variant(signatures=signatures))) == name

    def test_of_a_module_serving_default_is_a_name_like_any_other(self):
        with pytest.raises(SignatureError):
            self.chosen(hub_module(variant(signatures=("a", "serving_default"))))

    def test_a_callable_model_is_called_itself(self):
        assert self.chosen(saved_model()) is None
        assert self.chosen(saved_model(signatures=())) is None
        assert self.chosen(saved_model(), signature="serving_default") == "serving_default"

    @pytest.mark.parametrize(
        "signatures, name",
        [
            (("default", "serving_default"), "serving_default"),
            (("a", "default"), "default"),
            (("encode",), "encode"),
        ],
    )
    def test_of_others(self, signatures, name):
        assert self.chosen(export(*signatures)) == name
        assert self.chosen(saved_model(signatures=signatures, call=None)) == name

    def test_asked_for(self):
        assert self.chosen(export("a", "b", "serving_default"), signature="b") == "b"

    def test_unknown(self):
        with pytest.raises(SignatureError) as caught:
            self.chosen(export("encode", "decode"), signature="encod")
        assert caught.value.signatures == ("encode", "decode")
        assert "Did you mean 'encode'?" in caught.value.hint

    @pytest.mark.parametrize("options", [{}, {"api": "keras"}])
    def test_none_stands_out(self, options):
        with pytest.raises(SignatureError) as caught:
            self.chosen(export("encode", "decode"), **options)
        assert caught.value.signatures == ("encode", "decode")

    def test_who_asks_for_load_may_use_the_attributes(self):
        assert self.chosen(export("encode", "decode"), api="load") is None

    def test_nothing_to_choose_from(self):
        assert self.chosen(export()) is None
        with pytest.raises(SignatureError):
            self.chosen(export(), api="keras")

    def test_calls_of_a_module_may_name_it(self):
        info = hub_module(variant(signatures=("a", "b")))
        assert self.chosen(info, api="module") is None
        with pytest.raises(SignatureError):
            self.chosen(info)


class TestTrainability:
    def test_nothing_to_train(self):
        with pytest.raises(UnsupportedError, match="has no trainable variables"):
            planned(saved_model(variables=FROZEN), trainable=True)

    def test_nothing_to_train_in_the_variant_that_is_loaded(self):
        info = hub_module(variant(), variant("train", variables=FROZEN))
        with pytest.raises(UnsupportedError, match="has no trainable variables"):
            planned(info, TF1, trainable=True)

    @pytest.mark.parametrize("variables", [(), None])
    def test_objects_list_no_variables(self, variables):
        assert planned(saved_model(variables=variables), trainable=True).request.trainable

    def test_signatures_cannot_be_trained(self):
        with pytest.raises(UnsupportedError, match="through its signature 'serving_default'") as caught:
            planned(saved_model(), trainable=True, signature="serving_default")
        assert caught.value.signature == "serving_default"

    def test_what_cannot_be_called_cannot_be_trained(self):
        with pytest.raises(UnsupportedError, match="its root object cannot be called"):
            planned(saved_model(call=None), trainable=True)

    def test_signatures_of_modules_can_be_trained(self):
        plan = planned(hub_module(), TF1, trainable=True, signature="default")
        assert (plan.tags, plan.signature.name) == ({"train"}, "default")

    def test_inference_asks_for_nothing(self):
        assert planned(saved_model(variables=FROZEN)).api is Api.LOAD


class TestApi:
    """Which of the cell's choices; the table itself is tested beside it."""

    @pytest.mark.parametrize("runtime", [TF1, TF1_COMPAT, TF2_GRAPH])
    def test_first_choice_in_graphs(self, runtime):
        assert planned(hub_module(), runtime).api is Api.MODULE
        assert planned(hub_module(), runtime, trainable=True).api is Api.MODULE
        assert planned(saved_model(), runtime).api is Api.LOAD
        assert planned(saved_model(), runtime, trainable=True).api is Api.KERAS
        assert planned(export("serving_default"), runtime).api is Api.LOAD

    def test_first_choice_in_tf2(self):
        assert planned(hub_module()).api is Api.LOAD
        assert planned(saved_model()).api is Api.LOAD
        assert planned(saved_model(), trainable=True).api is Api.KERAS
        assert planned(export("serving_default")).api is Api.LOAD

    def test_asked_for(self):
        assert planned(saved_model(), api="keras").api is Api.KERAS
        assert planned(saved_model(), api="load", trainable=True).api is Api.LOAD

    @pytest.mark.parametrize(
        "info, runtime, api",
        [
            (hub_module(), TF2, "module"),
            (hub_module(), TF1, "load"),
            (hub_module(), TF1, "keras"),
            (saved_model(), TF1, "module"),
            (saved_model(), TF2, "module"),
            (export("serving_default"), TF1, "keras"),
        ],
    )
    def test_what_the_cell_does_not_have(self, info, runtime, api):
        with pytest.raises(UnsupportedError) as caught:
            planned(info, runtime, api=api)
        assert "is not supported through api={!r}".format(api) in str(caught.value)
        assert (caught.value.format, caught.value.runtime, caught.value.api) == (info.format, runtime.mode, Api(api))

    @pytest.mark.parametrize(
        "info, runtime, trainable",
        [
            (hub_module(), TF2, True),
            (export("serving_default"), TF1, True),
            (export("serving_default"), TF2, True),
            (saved_model(), TF1_OLD, False),
            (saved_model(), TF1_OLD, True),
        ],
    )
    @pytest.mark.parametrize("api", ["auto", "load"])
    def test_what_the_matrix_refuses(self, info, runtime, trainable, api):
        with pytest.raises(UnsupportedError) as caught:
            planned(info, runtime, trainable=trainable, api=api)
        assert caught.value.operation is (Operation.FINE_TUNE if trainable else Operation.INFERENCE)
        assert "through api" not in str(caught.value)
        assert info.path in str(caught.value)

    def test_a_module_inside_a_function(self):
        inside = Runtime(RuntimeMode.TF1_COMPAT, "2.15.1", "0.15.0", Keras.KERAS2, inside_function=True)
        with pytest.raises(UnsupportedError, match="cannot be used while TensorFlow traces a function"):
            planned(hub_module(), inside)
        assert planned(saved_model(), inside).api is Api.LOAD


class TestServer:
    def test_load_needs_no_tensorflow_hub(self, monkeypatch):
        monkeypatch.setattr(packages, "import_tensorflow_hub", lambda: pytest.fail("it was imported"))
        assert planned(saved_model()).backend is Backend.UNIHUB

    def test_module_and_layer_are_served_upstream(self):
        assert choose_backend(Api.MODULE, None, TF1).backend is Backend.TENSORFLOW_HUB
        assert choose_backend(Api.KERAS, Keras.KERAS2, TF2).backend is Backend.TENSORFLOW_HUB

    def test_module_is_served_by_unihub_where_upstream_has_none(self, monkeypatch):
        monkeypatch.setattr(packages, "import_tensorflow_hub", lambda: pytest.fail("it was imported"))
        assert choose_backend(Api.MODULE, None, TF2_KERAS3).backend is Backend.UNIHUB
        without = Runtime(RuntimeMode.TF1_COMPAT, "2.15.1", None, Keras.KERAS2)
        assert choose_backend(Api.MODULE, None, without).backend is Backend.UNIHUB

    def test_a_layer_that_tensorflow_hub_cannot_serve(self, monkeypatch):
        monkeypatch.setattr(packages, "hub_offers", lambda version: frozenset({"Module"}))
        with pytest.raises(RuntimeUnavailableError, match="hub.KerasLayer does not exist") as caught:
            choose_backend(Api.KERAS, Keras.KERAS2, TF2)
        assert caught.value.package == "tensorflow_hub"

    def test_layer_of_keras_3_is_served_by_unihub(self, monkeypatch):
        monkeypatch.setattr(packages, "import_tensorflow_hub", lambda: pytest.fail("it was imported"))
        assert planned(saved_model(), TF2_KERAS3, trainable=True).backend is Backend.UNIHUB
        assert planned(saved_model(), TF2, api="keras", keras="keras3").backend is Backend.UNIHUB

    @pytest.mark.parametrize("mode", [mode for mode in RuntimeMode if mode is not RuntimeMode.TF2])
    def test_no_layer_of_keras_3_in_graphs(self, mode):
        with pytest.raises(RuntimeUnavailableError, match="there is no keras3 layer in the {} runtime".format(mode)):
            planned(saved_model(), Runtime(mode, "2.21.0", "0.16.1", Keras.KERAS3), api="keras")

    def test_keras_is_the_one_in_use_unless_asked_for(self):
        assert planned(saved_model(), TF2, api="keras").keras is Keras.KERAS2
        assert planned(saved_model(), TF2_KERAS3, api="keras", keras="keras2").keras is Keras.KERAS2
        assert planned(saved_model(), TF2, keras="keras2").keras is None

    @pytest.mark.parametrize(
        "hub, problem, what",
        [
            (None, None, "tensorflow_hub is not installed"),
            ("0.15.0", "ModuleNotFoundError: No module named 'pkg_resources'", "tensorflow_hub cannot be imported"),
        ],
    )
    def test_why_tensorflow_hub_cannot_serve(self, hub, problem, what):
        tf2 = dataclasses.replace(TF2, tensorflow_hub=hub, hub_problem=problem)
        with pytest.raises(RuntimeUnavailableError, match=what) as caught:
            planned(saved_model(), tf2, api="keras", keras="keras2")
        assert caught.value.why == (problem or "ModuleNotFoundError: No module named 'tensorflow_hub'")
        tf1 = dataclasses.replace(TF1, tensorflow_hub=hub, hub_problem=problem)
        assert planned(hub_module(), tf1).backend is Backend.UNIHUB

    @pytest.mark.parametrize(
        "version, offered",
        [
            ("0.7.0", {"KerasLayer", "Module", "create_module_spec"}),
            ("0.15.0", {"KerasLayer", "Module", "create_module_spec"}),
            ("0.16.0", {"KerasLayer"}),
            ("0.16.1", {"KerasLayer"}),
        ],
    )
    def test_what_a_version_of_tensorflow_hub_offers(self, version, offered):
        assert dataclasses.replace(TF1, tensorflow_hub=version).hub_offers == offered

    def test_a_refusal_goes_before_a_missing_package(self, monkeypatch):
        monkeypatch.setattr(packages, "import_tensorflow_hub", lambda: pytest.fail("it was imported"))
        with pytest.raises(TagsError):
            planned(hub_module(), TF1, tags={"gpu"})
        with pytest.raises(SignatureError):
            planned(hub_module(), TF1, signature="no")


class TestPlan:
    def test_what_it_holds(self):
        info = saved_model()
        plan = planned(info, as_dict=True)
        assert (plan.handle, plan.source, plan.info, plan.runtime) == ("handle", "models/saved", info, TF2)
        assert (plan.api, plan.keras, plan.backend) == (Api.LOAD, None, Backend.UNIHUB)
        assert plan.strategy == "hub-load"
        assert (plan.tags, plan.signature, plan.request.as_dict) == ({"serve"}, None, True)
        assert plan.cell.supported
        assert plan.meta_graph is info.meta_graphs[0]

    def test_prints_for_inference(self):
        assert str(planned(export("serving_default"))) == (
            "model      models/export\n"
            "format     tf1-saved-model\n"
            "runtime    tf2 (TensorFlow 2.15.1, tensorflow_hub 0.15.0, keras2)\n"
            "operation  inference\n"
            "api        load (load (signature); keras (signature)), served by unihub\n"
            "variant    {serve}\n"
            "signature  serving_default(x: float32[None,8]) -> y: float32[None,4]\n"
            "trainable  none\n"
            "frozen     2 variables, 36 parameters, 144 bytes\n"
            "why        api=load: the matrix's first choice for this cell.\n"
            "why        hub.load is tf.saved_model.load on a resolved directory, so tensorflow_hub is not needed.\n"
            "why        signature serving_default: none was asked for."
        )

    def test_prints_for_training(self):
        assert str(planned(hub_module(), TF1, trainable=True)) == (
            "model      models/module\n"
            "format     tf1-hub\n"
            "runtime    tf1 (TensorFlow 1.15.5, tensorflow_hub 0.12.0, keras2)\n"
            "operation  fine-tune\n"
            'api        module (module, trainable=True, tags={"train"}), served by tensorflow_hub\n'
            "variant    {train}\n"
            "signature  default(x: float32[None,8]) -> y: float32[None,4]\n"
            "trainable  1 variable, 32 parameters, 128 bytes\n"
            "frozen     1 variable, 4 parameters, 16 bytes\n"
            "why        api=module: the matrix's first choice for this cell.\n"
            "why        variant {train}: fine-tuning needs its update ops and losses.\n"
            "why        signature default: none was asked for."
        )

    def test_prints_what_was_asked_for_without_reasons(self):
        lines = str(planned(saved_model(), api="load", trainable=True)).splitlines()
        assert "signature  the model itself" in lines
        assert [line for line in lines if line.startswith("why")] == [
            "why        hub.load is tf.saved_model.load on a resolved directory, so tensorflow_hub is not needed."
        ]

    @pytest.mark.parametrize("info", [hub_module(variant()), hub_module()])
    def test_says_when_it_trains_in_inference_mode(self, info):
        reasons = planned(info, TF1, trainable=True, tags=[]).reasons
        assert "variant without 'train': the model runs in inference mode while it is trained." in reasons

    def test_prints_where_it_runs(self):
        runtime = Runtime(RuntimeMode.TF2, "2.15.1", None, Keras.KERAS2, True, "MirroredStrategy")
        assert (
            "runtime    tf2 inside a tf.function in the scope of MirroredStrategy "
            "(TensorFlow 2.15.1, tensorflow_hub not installed, keras2)\n"
        ) in str(planned(saved_model(), runtime))

    def test_is_made_of_values(self):
        plan = planned(saved_model())
        assert plan == planned(saved_model())
        assert isinstance(plan, Plan)
        with pytest.raises(AttributeError):
            plan.api = Api.KERAS


class TestNamesOfUpstream:
    """``unihub.Module`` and ``unihub.KerasLayer`` take what upstream's take."""

    @pytest.fixture
    def loaded(self, monkeypatch):
        calls = []
        monkeypatch.setattr(_api, "load", lambda *args, **options: calls.append((args, options)))
        return calls

    def test_module(self, loaded):
        _api.Module("spec", True, "name", {"train"})
        _api.Module("spec")
        assert loaded == [
            (("spec", True), {"name": "name", "tags": {"train"}, "api": "module"}),
            (("spec", False), {"name": "module", "tags": None, "api": "module"}),
        ]

    def test_keras_layer(self, loaded):
        _api.KerasLayer("handle", True, {"a": 1}, output_key="y", signature_outputs_as_dict=None)
        _api.KerasLayer("handle")
        assert loaded == [
            (
                ("handle", True),
                {"api": "keras", "arguments": {"a": 1}, "output_key": "y", "signature_outputs_as_dict": None},
            ),
            (("handle", False), {"api": "keras"}),
        ]


def with_contents(info, **counts):
    """The same model with so many nodes or functions in each variant."""
    variants = (each for each in info.meta_graphs)
    return dataclasses.replace(
        info,
        meta_graphs=tuple(
            dataclasses.replace(each, contents=dataclasses.replace(each.contents, **counts)) for each in variants
        ),
    )


class TestUse:
    """Of which models only a part is loaded."""

    def large(self, **counts):
        counts = counts or {"function_count": 500}
        return with_contents(saved_model(), **counts)

    def test_a_signature_that_was_asked_for(self):
        plan = planned(self.large(), signature="serving_default")
        assert plan.use == Use("serving_default", layer=False)
        assert plan.reasons[-1] == (
            "only a subset is loaded, for the signature serving_default; full=True loads the full model."
        )

    def test_a_layer(self):
        assert planned(self.large(), api="keras").use == Use(None, layer=True)
        assert planned(self.large(), trainable=True).use == Use(None, layer=True)

    def test_a_layer_of_a_signature(self):
        assert planned(self.large(), api="keras", signature="serving_default").use == Use("serving_default", layer=True)

    def test_who_says_nothing_gets_all(self):
        assert planned(self.large()).use is None

    def test_full(self):
        plan = planned(self.large(), signature="serving_default", full=True)
        assert plan.use is None and plan.reasons[-1] == "the full model is loaded: full=True."

    @pytest.mark.parametrize("counts", [{"function_count": 3}, {"function_count": 3, "node_count": 10**6}])
    def test_few_functions(self, counts):
        plan = planned(self.large(**counts), signature="serving_default")
        assert plan.use is None and plan.reasons[-1] == "the full model is loaded: it is small."

    @pytest.mark.parametrize("nodes, is_cut", [(10, False), (5000, True)])
    def test_tf1_graphs(self, nodes, is_cut):
        info = with_contents(export("serving_default"), node_count=nodes)
        assert (planned(info, signature="serving_default").use is not None) == is_cut
        assert planned(info).use is None

    def test_a_module_takes_what_it_needs_by_itself(self):
        info = with_contents(hub_module(), node_count=5000)
        assert planned(info, TF1, signature="default").use is None

    def test_objects_have_no_files(self):
        info = self.large()
        assert decide(len, len, info, TF2, parse_request(api="keras")).use is None
