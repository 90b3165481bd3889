"""Why a use of tensorflow_hub is left alone, in words for the user; one for each case, said here only."""

from __future__ import annotations

_FEATURE_COLUMN = "unihub has no feature columns; this stays tensorflow_hub's."
_EXPORTER = "unihub has no exporters for Estimators; this stays tensorflow_hub's."
_IMAGE_INFO = "unihub has no such function; this one stays tensorflow_hub's, and takes a module of unihub too."

# By what is used of tensorflow_hub.
NO_COUNTERPART = {
    "LatestModuleExporter": _EXPORTER,
    "register_module_for_export": _EXPORTER,
    "text_embedding_column": _FEATURE_COLUMN,
    "text_embedding_column_v2": _FEATURE_COLUMN,
    "sparse_text_embedding_column": _FEATURE_COLUMN,
    "image_embedding_column": _FEATURE_COLUMN,
    "get_expected_image_size": _IMAGE_INFO,
    "get_num_image_channels": _IMAGE_INFO,
    "attach_image_module_info": _IMAGE_INFO,
    "ImageModuleInfo": _IMAGE_INFO,
    "ModuleSpec": "unihub has no such class; unihub.load takes its instances.",
    "create_module_spec_from_saved_model": "unihub makes no spec of a SavedModel; unihub.load takes its path.",
    "eval_function_for_module": "unihub has no such function: load the module with unihub.load in a tf.Graph, and call "
    "model.initialize(session) before it is run.",
    "__version__": "it is the version of tensorflow_hub; that of unihub is unihub.__version__.",
}
OTHER_MEMBER = "unihub has nothing in its place."
SUBMODULE = "it is inside of tensorflow_hub, which unihub does not follow."

STAR = "which names come from it cannot be seen."
WHOLE_MODULE = "the module itself is handed on, so what is used of it cannot be seen."
AMBIGUOUS = "the name may be something else than tensorflow_hub here."
NAME_TAKEN = "the name unihub means something else here."
REPLACED = "this file replaces it in tensorflow_hub, for a test perhaps; change both by hand."
STRING = "a string names it, and what it is for cannot be seen."
EXPORTED = "__all__ has the name, so that other files may use it."
UNUSED = "it is imported and not used here; if no other file needs it, remove it."
OPAQUE = "it stands in what is no Python that can be read, such as a magic of a notebook; change it by hand."
UNREADABLE = "the file is left alone: {}."

ANNOTATION = "unihub.{0} is a function and no type; unihub.load gives an object of another class."
CLASS = "a class is needed here, and unihub.{0} is a function."
COLLECTIONS = (
    "this file reads the collections of a graph, to which a trainable layer of unihub adds; "
    "write unihub.KerasLayer(..., collections=False) where the layer is made."
)
ATTRIBUTES = (
    "this file reads resolved_object, of which unihub.KerasLayer loads only what the layer needs; "
    "write unihub.KerasLayer(..., full=True) where the layer is made."
)
CUSTOM_OBJECTS = (
    "a class is needed here, and unihub.KerasLayer is a function; files that unihub's layer was saved in need no "
    "custom_objects after import unihub, older ones need this one."
)

TRAIN_TAG = (
    'unihub loads the variant "train" with trainable=True only; see docs/migrate.md for what tensorflow_hub does '
    "otherwise."
)
UNKNOWN_TAGS = 'tags= may hold "train", which unihub takes with trainable=True only.'
STARRED = "the second argument by position is another one in unihub.load, and how many there are cannot be seen."
NO_HANDLE = "it has no handle."
IN_FORMAT_STRING = "it stands in an f-string; move the call out of it."
NOT_CALLED = 'unihub.load takes other arguments by position; write lambda handle: unihub.load(handle, api="load").'
TRAINED_ELSEWHERE = (
    "this file trains a model, and whether it is this one cannot be seen; if it is, "
    'write unihub.load(..., trainable=True, api="load"), else leave trainable=True out.'
)
UNCLEAR = (
    "what has its name is trained, saved or called with several inputs, and whether it is this model there cannot be "
    "seen; give it a name of its own."
)
TRACKED = (
    "TensorFlow saves what is an attribute of the object that is saved, and a model of unihub is not; "
    'write unihub.load(..., api="load").native.'
)

SPEC_IS_ASKED = "more is done with the spec than giving it to hub.Module; unihub.inspect(path) tells what it holds."
CREATE = (
    "only spec.export(path, checkpoint_path=...) right after it is understood; write unihub.save(module_fn, path, "
    'format="tf1-hub", variants=tags_and_args, checkpoint=checkpoint_path).'
)
BUILT_ELSEWHERE = (
    "what builds this module stays hub.create_module_spec, or is not in this file; unihub.save wants unihub.{0}."
)
