"""The command that says what a report of a bug has to say of the machine."""

from __future__ import annotations

import argparse
import os
import re
from typing import Any, Dict, List, Optional, Tuple

from unihub import errors
from unihub._cli import quiet
from unihub._cli.command import Argument, Command
from unihub._cli.report import Report, fields
from unihub._version import __version__

_PACKAGES = (
    *("tensorflow-hub", "tf-keras", "keras", "tensorflow-text", "tensorflow-estimator", "protobuf", "numpy"),
    *("setuptools", "kagglehub", "fsspec", "libcst"),
)
# Terraform's variables begin with TF_, too.
_VARIABLES = re.compile(
    "UNIHUB_|TFHUB_|KERAS_|KAGGLEHUB_|CUDA_VISIBLE_DEVICES$|PYTHONPATH$|XLA_FLAGS$"
    "|TF_(?!CLI_|DATA_DIR|IGNORE|IN_|INPUT|LOG|PLUGIN_|REGISTRY_|TOKEN_|VAR_|WORKSPACE)"
)
_SECRET = re.compile("TOKEN|SECRET|PASSWORD|CREDENTIAL|KEY")


def _env(arguments: argparse.Namespace) -> Report:
    """Says which versions and settings are in use here, for a report of a bug."""
    data = _find(arguments.imports)
    return Report([fields("", _rows(data))], data)


def _find(imports: bool) -> Dict[str, Any]:
    import platform

    from unihub._cli import cache_entries
    from unihub._resolve import cache
    from unihub._tf.packages import TENSORFLOW_DISTRIBUTIONS, installed_version

    entries, variables = list(cache_entries.stored()), _variables()
    # More than one that brings TensorFlow is a reason for trouble.
    packages = TENSORFLOW_DISTRIBUTIONS + _PACKAGES
    with quiet.tensorflow():
        imported, runtime = (_import() if imports else None), _find_runtime(imports)
    return {
        "unihub": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "system": platform.platform(),
        "runtime": runtime,
        "packages": {name: installed_version(name) for name in packages},
        "variables": variables,
        "cache": {"path": cache.root(), "entries": len(entries), "bytes": sum(each.size for each in entries)},
        "imported": imported,
    }


def _variables() -> Dict[str, str]:
    names = [name for name in sorted(os.environ) if _VARIABLES.match(name)]
    return {name: _without_secrets(name, os.environ[name]) for name in names}


def _without_secrets(name: str, value: str) -> str:
    return "(set)" if _SECRET.search(name) else re.sub("//[^/@]*@", "//(hidden)@", value)


def _find_runtime(imports: bool) -> Optional[Dict[str, object]]:
    """How TensorFlow runs here; by the installed versions alone, unless it is to be imported."""
    from unihub._plan import runtime as _runtime

    try:
        runtime = _runtime.detect_runtime() if imports else _runtime.runtime_elsewhere()
    except errors.UnihubError:
        return None
    return runtime.to_dict()


def _import() -> Dict[str, List[str]]:
    """What is known only once TensorFlow and tensorflow_hub were imported."""
    from unihub._tf.packages import device_names, import_tensorflow_hub

    facts: Dict[str, List[str]] = {"problems": [], "devices": []}
    try:
        facts["devices"] = device_names()
        import_tensorflow_hub()
    except errors.UnihubError as exc:
        facts["problems"].append("{} {}".format(exc.what, exc.why))
    return facts


def _rows(data: Dict[str, Any]) -> List[Tuple[str, List[str]]]:
    runtime, cache, imported = data["runtime"], data["cache"], data["imported"]
    rows = [
        ("unihub", [data["unihub"]]),
        ("python", ["{} ({})".format(data["python"], data["implementation"])]),
        ("system", [data["system"]]),
        *((name, [version or "not installed"]) for name, version in data["packages"].items() if _shown(name, version)),
        ("runtime", ["{}, tf.keras is {}".format(runtime["mode"], runtime["keras"]) if runtime else "none"]),
    ]
    if imported is not None:
        rows.append(("devices", imported["devices"] or ["none"]))
        rows.append(("problems", imported["problems"] or ["none"]))
    variables = ["{}={}".format(*pair) for pair in data["variables"].items()]
    size = "{:,} bytes in {} entries".format(cache["bytes"], cache["entries"])
    return [*rows, ("variables", variables or ["none"]), ("cache", [cache["path"], size])]


def _shown(name: str, version: Optional[str]) -> bool:
    return version is not None or name in ("tensorflow", "tensorflow-hub")


COMMANDS = (
    Command(
        ("env",),
        _env,
        (
            Argument(
                "--import",
                {
                    "dest": "imports",
                    "action": "store_true",
                    "help": "import TensorFlow and tensorflow_hub, and say whether that works and on which devices",
                },
            ),
        ),
    ),
)
