"""The rules of the layout, checked on syntax trees.

Each rule takes the directory of a package and yields a ``Violation`` for every place that breaks it. The rules read
files only, so a test can run them on a made-up package.

Not seen: attributes whose names are computed, and targets that are data, such as the strings of ``_plan/matrix.py``
("unihub._strategies.hub_load:HubLoad"), by which a lower floor names what a higher one imports later.
"""

from __future__ import annotations

import ast
import functools
import os
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

PACKAGE = "unihub"

# From the lowest to the highest. Imports run downward; within a floor they run in one direction between two folders.
# "unihub" is the package's own __init__.py, which gives what ``_api`` has.
FLOORS = (
    ("_tf", "_types", "errors", "_version"),
    ("_saved_model",),
    ("_resolve", "_audit"),
    ("_plan",),
    ("_graph", "_call", "_partial"),
    ("_strategies",),
    ("_save", "_convert"),
    ("_api",),
    (PACKAGE,),
    ("hub", "_cli", "integrations"),
)
# Folders beside the house: what they may import, and the lowest floor that may import them.
INDEPENDENT = {"_migrate": ("_tf", "_types", "errors", "_version")}
LINES = 500

_FLOOR_OF = {folder: number for number, folders in enumerate(FLOORS) for folder in folders}
_TOP = len(FLOORS) - 1

# Public despite their names: the methods of named tuples, and what Python's own documentation describes.
_PUBLIC = frozenset(["_make", "_asdict", "_replace", "_fields", "_field_defaults", "_getframe", "_exit"])
_REFLECTION = frozenset(["getattr", "hasattr", "setattr", "delattr"])
_PRIVATE_PARTS = {"tensorflow": "python", "keras": "src", "tf_keras": "src"}

_VERSIONED = frozenset(["tensorflow", "tensorflow_hub", "keras", "tf_keras"])
_MODULE_NAMES = _VERSIONED | {"tf", "v1", "hub"}
_VERSION_CALLS = frozenset(["tensorflow_before", "keras_before", "hub_before", "Version"])
_IMPORT_CALLS = frozenset(["import_module", "import_if_installed", "import_tensorflow", "import_tensorflow_hub"])
_IMPORT_ERRORS = frozenset(["ImportError", "ModuleNotFoundError"])


class Violation(NamedTuple):
    """One place that breaks a rule.

    Attributes:
        file: The path below the package, with slashes.
        line: The line number; 0 for the whole file or a whole folder.
        what: What is wrong there, without line numbers, so that it can be listed.
    """

    file: str
    line: int
    what: str

    @property
    def key(self) -> str:
        """What lists name it by."""
        return "{}: {}".format(self.file, self.what)

    def __str__(self) -> str:
        return "{}:{}: {}".format(self.file, self.line, self.what)


class _File(NamedTuple):
    path: str
    text: str
    tree: ast.Module

    @property
    def folder(self) -> str:
        """The folder or module of the package that the file belongs to."""
        name = self.path.split("/")[0]
        if name == "__main__.py":
            return "_cli"
        return PACKAGE if name == "__init__.py" else os.path.splitext(name)[0]


def files(package: str) -> Iterator[_File]:
    """Every Python file of a package."""
    for directory, _, names in sorted(os.walk(package)):
        for name in sorted(names):
            if name.endswith(".py"):
                path = os.path.join(directory, name)
                with open(path, encoding="utf-8") as opened:
                    text = opened.read()
                yield _File(os.path.relpath(path, package).replace(os.sep, "/"), text, _parse(text))


def upward_imports(package: str) -> Iterator[Violation]:
    """Imports of a higher floor, also those inside functions; imports for type checkers only are free.

    The ``from_config`` of a Keras layer may import ``_api``: the layer loads its model again.
    """
    for file in files(package):
        for line, target in _own_imports(file, package):
            if not _may_import(file.folder, target):
                yield Violation(file.path, line, "imports {} upward".format(target))


def circles(package: str) -> Iterator[Violation]:
    """Folders of one floor that import each other; through another floor an import would run upward."""
    graph: Dict[str, Set[str]] = {}
    for file in files(package):
        targets = {target for _, target in _own_imports(file, package) if _may_import(file.folder, target)}
        graph.setdefault(file.folder, set()).update(targets - {file.folder})
    reached = {folder: _reach(graph, folder) for folder in graph}
    for folder in sorted(graph):
        circle = sorted(other for other in reached[folder] if folder in reached.get(other, ()))
        if circle and folder == circle[0]:
            yield Violation(folder, 0, "is in a circle of imports: {}".format(", ".join(circle)))


def long_files(package: str) -> Iterator[Violation]:
    """Files of more than 500 lines."""
    for file in files(package):
        if len(file.text.splitlines()) > LINES:
            yield Violation(file.path, 0, "has more than {} lines".format(LINES))


def private_names(package: str) -> Iterator[Violation]:
    """Private modules, names and attributes of other packages outside ``_tf/``.

    ruff (SLF001) sees ``other._name``. This also sees names that are passed to ``getattr`` and its like, and imports.
    """
    for file in files(package):
        if file.folder == "_tf":
            continue
        own = _own_names(file.tree)
        for node in ast.walk(file.tree):
            for name in _foreign_imports(node):
                if _is_private_path(name):
                    yield Violation(file.path, node.lineno, "imports the private {}".format(name))
            attribute = _attribute(node, file.tree)
            if attribute is not None and _is_private(attribute) and attribute not in own:
                yield Violation(file.path, node.lineno, "touches the private attribute {}".format(attribute))


def version_checks(package: str) -> Iterator[Violation]:
    """Version checks of TensorFlow and its packages, and import ladders around them, outside ``_tf/``."""
    for file in files(package):
        if file.folder == "_tf":
            continue
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call) and _called(node) in _VERSION_CALLS:
                yield Violation(file.path, node.lineno, "calls {}".format(_called(node)))
            elif _attribute(node, file.tree) == "__version__" and not _is_own_version(node):
                yield Violation(file.path, node.lineno, "reads a __version__")
            elif isinstance(node, ast.Call) and _asks_what_is_there(node):
                yield Violation(file.path, node.lineno, "asks whether {} has a name".format(_root_name(node.args[0])))
            elif isinstance(node, ast.Try) and any(map(_catches_import_error, node.handlers)):
                for name in sorted(set(_imported_within(node.body)) & _VERSIONED):
                    yield Violation(file.path, node.lineno, "tries to import {}".format(name))


RULES = (upward_imports, circles, long_files, private_names, version_checks)


@functools.lru_cache(maxsize=None)
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


# Imports.


def _may_import(folder: str, target: str) -> bool:
    if folder == target:
        return True
    if folder in INDEPENDENT:
        return target in INDEPENDENT[folder]
    if target in INDEPENDENT:
        return _FLOOR_OF.get(folder) == _TOP
    return folder in _FLOOR_OF and target in _FLOOR_OF and _FLOOR_OF[target] <= _FLOOR_OF[folder]


def _own_imports(file: _File, package: str) -> Iterator[Tuple[int, str]]:
    """The line and the target folder of each import of the package itself."""
    for node in _at_run_time(file.tree):
        for module in _imported(node, file.path):
            parts = module.split(".")
            if parts[0] == PACKAGE:
                is_module = len(parts) > 1 and _is_there(package, parts[1])
                yield node.lineno, parts[1] if is_module else PACKAGE


def _is_there(package: str, name: str) -> bool:
    path = os.path.join(package, name)
    return os.path.isdir(path) or os.path.isfile(path + ".py")


def _at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node, except what is under ``if TYPE_CHECKING:`` and a ``from_config``'s import of ``_api``."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and _last_name(child.test) == "TYPE_CHECKING":
            for line in child.orelse:
                yield line
                yield from _at_run_time(line)
        elif not _is_reload(child, tree):
            yield child
            yield from _at_run_time(child)


def _is_reload(node: ast.AST, around: ast.AST) -> bool:
    if not isinstance(node, ast.ImportFrom) or not isinstance(around, ast.FunctionDef):
        return False
    return around.name == "from_config" and node.module == PACKAGE and [each.name for each in node.names] == ["_api"]


def _imported(node: ast.AST, path: str) -> List[str]:
    """The dotted names that a statement or a call of ``import_module`` imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        folders = path.split("/")
        around = [PACKAGE] + folders[: len(folders) - node.level] if node.level else []
        module = ".".join(around + ([node.module] if node.module else []))
        return ["{}.{}".format(module, alias.name) for alias in node.names]
    if isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__", "import_if_installed"):
        name = _string(node.args[0]) if node.args else None
        return [] if name is None else [name]
    return []


def _foreign_imports(node: ast.AST) -> List[str]:
    is_relative = isinstance(node, ast.ImportFrom) and node.level
    names = [] if is_relative else _imported(node, "")
    return [name for name in names if name.split(".")[0] not in (PACKAGE, "__future__")]


def _is_private_path(name: str) -> bool:
    parts = name.split(".")
    return _PRIVATE_PARTS.get(parts[0]) in parts[1:2] or any(map(_is_private, parts))


def _reach(graph: Dict[str, Set[str]], start: str) -> Set[str]:
    reached: Set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        folder = waiting.pop()
        if folder not in reached:
            reached.add(folder)
            waiting += graph.get(folder, ())
    return reached


# Private names.


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in _PUBLIC


def _attribute(node: ast.AST, tree: ast.Module) -> Optional[str]:
    """The attribute that an expression touches, unless on ``self`` or ``cls``."""
    if isinstance(node, ast.Attribute):
        return None if _is_self(node.value) else node.attr
    if isinstance(node, ast.Call) and _called(node) in _REFLECTION and len(node.args) > 1:
        return None if _is_self(node.args[0]) else _string(node.args[1], tree)
    if isinstance(node, ast.Subscript) and _is_dict_of_object(node.value):
        index = getattr(node.slice, "value", node.slice)  # Python 3.8 and before wrap it
        return _string(index, tree) if isinstance(index, ast.AST) else _as_text(index)
    return None


def _is_dict_of_object(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _called(node) == "vars" and bool(node.args) and not _is_self(node.args[0])
    return isinstance(node, ast.Attribute) and node.attr == "__dict__" and not _is_self(node.value)


def _is_self(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return _called(node) == "super"
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _own_names(tree: ast.Module) -> Set[str]:
    """What the file itself defines: functions, classes, and the attributes of its objects."""
    own: Set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            own.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            own.add(node.attr)
    return own


# Version checks.


def _is_own_version(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and _last_name(node.value) in (PACKAGE, "_version")


def _asks_what_is_there(node: ast.Call) -> bool:
    """Whether a call asks for a name that only some versions of a module have."""
    wanted = {"hasattr": 2, "getattr": 3}.get(str(_called(node)))
    return len(node.args) == wanted and _root_name(node.args[0]) in _MODULE_NAMES and _string(node.args[1]) is not None


def _catches_import_error(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is not None and _last_name(each) in _IMPORT_ERRORS for each in caught)


def _imported_within(body: List[ast.stmt]) -> Iterator[str]:
    for statement in body:
        for node in ast.walk(statement):
            for name in _foreign_imports(node):
                yield name.split(".")[0]
            if isinstance(node, ast.Call) and _called(node) in _IMPORT_CALLS:
                yield str(_called(node)).replace("import_", "", 1)


# Syntax.


def _called(node: ast.Call) -> Optional[str]:
    return _last_name(node.func)


def _last_name(node: ast.AST) -> Optional[str]:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _root_name(node: ast.AST) -> Optional[str]:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _string(node: ast.AST, tree: Optional[ast.Module] = None) -> Optional[str]:
    """The value of a text, or of a module's constant that is one."""
    if isinstance(node, ast.Name) and tree is not None:
        for line in tree.body:
            if isinstance(line, ast.Assign) and any(_last_name(target) == node.id for target in line.targets):
                return _string(line.value)
        return None
    try:
        return _as_text(ast.literal_eval(node))
    except ValueError:
        return None


def _as_text(value: object) -> Optional[str]:
    return value if isinstance(value, str) else None
