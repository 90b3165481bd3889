"""The texts of errors about files that are not TensorFlow Hub models."""

from unihub.errors import UnknownFormatError

GOLDEN = [
    (
        "UnknownFormatError.empty_directory",
        UnknownFormatError.empty_directory("models/new"),
        """\
        models/new holds no model: it is empty.
          Why:  A model is a directory with a saved_model.pb in it.
          Hint: Export with tf.saved_model.save(model, "models/new") or fetch a model into it; unihub.load("models/new") then
                loads it.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "keras"),
        """\
        models/it is a Keras model, not a SavedModel.
          Why:  The .keras format holds a Keras configuration and weights; Keras rebuilds the model from its own classes.
          Hint: tf.keras.models.load_model("models/it") loads it; model.export(directory), or tf.saved_model.save(model,
                directory) before Keras 3, makes a SavedModel of it.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "h5"),
        """\
        models/it is an HDF5 file, not a SavedModel.
          Why:  Keras keeps models and weights in this format, and rebuilds the model from its own classes.
          Hint: tf.keras.models.load_model("models/it") loads a full model; model.load_weights("models/it") loads weights
                alone.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "tflite"),
        """\
        models/it is a TensorFlow Lite model, not a SavedModel.
          Why:  It was converted for small devices, and the conversion cannot be undone.
          Hint: tf.lite.Interpreter(model_path="models/it") runs it.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "tfjs"),
        """\
        models/it is a TensorFlow.js model, not a SavedModel.
          Why:  It was converted for JavaScript.
          Hint: In JavaScript tf.loadGraphModel() or tf.loadLayersModel() loads it; of a layers model
                tensorflowjs.converters.load_keras_model("models/it") makes a Keras model in Python.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "graph-def"),
        """\
        models/it is a bare GraphDef (a frozen graph), not a SavedModel.
          Why:  It has neither signatures nor variables, so its inputs and outputs are unknown.
          Hint: tf.compat.v1.import_graph_def(tf.compat.v1.GraphDef.FromString(open("models/it", 'rb').read())) imports it
                into a graph.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "checkpoint"),
        """\
        models/it is a checkpoint, not a SavedModel.
          Why:  It holds the values of variables, but no graph.
          Hint: Build the model by its own code, then tf.train.Checkpoint(model=model).restore(...), or
                tf.compat.v1.train.Saver().restore(session, ...) for TF1; tf.train.load_checkpoint("models/it") shows the
                values.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "saved-model-file"),
        """\
        models/it is one file of a SavedModel.
          Why:  A model is the whole directory: the graph in saved_model.pb, and the variables and assets beside it.
          Hint: unihub.load("models"), where the file has to be called saved_model.pb.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "archive"),
        """\
        models/it is an archive, not a directory.
          Why:  An archive has to be unpacked before it can be read.
          Hint: unihub.load("models/it") unpacks a .tar.gz, .tgz or .tar with a model in it; unihub.resolve("models/it")
                returns where.""",
    ),
    (
        "UnknownFormatError.other_format",
        UnknownFormatError.other_format("models/it", "html"),
        """\
        models/it is a web page, not a model.
          Why:  A server answered with a page for people, such as a login or an error, and the answer was saved.
          Hint: Delete it and pass the handle itself, as in unihub.load("https://..."), or download it by hand.""",
    ),
    (
        "UnknownFormatError.named_by_handle",
        UnknownFormatError.named_by_handle("o/m/tfLite/v/1", "tflite", "o/m/tfLite/v/1"),
        """\
        o/m/tfLite/v/1 is a TensorFlow Lite model, not a SavedModel.
          Why:  It was converted for small devices, and the conversion cannot be undone. The handle shows this, and nothing
                was downloaded.
          Hint: path = kagglehub.model_download('o/m/tfLite/v/1'); then: tf.lite.Interpreter(model_path=path) runs it.""",
    ),
    (
        "UnknownFormatError.named_by_handle",
        UnknownFormatError.named_by_handle("https://a/model.keras", "keras", ""),
        """\
        https://a/model.keras is a Keras model, not a SavedModel.
          Why:  The .keras format holds a Keras configuration and weights; Keras rebuilds the model from its own classes. The
                handle shows this, and nothing was downloaded.
          Hint: Download it to a path; then: tf.keras.models.load_model(path) loads it; model.export(directory), or
                tf.saved_model.save(model, directory) before Keras 3, makes a SavedModel of it.""",
    ),
    (
        "UnknownFormatError.named_by_handle",
        UnknownFormatError.named_by_handle("o/m/pyTorch/v/1", "framework", "o/m/pyTorch/v/1"),
        """\
        o/m/pyTorch/v/1 is a model for another framework, not a SavedModel.
          Why:  TensorFlow loads what was written for TensorFlow. The handle shows this, and nothing was downloaded.
          Hint: path = kagglehub.model_download('o/m/pyTorch/v/1'); then: load it with that framework; or choose a variation
                for tensorFlow2 on the model's page.""",
    ),
    (
        "UnknownFormatError.nested_model",
        UnknownFormatError.nested_model("models/served", "models/served/00000010"),
        """\
        models/served is not a model, but holds one.
          Why:  The model is in its directory 00000010, as TensorFlow Serving and unpacked archives lay models out.
          Hint: Pass that one: unihub.load("models/served/00000010").""",
    ),
    (
        "UnknownFormatError.nothing_known",
        UnknownFormatError.nothing_known("models/notes", ["readme.txt"]),
        """\
        models/notes is not a model.
          Why:  It holds readme.txt, but no saved_model.pb.
          Hint: Pass the directory that tf.saved_model.save() or tf.compat.v1.saved_model.Builder() wrote, as in
                unihub.load("path/to/directory").""",
    ),
    (
        "UnknownFormatError.nothing_known",
        UnknownFormatError.nothing_known("models/notes/readme.txt"),
        """\
        models/notes/readme.txt is not a model.
          Why:  It is a file in an unknown format; a model is a directory with a saved_model.pb in it.
          Hint: Pass the directory that tf.saved_model.save() or tf.compat.v1.saved_model.Builder() wrote, as in
                unihub.load("path/to/directory").""",
    ),
]
