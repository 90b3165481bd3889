"""A tensorflow_hub that cannot be imported, for reasons that its version does not tell: another backend serves."""

import sys

import pytest

import paths
import processes
from choices import also_slow
from live_runtime import HAS_HUB, RUNTIME, TENSORFLOW

pytestmark = pytest.mark.skipif(not HAS_HUB, reason="breaks the tensorflow_hub that is installed")

PROGRAM = """
import os, sys, types
import tensorflow as tf
if {runtime!r} == "tf1-compat":
    tf.compat.v1.disable_v2_behavior()
import unihub

def served(**options):
    try:
        with tf.Graph().as_default():
            model = unihub.load({model!r}, **options)
        return "{{}} by {{}}".format(model.plan.api, model.plan.backend)
    except unihub.errors.UnihubError as error:
        return "{{}}: {{}} ({{}})".format(type(error).__name__, error.why, type(error.__cause__).__name__)

{breakage}
for options in ({{}}, {{"trainable": True}}):
    print(served(**options))
{mended}
"""

BROKEN = {
    "blocked": "sys.modules['tensorflow_hub'] = None",
    "raises": "sys.modules['tensorflow_hub.resolver'] = None",
    "empty": "sys.modules['tensorflow_hub'] = types.ModuleType('tensorflow_hub')",
}


def run(breakage, mended=""):
    program = PROGRAM.format(
        runtime=RUNTIME, model=str(paths.DATA / "tf1_hub" / "text_embedding"), breakage=breakage, mended=mended
    )
    done = processes.run(program)
    return done.stdout.splitlines()


@pytest.mark.parametrize("breakage", also_slow(sorted(BROKEN), 1))
def test_a_module_in_a_graph_is_served_by_unihub(breakage):
    assert run(BROKEN[breakage]) == ["module by unihub"] * 2


@pytest.mark.slow
def test_it_is_used_again_when_it_works_again():
    backend = "tensorflow_hub" if TENSORFLOW < (2, 16) and "Module" in dir(sys.modules["tensorflow_hub"]) else "unihub"
    lines = run(BROKEN["blocked"], mended="del sys.modules['tensorflow_hub']\nprint(served())")
    assert lines == ["module by unihub"] * 2 + ["module by " + backend]


@pytest.mark.slow
def test_a_hand_made_pkg_resources_is_accepted():
    assert all(
        line.startswith("module by ") for line in run("sys.modules.setdefault('pkg_resources', types.ModuleType('p'))")
    )
