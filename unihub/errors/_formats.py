"""Errors about files that are not TensorFlow Hub models."""

from __future__ import annotations

import os
from typing import Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import first_few, quoted

# What each known format is, why it is not a TensorFlow Hub model, and what loads it.
_OTHER_FORMATS = {
    "keras": (
        "a Keras model, not a SavedModel",
        "The .keras format holds a Keras configuration and weights; Keras rebuilds the model from its own classes.",
        "tf.keras.models.load_model({path}) loads it; model.export(directory), or tf.saved_model.save(model, "
        "directory) before Keras 3, makes a SavedModel of it.",
    ),
    "h5": (
        "an HDF5 file, not a SavedModel",
        "Keras keeps models and weights in this format, and rebuilds the model from its own classes.",
        "tf.keras.models.load_model({path}) loads a full model; model.load_weights({path}) loads weights alone.",
    ),
    "tflite": (
        "a TensorFlow Lite model, not a SavedModel",
        "It was converted for small devices, and the conversion cannot be undone.",
        "tf.lite.Interpreter(model_path={path}) runs it.",
    ),
    "tfjs": (
        "a TensorFlow.js model, not a SavedModel",
        "It was converted for JavaScript.",
        "In JavaScript tf.loadGraphModel() or tf.loadLayersModel() loads it; of a layers model "
        "tensorflowjs.converters.load_keras_model({path}) makes a Keras model in Python.",
    ),
    "graph-def": (
        "a bare GraphDef (a frozen graph), not a SavedModel",
        "It has neither signatures nor variables, so its inputs and outputs are unknown.",
        "tf.compat.v1.import_graph_def(tf.compat.v1.GraphDef.FromString(open({path}, 'rb').read())) imports it into a "
        "graph.",
    ),
    "checkpoint": (
        "a checkpoint, not a SavedModel",
        "It holds the values of variables, but no graph.",
        "Build the model by its own code, then tf.train.Checkpoint(model=model).restore(...), or "
        "tf.compat.v1.train.Saver().restore(session, ...) for TF1; tf.train.load_checkpoint({path}) shows the values.",
    ),
    "saved-model-file": (
        "one file of a SavedModel",
        "A model is the whole directory: the graph in saved_model.pb, and the variables and assets beside it.",
        "unihub.load({directory}), where the file has to be called saved_model.pb.",
    ),
    "archive": (
        "an archive, not a directory",
        "An archive has to be unpacked before it can be read.",
        "unihub.load({path}) unpacks a .tar.gz, .tgz or .tar with a model in it; unihub.resolve({path}) returns where.",
    ),
    "html": (
        "a web page, not a model",
        "A server answered with a page for people, such as a login or an error, and the answer was saved.",
        'Delete it and pass the handle itself, as in unihub.load("https://..."), or download it by hand.',
    ),
}

_OTHER_FRAMEWORK = (
    "a model for another framework, not a SavedModel",
    "TensorFlow loads what was written for TensorFlow.",
    "load it with that framework; or choose a variation for tensorFlow2 on the model's page.",
)


class UnknownFormatError(UnihubError, ValueError):
    """The files are not a TensorFlow Hub model.

    Attributes:
        KINDS: The formats that unihub recognizes; ``kind`` of an error that names one of them.
    """

    KINDS = tuple(_OTHER_FORMATS)

    @classmethod
    def empty_directory(cls, path: str) -> UnknownFormatError:
        """A directory with nothing in it."""
        return cls(
            "{} holds no model: it is empty.".format(path),
            why="A model is a directory with a saved_model.pb in it.",
            hint="Export with tf.saved_model.save(model, {0}) or fetch a model into it; unihub.load({0}) then loads "
            "it.".format(quoted(path)),
            path=path,
        )

    @classmethod
    def other_format(cls, path: str, kind: str) -> UnknownFormatError:
        """A file or directory in another known format.

        Args:
            path: The file or directory.
            kind: One of ``KINDS``.
        """
        what, why, hint = _OTHER_FORMATS[kind]
        return cls(
            "{} is {}.".format(path, what),
            why=why,
            hint=hint.format(path=quoted(path), directory=quoted(os.path.dirname(path) or ".")),
            path=path,
            kind=kind,
        )

    @classmethod
    def named_by_handle(cls, handle: str, kind: str, kaggle: str) -> UnknownFormatError:
        """A handle that names a model in another format.

        Args:
            handle: The handle.
            kind: One of the known formats, or ``framework`` for another one of Kaggle's.
            kaggle: The name of the model on Kaggle, if it is one.
        """
        what, why, call = _OTHER_FORMATS.get(kind, _OTHER_FRAMEWORK)
        get = "path = kagglehub.model_download({!r})".format(kaggle) if kaggle else "Download it to a path"
        return cls(
            "{} is {}.".format(handle, what),
            why="{} The handle shows this, and nothing was downloaded.".format(why),
            hint="{}; then: {}".format(get, call.format(path="path", directory="path")),
            handle=handle,
            kind=kind,
        )

    @classmethod
    def nested_model(cls, path: str, child: str) -> UnknownFormatError:
        """The model is in a subdirectory."""
        return cls(
            "{} is not a model, but holds one.".format(path),
            why="The model is in its directory {}, as TensorFlow Serving and unpacked archives lay models out.".format(
                os.path.basename(child)
            ),
            hint="Pass that one: unihub.load({}).".format(quoted(child)),
            path=path,
            child=child,
        )

    @classmethod
    def nothing_known(cls, path: str, names: Sequence[str] = ()) -> UnknownFormatError:
        """Neither a model nor a known format.

        Args:
            path: The file or directory.
            names: What is in it, when it is a directory.
        """
        return cls(
            "{} is not a model.".format(path),
            why="It holds {}, but no saved_model.pb.".format(first_few(names))
            if names
            else "It is a file in an unknown format; a model is a directory with a saved_model.pb in it.",
            hint="Pass the directory that tf.saved_model.save() or tf.compat.v1.saved_model.Builder() wrote, as in "
            'unihub.load("path/to/directory").',
            path=path,
            names=tuple(names),
        )
