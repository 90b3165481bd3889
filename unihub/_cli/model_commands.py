"""The commands for one model."""

from __future__ import annotations

import argparse
import os
import shutil
from typing import TYPE_CHECKING, Any, Dict, Optional, Sequence

from unihub._cli import completion, quiet
from unihub._cli.command import Argument, Command, version
from unihub._cli.report import Exact, Report, fields

if TYPE_CHECKING:
    from unihub._plan.runtime import Runtime


def _inspect(arguments: argparse.Namespace) -> Report:
    """Says what a model holds, read from its files without TensorFlow."""
    # Not unihub.inspect, which imports all that a plan needs.
    from unihub import _resolve
    from unihub._audit import scan_cache
    from unihub._saved_model import reader

    info = reader.inspect(_resolve.resolve(arguments.handle, offline=arguments.offline or None))
    scan_cache.fill(info, scan_cache.AUDIT, scan_cache.OPS)
    return Report([fields(info.path, info.rows())], info.to_dict())


def _plan(arguments: argparse.Namespace) -> Report:
    """Says what load would call here, and why; or what it would call with another runtime and TensorFlow."""
    options: Dict[str, Any] = {name: getattr(arguments, name) for name in ("signature", "api", "keras")}
    options.update(trainable=arguments.operation == "fine-tune", offline=arguments.offline or None)
    if arguments.tags is not None:
        options["tags"] = [tag for tag in arguments.tags.split(",") if tag]
    if _is_elsewhere(arguments):
        from unihub import _api
        from unihub._plan.plan import decide
        from unihub._plan.request import parse_request

        request = parse_request(**options)
        info = _api.inspect(arguments.handle, offline=request.offline)
        plan = decide(arguments.handle, info.path, info, _elsewhere(arguments), request)
    else:
        from unihub import _api
        from unihub._audit import gate

        with quiet.everything():
            plan = _api.plan(arguments.handle, **options)
            gate.check_trust(plan)
    return Report([fields("", plan.rows())], plan.to_dict())


def _is_elsewhere(arguments: argparse.Namespace) -> bool:
    named = (arguments.runtime, arguments.tensorflow, arguments.tensorflow_hub, arguments.keras_version)
    return any(word is not None for word in named)


def _elsewhere(arguments: argparse.Namespace) -> Runtime:
    from unihub._plan.runtime import runtime_elsewhere

    return runtime_elsewhere(arguments.runtime, arguments.tensorflow, arguments.tensorflow_hub, arguments.keras_version)


def _resolve_handle(arguments: argparse.Namespace) -> Report:
    """Fetches a model, and prints its directory."""
    from unihub import _resolve

    path = _resolve.resolve(arguments.handle, offline=arguments.offline or None)
    return Report([Exact(path)], {"handle": arguments.handle, "path": path})


def _export(arguments: argparse.Namespace) -> Report:
    """Fetches a model, and copies it to a directory that needs no cache."""
    from unihub import _resolve
    from unihub._graph import export_dir

    with export_dir.writing(arguments.directory, arguments.overwrite) as directory:
        source = _resolve.resolve(arguments.handle, offline=arguments.offline or None)
        os.rmdir(directory)
        shutil.copytree(source, directory)
    data = {"handle": arguments.handle, "path": os.path.abspath(arguments.directory)}
    return Report([Exact(arguments.directory)], data)


def _convert(arguments: argparse.Namespace) -> Report:
    """Makes a TF1 model a TF2 SavedModel that can be fine-tuned, and compares both."""
    from unihub._convert.convert import convert
    from unihub._tf import packages

    options: Dict[str, Any] = {"check": not arguments.no_check, "overwrite": arguments.overwrite}
    if arguments.tags is not None:
        options["tags"] = [tag for tag in arguments.tags.split(",") if tag]
    with quiet.everything():
        packages.import_tensorflow()
    # What convert says of its progress is wanted.
    with quiet.tensorflow():
        done = convert(arguments.handle, arguments.directory, **options)
    return Report([fields("", done.rows())], done.to_dict())


_HANDLE = Argument(
    "handle",
    {"help": "a directory, an archive, a URL, or owner/model/framework/variation[/version]"},
    completion.handles,
)
_DIRECTORY = Argument("directory", {"help": "where to; it must not be there yet"}, completion.directories)
_OFFLINE = Argument("--offline", {"action": "store_true", "help": "use what is on this machine only"})
_OVERWRITE = Argument("--overwrite", {"action": "store_true", "help": "replace the directory if it is there"})
_TAGS = Argument("--tags", {"metavar": "TAG,...", "help": "the graph variant; '' is the one without tags"})

# The words of the vocabulary, which would take longer to import than to read; a test compares.
OPERATIONS = ("inference", "fine-tune")
RUNTIMES = ("tf1", "tf1-compat", "tf2-graph", "tf2")
APIS = ("auto", "module", "load", "keras")
KERAS = ("auto", "keras2", "keras3")


def _word(name: str, words: Sequence[str], text: str, default: Optional[str] = None) -> Argument:
    return Argument(name, {"choices": words, "default": default, "help": text})


def _version(name: str, text: str) -> Argument:
    return Argument(name, {"type": version, "metavar": "VERSION", "help": text})


COMMANDS = (
    Command(("inspect",), _inspect, (_HANDLE, _OFFLINE)),
    Command(
        ("plan",),
        _plan,
        (
            _HANDLE,
            _word("--operation", OPERATIONS, "what is to be done with it (inference by default)", "inference"),
            Argument("--signature", {"help": "the signature to call"}),
            _TAGS,
            _word("--api", APIS, "the upstream call (by default the first choice of the matrix)", "auto"),
            _word("--keras", KERAS, "the Keras of the layer (by default what tf.keras is)", "auto"),
            _OFFLINE,
            _word("--runtime", RUNTIMES, "plan for this runtime, and import no TensorFlow"),
            _version("--tensorflow", "plan for this TensorFlow (by default the installed one), and import none"),
            Argument(
                "--tensorflow-hub",
                {
                    "type": lambda text: text if text == "none" else version(text),
                    "metavar": "VERSION",
                    "help": "the tensorflow_hub there, or none (by default one that fits the TensorFlow)",
                },
            ),
            _version("--keras-version", "the version of what tf.keras is there (by default that TensorFlow's own)"),
        ),
    ),
    Command(("resolve",), _resolve_handle, (_HANDLE, _OFFLINE)),
    Command(("export",), _export, (_HANDLE, _DIRECTORY, _OVERWRITE, _OFFLINE)),
    Command(
        ("convert",),
        _convert,
        (
            _HANDLE,
            _DIRECTORY,
            Argument("--no-check", {"action": "store_true", "help": "do not run and compare both models"}),
            _TAGS,
            _OVERWRITE,
        ),
    ),
)
