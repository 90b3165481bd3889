"""Where a plan changes: the sizes from which only a part of a model is loaded, and what a distribution refuses."""

import dataclasses

import pytest

from unihub._plan.plan import decide
from unihub._plan.request import parse_request
from unihub._plan.runtime import Runtime
from unihub._saved_model.model_info import Call, Contents, MetaGraph, ModelInfo, Variable
from unihub._types import Format, Keras, RuntimeMode, Signature, Tensor, Use
from unihub.errors import UnsupportedError

TF1 = Runtime(RuntimeMode.TF1, "1.15.5", "0.12.0", Keras.KERAS2)
TF2 = Runtime(RuntimeMode.TF2, "2.15.1", "0.15.0", Keras.KERAS2)
DEFAULT = (Signature("default", (Tensor("x", "float32", None),), (Tensor("y", "float32", None),)),)


def model(format=Format.TF2_SAVED_MODEL, tags=("serve",), **contents):
    """A model with one variant, or with several."""
    has_objects = format is Format.TF2_SAVED_MODEL
    variants = [tags] if not tags or isinstance(tags[0], str) else tags
    parts = Contents(variables=(Variable("v", "float32", (2,), True),), **contents)
    call = Call(("x",), 1) if has_objects else None
    return ModelInfo(
        "models/m",
        format,
        tuple(MetaGraph(frozenset(each), DEFAULT, parts, has_object_graph=has_objects, call=call) for each in variants),
    )


def use_of(info, runtime=TF2, **arguments):
    arguments = arguments or {"signature": "default"}
    return decide("handle", info.path, info, runtime, parse_request(**arguments)).use


PART = Use("default", layer=False)


@pytest.mark.parametrize("functions, use", [(23, None), (24, PART), (25, PART)])
def test_from_how_many_functions_on_a_part_is_loaded(functions, use):
    assert use_of(model(function_count=functions, node_count=5000)) == use


@pytest.mark.parametrize("nodes, functions, use", [(999, 23, None), (1000, 23, PART), (999, 24, PART)])
def test_from_how_many_nodes_on_a_part_of_a_graph_is_loaded(nodes, functions, use):
    info = model(Format.TF1_SAVED_MODEL, node_count=nodes, function_count=functions)
    assert use_of(info, TF1) == use


@pytest.mark.parametrize("tags, use", [([("serve",)], PART), ([("serve",), ("gpu",)], None)])
def test_objects_with_several_variants_are_loaded_whole(tags, use):
    assert use_of(model(tags=tags, function_count=500)) == use


def test_graphs_with_several_variants_are_cut():
    info = model(Format.TF1_SAVED_MODEL, [("serve",), ("gpu",)], node_count=5000)
    assert use_of(info, TF1) == PART


def test_a_module_is_loaded_whole():
    assert use_of(model(Format.TF1_HUB, (), node_count=5000), TF1) is None


class TestDistribution:
    NEAR = dataclasses.replace(TF2, distribution="MirroredStrategy")
    FAR = dataclasses.replace(TF2, distribution="ParameterServerStrategy", remote_workers=True)

    @pytest.mark.parametrize("format, tags", [(Format.TF1_HUB, ()), (Format.TF1_SAVED_MODEL, ("serve",))])
    def test_graphs_out_of_reach_of_other_processes(self, format, tags):
        info = model(format, tags)
        assert use_of(info, self.NEAR, api="load") is None
        with pytest.raises(UnsupportedError) as caught:
            use_of(info, self.FAR, api="load")
        assert str(caught.value) == str(UnsupportedError.out_of_reach("models/m", format, "ParameterServerStrategy"))

    def test_objects_in_other_processes(self):
        assert use_of(model(), self.FAR, api="load") is None

    def test_a_module(self):
        info = model(Format.TF1_HUB, ())
        assert use_of(info, TF1, api="module") is None
        runtime = dataclasses.replace(TF1, distribution="MirroredStrategy")
        with pytest.raises(UnsupportedError) as caught:
            use_of(info, runtime, api="module")
        assert str(caught.value) == str(UnsupportedError.module_in_strategy("models/m", "MirroredStrategy"))
