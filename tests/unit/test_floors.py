"""The layout of the code: floors, circles, lengths, private names and version checks.

The rules are in ``floors.py``. Each is also run on a small package that breaks it.
"""

from __future__ import annotations

import pytest

import floors
import paths

PACKAGE = str(paths.PACKAGE)

# Each exception with its reason.
EXCEPTIONS = {
    "_cli/command.py: calls Version": "checks that an argument of the command line is a version",
    "_plan/matrix.py: calls Version": "compares rows of the matrix with the TensorFlow that is asked about",
}


@pytest.mark.parametrize("rule", floors.RULES, ids=lambda rule: rule.__name__)
def test_the_code_keeps_the_rule(rule):
    assert [str(violation) for violation in rule(PACKAGE) if violation.key not in EXCEPTIONS] == []


def test_every_exception_is_needed():
    assert set(EXCEPTIONS) <= {violation.key for rule in floors.RULES for violation in rule(PACKAGE)}


@pytest.fixture
def broken(tmp_path):
    """Runs a rule on a package of the given files, beside one empty module in each folder."""

    def run(rule, **contents):
        package = tmp_path / floors.PACKAGE
        for folder in [folder for row in floors.FLOORS for folder in row] + ["_migrate"]:
            (package / folder).mkdir(parents=True, exist_ok=True)
            (package / folder / "empty.py").write_text("")
        for name, text in contents.items():
            path = package.joinpath(*name.split("__")).with_suffix(".py")
            path.write_text(text)
        return [violation.key for violation in rule(str(package))]

    return run


IN_FUNCTION = "def load():\n    {}\n"
FOR_CHECKERS = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}\n"


@pytest.mark.parametrize(
    "line",
    [
        "from unihub import _api",
        "from unihub._api import load",
        "from unihub._api.empty import load",
        "import unihub._api",
        "import unihub._api.empty as api",
        "from .. import _api",
        "from .._api import empty",
        "import importlib; importlib.import_module('unihub._api')",
    ],
)
@pytest.mark.parametrize("around", ["{}", IN_FUNCTION], ids=["module", "function"])
def test_an_upward_import_is_found(broken, line, around):
    assert broken(floors.upward_imports, _plan__plan=around.format(line)) == ["_plan/plan.py: imports _api upward"]


@pytest.mark.parametrize(
    "text",
    [
        FOR_CHECKERS.format("from unihub import _api"),
        "from unihub import errors\nfrom unihub._saved_model import empty\nimport os",
        "from unihub._audit import empty",  # a folder of a lower floor
        "TARGET = 'unihub._api:load'",  # data
    ],
)
def test_other_imports_are_free(broken, text):
    assert broken(floors.upward_imports, _plan__plan=text) == []


def test_the_package_itself_is_above_api(broken):
    assert broken(floors.upward_imports, _api__load="import unihub") == ["_api/load.py: imports unihub upward"]
    assert broken(floors.upward_imports, _api__load="from unihub import __version__") == [
        "_api/load.py: imports unihub upward"
    ]


def test_only_from_config_may_load_again(broken):
    method = "class Layer:\n    def {}(cls):\n        from unihub import {}\n"
    assert broken(floors.upward_imports, _strategies__layer=method.format("from_config", "_api")) == []
    for name, target in [("get_config", "_api"), ("from_config", "_cli")]:
        assert broken(floors.upward_imports, _strategies__layer=method.format(name, target)) == [
            "_strategies/layer.py: imports {} upward".format(target)
        ]


def test_migrate_is_independent(broken):
    assert broken(floors.upward_imports, _migrate__files="from unihub import errors") == []
    assert broken(floors.upward_imports, _migrate__files="from unihub import _plan") == [
        "_migrate/files.py: imports _plan upward"
    ]
    assert broken(floors.upward_imports, _migrate__files="", _cli__main="from unihub._migrate import files") == []
    assert broken(floors.upward_imports, _cli__main="", _plan__plan="from unihub._migrate import files") == [
        "_plan/plan.py: imports _migrate upward"
    ]


def test_a_folder_without_a_floor_is_found(broken, tmp_path):
    (tmp_path / floors.PACKAGE / "_new").mkdir(parents=True)
    assert broken(floors.upward_imports, _new__module="from unihub import errors") == [
        "_new/module.py: imports errors upward"
    ]


def test_a_circle_is_found(broken):
    one_way = {"_graph__a": "from unihub._partial import empty", "_call__b": "from unihub import _graph"}
    assert broken(floors.circles, **one_way) == []
    both = dict(one_way, _partial__c=IN_FUNCTION.format("from unihub._call import empty"))
    assert broken(floors.circles, **both) == ["_call: is in a circle of imports: _call, _graph, _partial"]


def test_a_file_of_501_lines_is_found(broken):
    assert broken(floors.long_files, _plan__plan="x = 1\n" * 500) == []
    assert broken(floors.long_files, _plan__plan="x = 1\n" * 501) == ["_plan/plan.py: has more than 500 lines"]


@pytest.mark.parametrize(
    "text",
    [
        "other._name",
        "other._name = 1",
        "getattr(other, '_name')",
        "getattr(other.one, '_name', None)",
        "hasattr(other, '_name')",
        "setattr(other, '_name', 1)",
        "delattr(other, '_name')",
        "_KEY = '_name'\ngetattr(other, _KEY)",
        "vars(other)['_name']",
        "other.__dict__['_name']",
    ],
)
def test_a_private_attribute_is_found(broken, text):
    expected = ["_plan/plan.py: touches the private attribute _name"]
    assert broken(floors.private_names, _plan__plan=text) == expected
    assert broken(floors.private_names, _plan__plan="", _tf__keras=text) == []


@pytest.mark.parametrize(
    "line, name",
    [
        ("import tensorflow.python", "tensorflow.python"),
        ("from tensorflow.python.framework import ops", "tensorflow.python.framework.ops"),
        ("from tensorflow import python", "tensorflow.python"),
        ("import keras.src.layers", "keras.src.layers"),
        ("from tf_keras.src import layers", "tf_keras.src.layers"),
        ("from tensorflow_hub import _x", "tensorflow_hub._x"),
        ("import tensorflow_hub._x", "tensorflow_hub._x"),
        ("import importlib; importlib.import_module('keras.src')", "keras.src"),
    ],
)
def test_a_private_import_is_found(broken, line, name):
    for text in (line, IN_FUNCTION.format(line)):
        assert broken(floors.private_names, _plan__plan=text) == ["_plan/plan.py: imports the private {}".format(name)]


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def f(self):\n        self._name = getattr(self, '_other', None)\n        return super()._one",
        "class A:\n    def _f(self):\n        pass\ndef f(a):\n    return a._f()",
        "row._replace(x=1)._asdict()",
        "from unihub._plan import _x\nfrom __future__ import annotations",
        "other.__class__, other['_name'], import_module(name)",
    ],
)
def test_own_and_public_names_are_free(broken, text):
    assert broken(floors.private_names, _plan__plan=text) == []


@pytest.mark.parametrize(
    "text, what",
    [
        ("packages.tensorflow_before('2.9')", "calls tensorflow_before"),
        ("Version(text)", "calls Version"),
        ("tf.__version__", "reads a __version__"),
        ("getattr(keras, '__version__', '')", "reads a __version__"),
        ("hasattr(tf.config, 'x')", "asks whether tf has a name"),
        ("getattr(tf.compat.v1, 'x', None)", "asks whether tf has a name"),
        ("try:\n    import keras\nexcept ImportError:\n    pass", "tries to import keras"),
        (
            "try:\n    from tensorflow import x\nexcept (ValueError, ModuleNotFoundError):\n    pass",
            "tries to import tensorflow",
        ),
        ("try:\n    packages.import_tensorflow_hub()\nexcept ImportError:\n    pass", "tries to import tensorflow_hub"),
        ("try:\n    import_module('tf_keras')\nexcept ImportError:\n    pass", "tries to import tf_keras"),
    ],
)
def test_a_version_check_is_found(broken, text, what):
    assert broken(floors.version_checks, _plan__plan=text) == ["_plan/plan.py: " + what]
    assert broken(floors.version_checks, _plan__plan="", _tf__keras=text) == []


@pytest.mark.parametrize(
    "text",
    [
        "unihub.__version__",
        "hasattr(other, 'x'), getattr(tf.raw_ops, name)",
        "try:\n    import fsspec\nexcept ImportError:\n    pass",
        "try:\n    import tensorflow\nexcept ValueError:\n    pass",
    ],
)
def test_what_is_no_version_check_is_free(broken, text):
    assert broken(floors.version_checks, _plan__plan=text) == []
