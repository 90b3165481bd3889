"""unihub migrate: what each use of tensorflow_hub becomes, what is left, and that all else stays as it is."""

import ast
import io
import json
import os
import random
import re
import stat
import subprocess
import sys
import textwrap
import tokenize

import pytest
from packaging.version import Version

from choices import also_slow
from paths import ROOT
from processes import environment
from unihub import _cli as cli
from unihub import errors
from unihub._migrate import migrate_text, reasons
from unihub._migrate.edit import Edit, apply_edits
from unihub._migrate.files import find_programs, migrate_file
from unihub._tf import packages
from unihub._tf.packages import installed_version

HUB = "import tensorflow_hub as hub\n"
OWN = "import unihub\n"
BOTH = HUB + OWN


def migrate(text):
    """The new text and what is left of it; once more, it stays as it is."""
    migration = migrate_text(text)
    again = migrate_text(migration.text)
    assert (again.text, again.replaced) == (migration.text, 0)
    assert len(again.findings) == len(migration.findings)
    return migration.text, [(finding.name, finding.reason) for finding in migration.findings]


# What becomes of a line after ``import tensorflow_hub as hub`` where nothing of that is left.
LINES = [
    # Classes are renamed, whatever their arguments.
    ("m = hub.Module(h)", "m = unihub.Module(h)"),
    ("m = hub.Module(h, True, 'm', {'train'})", "m = unihub.Module(h, True, 'm', {'train'})"),
    ("m = hub.Module(spec=h, tags=set())", "m = unihub.Module(spec=h, tags=set())"),
    ("m = hub.Module(h, tags=tags, trainable=True)", "m = unihub.Module(h, tags=tags, trainable=True)"),
    ("m = hub.Module(h, tags={'train'}, trainable=t)", "m = unihub.Module(h, tags={'train'}, trainable=t)"),
    ("m = hub.Module(*args, **options)", "m = unihub.Module(*args, **options)"),
    (
        "y = hub.Module(h)(x, signature='s', as_dict=True)['y']",
        "y = unihub.Module(h)(x, signature='s', as_dict=True)['y']",
    ),
    ("k = hub.KerasLayer(h, True, {'a': 1}, signature='s')", "k = unihub.KerasLayer(h, True, {'a': 1}, signature='s')"),
    ("k = hub.KerasLayer(\n    h,  # why\n)", "k = unihub.KerasLayer(\n    h,  # why\n)"),
    ("k = hub . KerasLayer (h)", "k = unihub . KerasLayer (h)"),
    ("k = (hub\n     .KerasLayer(h))", "k = (unihub\n     .KerasLayer(h))"),
    ("print(f'{hub.KerasLayer(h)}')", "print(f'{unihub.KerasLayer(h)}')"),
    # Classes that are handed on to be called.
    ("def f(layer=hub.KerasLayer): pass", "def f(layer=unihub.KerasLayer): pass"),
    ("f = functools.partial(hub.KerasLayer, h)", "f = functools.partial(unihub.KerasLayer, h)"),
    ("kinds = {'hub': hub.KerasLayer}", "kinds = {'hub': unihub.KerasLayer}"),
    ("make = hub.Module", "make = unihub.Module"),
    ("build(layer=hub.KerasLayer)", "build(layer=unihub.KerasLayer)"),
    # load takes more by name.
    ("m = hub.load(h)", 'm = unihub.load(h, api="load")'),
    ("m = hub.load(handle=h)", 'm = unihub.load(handle=h, api="load")'),
    ("m = hub.load((h))", 'm = unihub.load((h), api="load")'),
    ("m = hub.load(h,)", 'm = unihub.load(h, api="load",)'),
    ("m = hub.load(\n    h  # why\n)", 'm = unihub.load(\n    h, api="load"  # why\n)'),
    ("m = hub.load(h, [])", 'm = unihub.load(h, tags=[], api="load")'),
    ("m = hub.load(h, None, o)", 'm = unihub.load(h, tags=None, options=o, api="load")'),
    ("m = hub.load(h, options=o, tags=['serve'])", "m = unihub.load(h, options=o, tags=['serve'], api=\"load\")"),
    ("m = hub.load(**options)", 'm = unihub.load(**options, api="load")'),
    ("y = hub.load(h)(x)", 'y = unihub.load(h, api="load")(x)'),
    ("y = hub.load(h).signatures['s'](x)", "y = unihub.load(h, api=\"load\").signatures['s'](x)"),
    ("f = functools.partial(hub.load)", 'f = functools.partial(unihub.load, api="load")'),
    ("f = functools.partial(hub.load, h)", 'f = functools.partial(unihub.load, h, api="load")'),
    # What is done with the result decides the rest.
    (
        "m = hub.load(h)\nw = m.trainable_variables",
        'm = unihub.load(h, trainable=True, api="load")\nw = m.trainable_variables',
    ),
    ("m = hub.load(h)\nm(x, training=True)", 'm = unihub.load(h, trainable=True, api="load")\nm(x, training=True)'),
    ("m = hub.load(h)\nm(x, training=False)", 'm = unihub.load(h, api="load")\nm(x, training=False)'),
    ("m = hub.load(h)\nm(x, is_training)", 'm = unihub.load(h, trainable=True, api="load")\nm(x, is_training)'),
    ("m = hub.load(h)\nm(x, False)", 'm = unihub.load(h, api="load")\nm(x, False)'),
    ("m = hub.load(h)\nm(x, mask=n)", 'm = unihub.load(h, api="load")\nm(x, mask=n)'),
    ("m = hub.load(h)\nm(content, style)[0]", 'm = unihub.load(h, api="load")\nm.native(content, style)[0]'),
    ("hub.load(h)(content, style)", 'unihub.load(h, api="load").native(content, style)'),
    ("m = hub.load(h)\nm(*inputs)", 'm = unihub.load(h, api="load")\nm.native(*inputs)'),
    ("m = hub.load(h)\nm(image=x)", 'm = unihub.load(h, api="load")\nm.native(image=x)'),
    ("m = hub.load(h)\ntf.saved_model.save(m, p)", 'm = unihub.load(h, api="load")\ntf.saved_model.save(m.native, p)'),
    ("m = hub.load(h)\nm._private", 'm = unihub.load(h, api="load")\nm.native._private'),
    ("m = hub.load(h)\nk = hub.KerasLayer(m)", 'm = unihub.load(h, api="load")\nk = unihub.KerasLayer(m.native)'),
    ("def f():\n    return hub.load(h)", 'def f():\n    return unihub.load(h, api="load")'),
    (
        "self.m = hub.load(h)\nself.m.trainable_variables",
        'self.m = unihub.load(h, trainable=True, api="load")\nself.m.trainable_variables',
    ),
    (
        "def f():\n    m.trainable_variables\nm = hub.load(h)",
        'def f():\n    m.trainable_variables\nm = unihub.load(h, trainable=True, api="load")',
    ),
    (
        "m = hub.load(h)\ndef f(m):\n    m.trainable_variables",
        'm = unihub.load(h, api="load")\ndef f(m):\n    m.trainable_variables',
    ),
    ("m = hub.load(h)\nm(x)\nm = f(m)\nm(y)", 'm = unihub.load(h, api="load")\nm(x)\nm = f(m)\nm(y)'),
    (
        "class A:\n    def f(self):\n        self.m = hub.load(h)\n        self.m(x)\nclass B:\n    def f(self):\n        self.m.n",
        'class A:\n    def f(self):\n        self.m = unihub.load(h, api="load")\n        self.m(x)\nclass B:\n    def f(self):\n        self.m.n',
    ),
    # What reads collections must not find more in them.
    (
        "k = hub.KerasLayer(h, trainable=t)\no.minimize(loss)",
        "k = unihub.KerasLayer(h, trainable=t, collections=False)\no.minimize(loss)",
    ),
    (
        "k = hub.KerasLayer(h, True)\nv = tf.trainable_variables()",
        "k = unihub.KerasLayer(h, True, collections=False)\nv = tf.trainable_variables()",
    ),
    ("k = hub.KerasLayer(h)\no.minimize(loss)", "k = unihub.KerasLayer(h)\no.minimize(loss)"),
    (
        "k = hub.KerasLayer(h, True)\no.minimize(loss, var_list=k.trainable_variables)",
        "k = unihub.KerasLayer(h, True)\no.minimize(loss, var_list=k.trainable_variables)",
    ),
    ("m = hub.Module(h, True)\no.minimize(loss)", "m = unihub.Module(h, True)\no.minimize(loss)"),
    (
        "m = hub.load(h)\nm.trainable_variables\ntf.get_collection(k)",
        'm = unihub.load(h, trainable=True, api="load", collections=False)\nm.trainable_variables\ntf.get_collection(k)',
    ),
    # Of a layer whose model is looked into all has to be loaded.
    (
        "k = hub.KerasLayer(h, True)\nk.resolved_object.vocab_file",
        "k = unihub.KerasLayer(h, True, full=True)\nk.resolved_object.vocab_file",
    ),
    # Specs.
    ("p = hub.resolve(h)", "p = unihub.resolve(h)"),
    ("m = hub.Module(hub.load_module_spec(p))", "m = unihub.Module(unihub.resolve(p))"),
    (
        "s = hub.load_module_spec(p)\nm = hub.Module(s)\nn = hub.Module(spec=s)",
        "s = unihub.resolve(p)\nm = unihub.Module(s)\nn = unihub.Module(spec=s)",
    ),
    (
        "def f():\n    hub.add_signature(inputs=x, outputs=y)\nhub.create_module_spec(f).export(p, checkpoint_path=c)",
        'def f():\n    unihub.add_signature(inputs=x, outputs=y)\nunihub.save(f, p, format="tf1-hub", checkpoint=c)',
    ),
    (
        "def f(a):\n    hub.attach_message('k', m)\n# A spec.\ns = hub.create_module_spec(f, [(set(), {'a': 1})])\n\ns.export(p, checkpoint_path=(c))",
        "def f(a):\n    unihub.attach_message('k', m)\n# A spec.\n\n"
        "unihub.save(f, p, format=\"tf1-hub\", variants=[(set(), {'a': 1})], checkpoint=(c))",
    ),
    # Other places than the top level.
    (
        "class A:\n    def f(self):\n        return [hub.KerasLayer(h) for h in hs]",
        "class A:\n    def f(self):\n        return [unihub.KerasLayer(h) for h in hs]",
    ),
    ("f = lambda h: hub.load(h)", 'f = lambda h: unihub.load(h, api="load")'),
    ("def f(hub):\n    return hub.load(h)\nhub.resolve(h)", "def f(hub):\n    return hub.load(h)\nunihub.resolve(h)"),
    ("@decorate(hub.resolve(h))\ndef f(): pass", "@decorate(unihub.resolve(h))\ndef f(): pass"),
]


@pytest.mark.parametrize("before, after", LINES, ids=[line for line, _ in LINES])
def test_is_rewritten(before, after):
    assert migrate(HUB + before + "\n") == (OWN + after + "\n", [])


# What is left, of which nothing is rewritten but what is shown.
LEFT = [
    ("class A(hub.KerasLayer): pass", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("isinstance(x, hub.KerasLayer)", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("isinstance(x, (A, hub.Module))", "hub.Module", reasons.CLASS.format("Module")),
    ("type(x) is hub.KerasLayer", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("hub.KerasLayer.from_config(c)", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("table[hub.KerasLayer] = 1", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("{hub.KerasLayer: 1}", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("K = hub.KerasLayer\nclass A(K): pass", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("mock.patch.object(hub.KerasLayer, 'call')", "hub.KerasLayer", reasons.CLASS.format("KerasLayer")),
    ("f(layer=hub.KerasLayer)\no.minimize(loss)", "hub.KerasLayer", reasons.COLLECTIONS),
    ("k = f(layer=hub.KerasLayer)\nk.resolved_object", "hub.KerasLayer", reasons.ATTRIBUTES),
    ("load(p, custom_objects={'KerasLayer': hub.KerasLayer})", "hub.KerasLayer", reasons.CUSTOM_OBJECTS),
    ("custom_objects = dict(Hub=hub.KerasLayer)", "hub.KerasLayer", reasons.CUSTOM_OBJECTS),
    ("with CustomObjectScope({'Hub': hub.KerasLayer}): pass", "hub.KerasLayer", reasons.CUSTOM_OBJECTS),
    ("def f(m: hub.Module): pass", "hub.Module", reasons.ANNOTATION.format("Module")),
    ("def f() -> 'hub.KerasLayer': pass", "'hub.KerasLayer'", reasons.ANNOTATION.format("KerasLayer")),
    ("hub.Module(h, tags={'train'})", "hub.Module", reasons.TRAIN_TAG),
    ("hub.Module(h, False, 'm', ['train'])", "hub.Module", reasons.TRAIN_TAG),
    ("hub.Module(h, tags=tags)", "hub.Module", reasons.UNKNOWN_TAGS),
    ("hub.KerasLayer(h, tags=['train'])", "hub.KerasLayer", reasons.TRAIN_TAG),
    ("hub.load(h, tags=['train'])", "hub.load", reasons.TRAIN_TAG),
    ("hub.load(h, tags)", "hub.load", reasons.UNKNOWN_TAGS),
    ("hub.load(*args)", "hub.load", reasons.STARRED),
    ("hub.load()", "hub.load", reasons.NO_HANDLE),
    ("f'{hub.load(h)}'", "hub.load", reasons.IN_FORMAT_STRING),
    ("list(map(hub.load, handles))", "hub.load", reasons.NOT_CALLED),
    ("f = functools.partial(hub.load, tags=t)", "hub.load", reasons.NOT_CALLED),
    ("def f():\n    return hub.load(h)\nf().trainable_variables", "hub.load", reasons.TRAINED_ELSEWHERE),
    ("m = [hub.load(h)]\nm[0](x, training=True)", "hub.load", reasons.TRAINED_ELSEWHERE),
    ("m = hub.load(h)\nm(x)\nm = Sequential()\nm(x, training=True)", "hub.load", reasons.UNCLEAR),
    ("if a:\n    m = hub.load(h)\nelse:\n    m = hub.load(i)\nm(x, y)", "hub.load", reasons.UNCLEAR),
    ("self.m = hub.load(h)\nother.m.trainable_variables", "hub.load", reasons.UNCLEAR),
    ("self.m = None\nself.m = hub.load(h)\nself.m(x, y)", "hub.load", reasons.UNCLEAR),
    ("self.m = hub.load(h)\ntf.saved_model.save(self, p)", "hub.load", reasons.TRACKED),
    ("s = hub.load_module_spec(p)\ns.get_signature_names()", "hub.load_module_spec", reasons.SPEC_IS_ASKED),
    ("s = hub.load_module_spec(p)\ns = f(s)", "hub.load_module_spec", reasons.SPEC_IS_ASKED),
    ("s = hub.create_module_spec(f)", "hub.create_module_spec", reasons.CREATE),
    (
        "def f(): pass\ns = hub.create_module_spec(f)\ns.export(p, checkpoint_path=c, name_transform_fn=g)",
        "hub.create_module_spec",
        reasons.CREATE,
    ),
    (
        "def f(): pass\ns = hub.create_module_spec(f, g())\ns.export(p, checkpoint_path=c)",
        "hub.create_module_spec",
        reasons.CREATE,
    ),
    ("def f(): pass\ns = hub.create_module_spec(f)\nif a:\n    h = s", "hub.create_module_spec", reasons.CREATE),
    ("hub.add_signature(inputs=x)", "hub.add_signature", reasons.BUILT_ELSEWHERE.format("add_signature")),
    (
        "hub.eval_function_for_module(s)",
        "hub.eval_function_for_module",
        reasons.NO_COUNTERPART["eval_function_for_module"],
    ),
    (
        "c = hub.text_embedding_column('k', h)",
        "hub.text_embedding_column",
        reasons.NO_COUNTERPART["text_embedding_column"],
    ),
    ("print(hub.__version__)", "hub.__version__", reasons.NO_COUNTERPART["__version__"]),
    ("hub.something_new(1)", "hub.something_new", reasons.OTHER_MEMBER),
    ("getattr(hub, 'load')(h)", "hub", reasons.WHOLE_MODULE),
    ("mine = hub", "hub", reasons.WHOLE_MODULE),
    ("hub.load = fake", "hub.load", reasons.REPLACED),
    ("del hub.load", "hub.load", reasons.REPLACED),
    ("m = 'tensorflow_hub'", "'tensorflow_hub'", reasons.STRING),
    ("unihub = 1\nhub.resolve(h)", "hub.resolve", reasons.NAME_TAKEN),
    ("hub = 1\nhub.resolve(h)", "hub", reasons.AMBIGUOUS),
]


@pytest.mark.parametrize("text, name, reason", LEFT, ids=[text for text, _, _ in LEFT])
def test_is_left(text, name, reason):
    found, left = migrate(HUB + text + "\n")
    assert found == HUB + text + "\n"
    # The whole module is reported by what is asked of it.
    shown = {"hub = 1\nhub.resolve(h)": "hub.resolve"}.get(text, name)
    # Where a string alone names it, its import is reported, too.
    others = {("import tensorflow_hub", reasons.UNUSED)} if reason == reasons.STRING else set()
    assert set(left) == {(shown, reason)} | others


def test_no_reason_without_a_test():
    tested = {reason for _, _, reason in LEFT} | {
        reasons.STAR,
        reasons.EXPORTED,
        reasons.UNUSED,
        reasons.OPAQUE,
        reasons.SUBMODULE,
    }
    known = {
        value for name, value in vars(reasons).items() if name.isupper() and isinstance(value, str) and name[0] != "_"
    }
    untested = {reason for reason in known if not any(each.startswith(reason.partition("{")[0]) for each in tested)}
    assert untested == {reasons.UNREADABLE}  # test_what_cannot_be_read_is_left


# Imports, with what they become.
IMPORTS = [
    ("import tensorflow_hub\ntensorflow_hub.resolve(h)\n", "import unihub\nunihub.resolve(h)\n"),
    ("import tensorflow_hub as thub\nthub.resolve(h)\n", "import unihub\nunihub.resolve(h)\n"),
    ("import os, tensorflow_hub as hub, sys\nhub.resolve(h)\n", "import os, unihub, sys\nunihub.resolve(h)\n"),
    (
        "import tensorflow_hub as hub  # noqa: E402\nhub.resolve(h)\n",
        "import unihub  # noqa: E402\nunihub.resolve(h)\n",
    ),
    ("import tensorflow_hub as hub; hub.resolve(h)", "import unihub; unihub.resolve(h)"),
    ("from tensorflow_hub import KerasLayer\nKerasLayer(h)\n", "import unihub\nunihub.KerasLayer(h)\n"),
    (
        "from tensorflow_hub import KerasLayer as K, load\n[K(h), load(h)]\n",
        'import unihub\n[unihub.KerasLayer(h), unihub.load(h, api="load")]\n',
    ),
    (
        "from tensorflow_hub import (\n    load,\n    resolve,\n)\nresolve(load)\n",
        "from tensorflow_hub import (\n    load,\n)\nimport unihub\nunihub.resolve(load)\n",
    ),
    (
        "from tensorflow_hub import resolve, __version__\nresolve(__version__)\n",
        "from tensorflow_hub import __version__\nimport unihub\nunihub.resolve(__version__)\n",
    ),
    (
        "import tensorflow_hub as hub\nhub.resolve(hub.__version__)\n",
        "import tensorflow_hub as hub\nimport unihub\nunihub.resolve(hub.__version__)\n",
    ),
    (
        "def f():\n    import tensorflow_hub as hub\n    return hub.resolve(hub)",
        "def f():\n    import tensorflow_hub as hub\n    import unihub\n    return unihub.resolve(hub)",
    ),
    (
        "def f():\n    import tensorflow_hub as hub\n    return hub.resolve(h)\n",
        "def f():\n    import unihub\n    return unihub.resolve(h)\n",
    ),
    (
        "try: import tensorflow_hub as hub\nexcept ImportError: raise\nhub.resolve(hub.a)\n",
        "try: import tensorflow_hub as hub; import unihub\nexcept ImportError: raise\nunihub.resolve(hub.a)\n",
    ),
    (
        "try:\n    import tensorflow_hub as hub\nexcept ImportError:\n    raise\nhub.resolve(h)\n",
        "try:\n    import unihub\nexcept ImportError:\n    raise\nunihub.resolve(h)\n",
    ),
    (
        "if a:\n    import tensorflow_hub as hub\nelse:\n    import tensorflow_hub as hub\nhub.resolve(h)\n",
        "if a:\n    import unihub\nelse:\n    import unihub\nunihub.resolve(h)\n",
    ),
    (
        "import tensorflow_hub as hub\nfrom tensorflow_hub import load\nhub.resolve(load(h))\n",
        'import unihub\nunihub.resolve(unihub.load(h, api="load"))\n',
    ),
    ("import unihub\nimport tensorflow_hub as hub\nhub.resolve(h)\n", "import unihub\nunihub.resolve(h)\n"),
    ("import tensorflow_hub as hub\nimport unihub\nhub.resolve(h)\n", "import unihub\nunihub.resolve(h)\n"),
    (
        "import tensorflow_hub as hub\nimport unihub\nhub.resolve(hub)\n",
        "import tensorflow_hub as hub\nimport unihub\nunihub.resolve(hub)\n",
    ),
    ("import unihub as u\nimport tensorflow_hub as hub\nhub.resolve(h)\n", "import unihub as u\nu.resolve(h)\n"),
    (
        "import unihub\ndef f():\n    import tensorflow_hub as hub\n    hub.resolve(h)\n",
        "import unihub\ndef f():\n    import unihub\n    unihub.resolve(h)\n",
    ),
    (
        '"""Doc."""\nfrom __future__ import annotations\nimport tensorflow_hub as hub\n\nhub.resolve(h)\n',
        '"""Doc."""\nfrom __future__ import annotations\nimport unihub\n\nunihub.resolve(h)\n',
    ),
    (
        "import tensorflow_hub as hub\r\nhub.resolve(hub)\r\n",
        "import tensorflow_hub as hub\r\nimport unihub\r\nunihub.resolve(hub)\r\n",
    ),
]


@pytest.mark.parametrize("before, after", IMPORTS, ids=[before for before, _ in IMPORTS])
def test_imports_follow(before, after):
    assert migrate(before)[0] == after
    compile(after, "after", "exec")


@pytest.mark.parametrize(
    "text, name, reason",
    [
        ("from tensorflow_hub import *\nload(h)\n", "from tensorflow_hub import *", reasons.STAR),
        (HUB + "__all__ = ['hub']\nhub.resolve(h)\n", "import tensorflow_hub", reasons.EXPORTED),
        (HUB, "import tensorflow_hub", reasons.UNUSED),
        ("from tensorflow_hub import KerasLayer\n", "from tensorflow_hub import KerasLayer", reasons.UNUSED),
        (
            "from tensorflow_hub.keras_layer import KerasLayer\n",
            "from tensorflow_hub.keras_layer import KerasLayer",
            reasons.SUBMODULE,
        ),
        ("import tensorflow_hub.tools\n", "import tensorflow_hub.tools", reasons.SUBMODULE),
    ],
)
def test_imports_that_stay_are_told(text, name, reason):
    found, left = migrate(text)
    assert (name, reason) in left
    assert text.splitlines()[0] in found


def test_a_global_name_is_not_followed():
    text = "def f():\n    global hub\n    import tensorflow_hub as hub\n    hub.resolve(h)\n"
    assert migrate(text) == (text, [("hub.resolve", reasons.AMBIGUOUS)])


def test_an_import_that_may_fail_is_not_followed():
    text = "try:\n    import tensorflow_hub as hub\nexcept ImportError:\n    hub = None\nhub and hub.resolve(h)\n"
    assert {reason for _, reason in migrate(text)[1]} == {reasons.AMBIGUOUS}


def test_what_is_patched_by_name_is_left():
    text = HUB + "mock.patch('tensorflow_hub.load')\nhub.load(h)\nhub.resolve(h)\n"
    found, left = migrate(text)
    assert found == BOTH + "mock.patch('tensorflow_hub.load')\nhub.load(h)\nunihub.resolve(h)\n"
    assert ("hub.load", reasons.REPLACED) in left


def test_findings_tell_the_place():
    text = HUB + "x = 1\nif x:\n    y = hub.load(*a)\n"
    (finding,) = migrate_text(text).findings
    assert (finding.line, finding.column, finding.cell) == (4, 9, None)


def test_without_tensorflow_hub_nothing_is_parsed():
    assert migrate_text("print 'this is no Python 3'").findings == ()


@pytest.mark.parametrize(
    "text",
    ["print 'x'\n", "x = (\n", "def f(:\n", "a\0b\n", "x = " + "not " * 1500 + "1\n", "x = " + "1+" * 1500 + "1\n"],
    ids=range(6),
)
def test_what_cannot_be_parsed_is_a_syntax_error(text):
    with pytest.raises(SyntaxError):
        migrate_text(HUB + text)


def test_many_parentheses():
    """The native parser would end the process on a stack of the usual size."""
    deep = "x = {}1{}\n".format("(" * 4000, ")" * 4000)
    assert migrate(HUB + "hub.resolve(h)\n" + deep) == (OWN + "unihub.resolve(h)\n" + deep, [])


def test_a_program_that_is_parsed_with_loss_is_left():
    """libcst 1.0, the last for Python 3.7, loses a form feed; 1.1 keeps it."""
    text = HUB + "hub.resolve(h)\n\x0c\n# end"
    if Version(installed_version("libcst")) < Version("1.1"):
        with pytest.raises(SyntaxError, match="without loss"):
            migrate(text)
    else:
        assert migrate(text)[0] == OWN + "unihub.resolve(h)\n\x0c\n# end"


def comments(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


class _Renamed(ast.NodeTransformer):
    """What the rewriting of a program without decisions is: names, and one keyword."""

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and ast.dump(node.func).count("'hub'") and node.func.attr == "load":
            node.keywords.append(
                ast.keyword("api", ast.Str("load") if sys.version_info < (3, 8) else ast.Constant("load"))
            )
        return node


def normal(text):
    tree = _Renamed().visit(ast.parse(text)) if "tensorflow_hub" in text else ast.parse(text)
    return (
        ast.dump(tree)
        .replace("alias(name='tensorflow_hub', asname='hub')", "IMPORT")
        .replace("alias(name='unihub', asname=None)", "IMPORT")
        .replace("alias(name='unihub')", "IMPORT")
        .replace("'unihub'", "'hub'")
    )


@pytest.mark.parametrize("seed", also_slow(range(150), 30))
def test_random_programs(seed):
    """Any formatting of any nest of calls stays as it is, and the program means the same but for the names."""
    rng = random.Random(seed)

    def gap():
        return rng.choice(["", "", " ", "  ", "\n    ", "  # note {}\n      ".format(rng.randrange(99)), "\\\n"])

    def inside(text):
        # Within parentheses any line may break; a backslash may not stand before a comment.
        return "".join(gap() if piece == "~" else piece for piece in re.split("(~)", text)).replace("\\\n\\\n", "\\\n")

    def expression(depth):
        if depth == 0:
            return rng.choice(["h", "'text # no comment'", "(1, 2)", "path['x']", "b'hub.load'"])
        inner = expression(depth - 1)
        return rng.choice(
            [
                "hub.load(~" + inner + "~)",
                "hub.KerasLayer(~" + inner + "~,~ trainable=True~)",
                "hub.Module(~" + inner + "~, True~,~)(~x~)",
                "hub.resolve(~" + inner + "~)",
                "f(~lambda a: " + inner + "~)",
                "[~" + inner + "~ for i in (~" + expression(depth - 1) + "~)]",
                "{~'k': " + inner + "~}",
                "hub.load(~" + inner + "~).signatures['s'](~x~)",
            ]
        )

    newline = rng.choice(["\n", "\r\n"])
    lines = ['"""Docs of hub.load."""', "import tensorflow_hub as hub  # the hub"]
    for _ in range(rng.randrange(1, 6)):
        statement = inside("y = (~" + expression(rng.randrange(1, 4)) + "~)")
        lines.append(
            rng.choice(
                ["{}", "def f():\n    {}", "if a:\n  {}  # end", "class A:\n\tx = 1;\t{}", "# before\n{}"]
            ).format(statement)
        )
    text = newline.join("\n".join(lines + [""]).split("\n"))
    try:
        compile(text, "text", "exec")
    except SyntaxError:
        pytest.skip("no program")
    if "hub." not in normal(text) and "'hub'" not in normal(text):
        pytest.skip("nothing is used")
    migration = migrate_text(text)
    if migration.findings:
        assert {finding.reason for finding in migration.findings} <= {reasons.UNUSED}
        return
    assert "tensorflow_hub" not in migration.text
    # What hub.KerasLayer is given.
    plain = migration.text.replace(".native", "")
    assert normal(plain) == normal(text)
    assert comments(migration.text.replace("\r\n", "\n")) == comments(text.replace("\r\n", "\n"))
    undone = re.sub(r", (api=\"load\")", "", plain).replace("unihub.", "hub.")
    assert undone.replace("import unihub", "import tensorflow_hub as hub") == text
    assert migrate_text(migration.text).text == migration.text


def test_edits_must_not_overlap():
    assert apply_edits("abc", [Edit(1, 2, "x"), Edit(2, 2, "y"), Edit(2, 2, "z")]) == "axyzc"
    with pytest.raises(ValueError):
        apply_edits("abc", [Edit(0, 2, "x"), Edit(1, 3, "y")])


class TestNotebooks:
    def notebook(self, *cells, **metadata):
        return {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": 1,
                    "metadata": {},
                    "outputs": [{"text": ["hub.load\n"]}],
                    "source": cell,
                }
                for cell in cells
            ],
            "metadata": metadata,
            "nbformat": 4,
            "nbformat_minor": 5,
        }

    def migrate(self, tmp_path, source, **options):
        path = tmp_path / "book.ipynb"
        text = source if isinstance(source, str) else json.dumps(source, **dict({"indent": 1}, **options)) + "\n"
        path.write_bytes(text.encode("utf-8"))
        migration = migrate_file(str(path))
        path.write_bytes(migration.after)
        again = migrate_file(str(path))
        assert not again.is_changed and len(again.findings) == len(migration.findings)
        return text, migration

    def cells(self, migration):
        return ["".join(cell["source"]) for cell in json.loads(migration.after.decode("utf-8"))["cells"]]

    def test_state_goes_on_across_cells(self, tmp_path):
        book = self.notebook(["import tensorflow_hub as hub"], ["m = hub.load(h)\n"], ["m.trainable_variables"])
        _, migration = self.migrate(tmp_path, book)
        assert self.cells(migration) == [
            "import unihub",
            'm = unihub.load(h, trainable=True, api="load")\n',
            "m.trainable_variables",
        ]
        assert migration.replaced == 1 and migration.findings == ()

    @pytest.mark.parametrize(
        "options",
        [
            {"indent": 1},
            {"indent": 4},
            {"indent": None},
            {"indent": 2, "ensure_ascii": False},
            {"indent": 1, "sort_keys": True},
            {"indent": None, "separators": (",", ":")},
        ],
    )
    def test_all_else_stays(self, tmp_path, options):
        lines = [
            "import tensorflow_hub as hub  # \u00e9\n",
            "'\U0001f600\u2028\t\"'; hub.resolve('\U0001f600', hub)\n",
            "x = '\\\\ \\n'",
        ]
        text, migration = self.migrate(tmp_path, self.notebook(lines), **options)
        new = [
            "import tensorflow_hub as hub  # \u00e9\n",
            "import unihub\n",
            lines[1].replace("hub.resolve", "unihub.resolve"),
            lines[2],
        ]
        assert migration.after.decode("utf-8") == json.dumps(self.notebook(new), **options) + "\n"

    def test_escapes_stay_as_they_are_written(self, tmp_path):
        text = json.dumps(self.notebook("SOURCE"))
        source = r"import tensorflow_hub as hub\u000ax = \"\u003c\/\ud83d\ude00\" + hub.resolve(h)"
        _, migration = self.migrate(tmp_path, text.replace("SOURCE", source))
        assert migration.after.decode("utf-8") == text.replace(
            "SOURCE", source.replace("tensorflow_hub as hub", "unihub").replace("hub.resolve", "unihub.resolve")
        )

    def test_a_source_that_is_one_string_stays_one(self, tmp_path):
        _, migration = self.migrate(tmp_path, self.notebook(HUB + "hub.resolve(hub)"))
        (cell,) = json.loads(migration.after.decode("utf-8"))["cells"]
        assert cell["source"] == BOTH + "unihub.resolve(hub)"

    @pytest.mark.parametrize(
        "line, new",
        [
            ("%matplotlib inline\nhub.resolve(h)", "%matplotlib inline\nunihub.resolve(h)"),
            (
                "!pip install tensorflow_hub \\\n    wheel\nhub.resolve(h)",
                "!pip install tensorflow_hub \\\n    wheel\nunihub.resolve(h)",
            ),
            ("if a:\n    !ls\nhub.resolve(h)", "if a:\n    !ls\nunihub.resolve(h)"),
            ("%time m = hub.load(h)", '%time m = unihub.load(h, api="load")'),
            ("%timeit hub.resolve(h)", "%timeit unihub.resolve(h)"),
            ("%%time\nhub.resolve(h)", "%%time\nunihub.resolve(h)"),
            ("files = !ls\nhub.resolve(h)", "files = !ls\nunihub.resolve(h)"),
            ("x?\nhub.resolve(h)", "x?\nunihub.resolve(h)"),
            ("y = (1\n  % x)\nhub.resolve(h)", "y = (1\n  % x)\nunihub.resolve(h)"),
            ("y = '''\n%x\n!y'''\nhub.resolve(h)", "y = '''\n%x\n!y'''\nunihub.resolve(h)"),
            ("await hub.resolve(h)", "await unihub.resolve(h)"),
        ],
    )
    def test_magics(self, tmp_path, line, new):
        _, migration = self.migrate(tmp_path, self.notebook(HUB.splitlines(), line.splitlines(keepends=True)))
        assert self.cells(migration) == ["import unihub", new]
        assert migration.findings == ()

    @pytest.mark.parametrize(
        "line",
        [
            "hub.load?",
            "%timeit -n 3 hub.load(h)",
            "x = %mine hub.load(h)",
            "%%writefile a.py\nhub.load(h)",
            "hub.load(h) +",
        ],
    )
    def test_what_is_no_python_keeps_the_import(self, tmp_path, line):
        _, migration = self.migrate(tmp_path, self.notebook([HUB], ["hub.resolve(h)"], ["\n" + line]))
        assert self.cells(migration) == [BOTH, "unihub.resolve(h)", "\n" + line]
        (finding,) = migration.findings
        assert (finding.cell, finding.reason) == (3, reasons.OPAQUE)
        assert finding.line == 2 + line.count("\n")

    def test_a_program_in_a_cell_is_told(self, tmp_path):
        _, migration = self.migrate(tmp_path, self.notebook(["%%writefile a.py\n", HUB]))
        assert not migration.is_changed
        assert [(finding.line, finding.reason) for finding in migration.findings] == [(2, reasons.OPAQUE)]

    def test_places_are_those_of_the_cell(self, tmp_path):
        book = self.notebook([HUB, "\n"], [], ["x = 1\n", "  \n", "y = hub.text_embedding_column"])
        _, migration = self.migrate(tmp_path, book)
        (finding,) = migration.findings
        assert (finding.cell, finding.line, finding.column) == (3, 3, 5)

    def test_other_languages_are_left(self, tmp_path):
        _, migration = self.migrate(tmp_path, self.notebook([HUB + "hub.resolve(h)"], language_info={"name": "julia"}))
        assert not migration.is_changed

    def test_no_json(self, tmp_path):
        _, migration = self.migrate(tmp_path, "{'tensorflow_hub'")
        assert "it is no notebook" in migration.findings[0].reason


class TestFiles:
    @pytest.mark.parametrize(
        "encoding, header",
        [
            ("utf-8", b""),
            ("utf-8", b"\xef\xbb\xbf"),
            ("latin-1", b"# -*- coding: latin-1 -*-\n"),
            ("cp1251", b"#!/usr/bin/python\n# vim: set fileencoding=cp1251 :\n"),
        ],
    )
    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_encodings_and_line_ends_stay(self, tmp_path, encoding, header, newline):
        self.check(tmp_path, encoding, header.replace(b"\n", newline.encode()), newline)

    def test_line_ends_of_old_stay(self, tmp_path):
        """In such a file Python finds no declaration of its encoding."""
        self.check(tmp_path, "utf-8", b"", "\r")

    def check(self, tmp_path, encoding, header, newline):
        word = "\u044f" if encoding == "cp1251" else "\u00e9"
        lines = ["import tensorflow_hub as hub", "x = '{}'; hub.resolve(hub)".format(word), "# end"]
        path = tmp_path / "program.py"
        path.write_bytes(header + newline.join(lines).encode(encoding))
        lines[1:2] = ["import unihub", lines[1].replace("hub.resolve", "unihub.resolve")]
        assert migrate_file(str(path)).after == header + newline.join(lines).encode(encoding)

    @pytest.mark.parametrize("data", [b"print 'x'", b"# coding: nonesuch", b"x = '\xff'", b"x = ("])
    def test_what_cannot_be_read_is_left(self, tmp_path, data):
        path = tmp_path / "program.py"
        path.write_bytes(data + b"\nimport tensorflow_hub")
        migration = migrate_file(str(path))
        (finding,) = migration.findings
        assert not migration.is_changed
        assert finding.reason.startswith(reasons.UNREADABLE.partition("{")[0])

    def test_the_place_of_a_syntax_error(self, tmp_path):
        path = tmp_path / "program.py"
        path.write_text(HUB + "print 'x'\n")
        (finding,) = migrate_file(str(path)).findings
        assert (finding.line, finding.column) == (2, 1)

    def test_a_directory_is_walked(self, tmp_path):
        for name in (
            "b.py",
            "a.ipynb",
            "c.txt",
            "d/e.py",
            ".git/f.py",
            "env/pyvenv.cfg",
            "env/g.py",
            "d/__pycache__/h.py",
            ".i.py",
        ):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
        found = [os.path.relpath(path, str(tmp_path)) for path in find_programs(str(tmp_path))]
        assert found == ["a.ipynb", "b.py", os.path.join("d", "e.py")]

    def test_writing_keeps_permissions_and_links(self, tmp_path):
        path, link = tmp_path / "program.py", tmp_path / "link.py"
        path.write_text(HUB + "hub.resolve(h)\n")
        path.chmod(0o750)
        link.symlink_to(path)
        migrate_file(str(link)).write()
        assert path.read_text() == OWN + "unihub.resolve(h)\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o750
        assert link.is_symlink()
        assert sorted(os.listdir(str(tmp_path))) == ["link.py", "program.py"]

    def test_writing_that_fails_leaves_the_file(self, tmp_path, monkeypatch):
        path = tmp_path / "program.py"
        path.write_text(HUB + "hub.resolve(h)\n")
        migration = migrate_file(str(path))
        monkeypatch.setattr(os, "replace", lambda *paths: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migration.write()
        assert path.read_text() == HUB + "hub.resolve(h)\n"
        assert os.listdir(str(tmp_path)) == ["program.py"]

    def test_the_diff_can_be_applied(self, tmp_path):
        path = tmp_path / "program.py"
        path.write_bytes((HUB + "x = '\x0c\u2028'\nhub.resolve(h)").encode("utf-8"))
        diff = migrate_file(str(path)).diff()
        assert diff.count("\\ No newline at end of file\n") == 2
        assert [line for line in diff.splitlines() if line.startswith(("-i", "+i", "-h", "+u"))] == [
            "-import tensorflow_hub as hub",
            "+import unihub",
            "-hub.resolve(h)",
            "+unihub.resolve(h)",
        ]


class TestCommand:
    @pytest.fixture
    def program(self, tmp_path):
        path = tmp_path / "program.py"
        path.write_text(HUB + "layer = hub.KerasLayer(h)\n")
        return path

    def test_shows_a_diff(self, program, capsys):
        assert cli.main(["migrate", str(program)]) == 0
        out, err = capsys.readouterr()
        assert "-layer = hub.KerasLayer(h)\n" in out and "+layer = unihub.KerasLayer(h)\n" in out
        assert err == "1 use in 1 file would be replaced (--write does it); nothing is left; 1 file looked at\n"
        assert program.read_text() == HUB + "layer = hub.KerasLayer(h)\n"

    def test_writes(self, program, capsys):
        assert cli.main(["migrate", "--write", str(program.parent)]) == 0
        assert program.read_text() == OWN + "layer = unihub.KerasLayer(h)\n"
        assert capsys.readouterr() == ("", "1 use in 1 file replaced; nothing is left; 1 file looked at\n")
        assert cli.main(["migrate", "--write", str(program.parent)]) == 0
        assert capsys.readouterr().err == "0 uses in 0 files replaced; nothing is left; 1 file looked at\n"

    def test_tells_what_is_left(self, program, capsys):
        program.write_text(HUB + "hub.KerasLayer(h)\nhub.load(*a)\n")
        assert cli.main(["migrate", str(program), "--write"]) == 9
        first, last = capsys.readouterr().err.splitlines()
        assert first == "{}:3:1: hub.load: {}".format(program, reasons.STARRED)
        assert last == "1 use in 1 file replaced; 1 left alone, listed above; 1 file looked at"

    def test_json(self, program, capsys):
        program.write_text(HUB + "hub.KerasLayer(h)\nhub.load(*a)\n")
        assert cli.main(["migrate", str(program), "--json"]) == 9
        left = {"cell": None, "line": 3, "column": 1, "name": "hub.load", "reason": reasons.STARRED}
        assert json.loads(capsys.readouterr().out) == {
            "written": False, "looked_at": 1, "changed": 1, "replaced": 1, "left": 1,
            "files": [{"path": str(program), "changed": True, "replaced": 1, "left": [left]}],
        }  # fmt: skip

    def test_wrong_arguments(self, capsys):
        with pytest.raises(SystemExit) as caught:
            cli.main(["migrate", "/nonesuch"])
        assert caught.value.code == 2
        assert "there is no /nonesuch" in capsys.readouterr().err

    def test_without_libcst(self, program, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "libcst", None)
        with pytest.raises(errors.RuntimeUnavailableError, match="unihub\\[migrate\\]"):
            packages.import_libcst()
        assert cli.main(["migrate", str(program)]) == 8
        assert "pip install 'unihub[migrate]'" in capsys.readouterr().err

    def test_as_a_module(self, program):
        command = [sys.executable, "-m", "unihub", "migrate", str(program)]
        found = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, text=True)
        assert found.returncode == 0
        assert "+import unihub" in found.stdout


def test_the_readme_has_what_is_replaced():
    """Each call in the README's table is one that migrate knows."""
    readme = str(ROOT / "README.md")
    with open(readme, encoding="utf-8") as file:
        section = file.read().split("## Replacing upstream calls")[1].split("\n## ")[0]
    for member in sorted(set(re.findall(r"`hub\.(\w+)", section))):
        findings = migrate_text(HUB + "hub.{}(h)\n".format(member)).findings
        assert not findings or findings[0].reason != reasons.OTHER_MEMBER, member


def test_texts_of_reasons():
    for name, value in vars(reasons).items():
        for text in value.values() if isinstance(value, dict) else [value]:
            if name[0] != "_" and isinstance(text, str) and name.isupper():
                assert text == textwrap.dedent(text).strip() and text.endswith(".")
