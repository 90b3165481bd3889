"""The texts of errors about what ``unihub.save`` is given."""

from unihub.errors import InputError

GOLDEN = [
    (
        "InputError.not_a_tensor",
        InputError.not_a_tensor("default", "output", "logits", [1.0]),
        """\
        the output 'logits' of the signature 'default' is not a tensor.
          Why:  expected a Tensor, a SparseTensor or (from TensorFlow 1.15) a RaggedTensor; got list.
          Hint: pass a tensor; tf.identity makes one of a variable, tf.constant of an array.""",
    ),
    (
        "InputError.tensor_elsewhere",
        InputError.tensor_elsewhere("default", "input", "images"),
        """\
        the input 'images' of the signature 'default' belongs to another graph.
          Why:  A module function is called in a graph of its own, and only what it makes there is in the module.
          Hint: make the tensor in the module function itself.""",
    ),
    (
        "InputError.colocated",
        InputError.colocated("the input 'images' of 'default'", ["loc:@tower/w"]),
        """\
        the input 'images' of 'default' must not be placed beside another op.
          Why:  It is colocated with tower/w. When the module is used, another tensor replaces it.
          Hint: make it outside of tf.colocate_with; the other op may be placed beside it instead.""",
    ),
    (
        "InputError.attachment_key",
        InputError.attachment_key("no key"),
        """\
        'no key' is not a valid key for a message.
          Why:  A key consists of letters, digits and underscores, and begins with a letter.
          Hint: rename it.""",
    ),
    (
        "InputError.not_a_message",
        InputError.not_a_message("note", "a text"),
        """\
        the value attached as 'note' is not a protocol message.
          Why:  expected a protobuf message; got str.
          Hint: pass one, such as a tf.train.Features, or a message class of your own.""",
    ),
    (
        "InputError.unsupported_collections",
        InputError.unsupported_collections(["losses", "mine"], ["update_ops", "variables"]),
        """\
        the module function filled collections that a module cannot have: losses, mine.
          Why:  Loading a module takes over only these: update_ops, variables.
          Hint: leave them empty; del tf.compat.v1.get_collection_ref('losses')[:] at the end of the function does.""",
    ),
    (
        "InputError.asset_is_no_constant",
        InputError.asset_is_no_constant("vocabulary/path"),
        """\
        the asset 'vocabulary/path' is not a constant.
          Why:  The files of a module are named by constants in its graph, one string each, which are set on loading.
          Hint: pass the file's path as a str.""",
    ),
    (
        "InputError.variables_disagree",
        InputError.variables_disagree("dense/w", "float32[4,3]", set(), "float32[4,5]", {"train"}),
        """\
        there is more than one variable 'dense/w'.
          Why:  It is float32[4,3] in the graph variant {}, and float32[4,5] in the graph variant {'train'}.
          Hint: give it one dtype and shape; or, if these are different variables, names of their own.""",
    ),
    (
        "InputError.variables_disagree",
        InputError.variables_disagree("dense/w", "float32[4,3]", set(), "float64[4,3]", None),
        """\
        there is more than one variable 'dense/w'.
          Why:  It is float32[4,3] in the graph variant {}, and float64[4,3] in the checkpoint.
          Hint: give it one dtype and shape; or, if these are different variables, names of their own.""",
    ),
    (
        "InputError.missing_in_checkpoint",
        InputError.missing_in_checkpoint("models/model.ckpt-7", ["dense/b", "dense/w"], ["dense/bias", "dense/kernel"]),
        """\
        the checkpoint models/model.ckpt-7 lacks 2 of the module's variables.
          Why:  Missing are dense/b, dense/w; the checkpoint has dense/bias, dense/kernel.
          Hint: build the variables in the module function under the names that they had when they were trained. Did you mean
                'dense/bias'?""",
    ),
    (
        "InputError.no_session",
        InputError.no_session(),
        """\
        there is no session that holds the variables of the module.
          Why:  The values of a module that was loaded in a graph are in the session that initialized or trained it.
          Hint: save it inside of "with session.as_default():", or pass the session.""",
    ),
    (
        "InputError.session_of_other_graph",
        InputError.session_of_other_graph(),
        """\
        the session does not hold the variables of the module.
          Why:  It runs another graph than the one that the module was loaded in.
          Hint: pass the session in which the module was initialized or trained.""",
    ),
    (
        "InputError.not_a_module",
        InputError.not_a_module(3),
        """\
        a int cannot be written as a tf1-hub model.
          Why:  expected a function that builds a graph and calls unihub.add_signature, a hub.ModuleSpec, or a module that was
                loaded.
          Hint: wrap it in such a function; or write a TF2 SavedModel, which takes Keras models, tf.Module and functions of
                tensors.""",
    ),
    (
        "InputError.no_use_for",
        InputError.no_use_for("checkpoint", "a module that was loaded"),
        """\
        a module that was loaded takes no checkpoint.
          Why:  It brings its own, or has none.
          Hint: leave the argument checkpoint out.""",
    ),
    (
        "InputError.not_savable",
        InputError.not_savable(3),
        """\
        an int cannot be written as a tf2-saved-model.
          Why:  It has nothing that can be called with tensors and written.
          Hint: pass a Keras model or layer, a tf.Module with a tf.function, a function of tensors, or what unihub.load
                returned for a SavedModel.""",
    ),
    (
        "InputError.needs_inputs",
        InputError.needs_inputs(print),
        """\
        the inputs of a builtin_function_or_method are unknown.
          Why:  A SavedModel holds traces only, and no trace here states the dtypes and shapes.
          Hint: pass inputs=tf.TensorSpec([None, 8], tf.float32), an array as an example, or a nest of these.""",
    ),
    (
        "InputError.no_example",
        InputError.no_example("images"),
        """\
        inputs= has a str where a spec or an example is needed.
          Why:  A call takes tensors; lists and dicts in inputs= are the structure that holds them.
          Hint: pass a tf.TensorSpec; or an example as a numpy array or a tensor.""",
    ),
    (
        "InputError.inputs_by_name",
        InputError.inputs_by_name(["images", "size"]),
        """\
        the function has 2 arguments, and inputs= does not describe each.
          Why:  Its arguments are images, size.
          Hint: pass a dict with exactly these names as inputs=.""",
    ),
    (
        "InputError.only_for_modules",
        InputError.only_for_modules("variants"),
        """\
        variants= does not go with the format tf2-saved-model.
          Why:  It belongs to tf1-hub modules, which have graph variants and are written from checkpoints.
          Hint: leave it out; or pass format="tf1-hub".""",
    ),
    (
        "InputError.untracked",
        InputError.untracked("Tried to export a function which references\n 'untracked' resource Tensor(\"table:0\")."),
        """\
        the function uses a table or variable that nothing keeps.
          Why:  Tried to export a function which references 'untracked' resource Tensor("table:0").
          Hint: make it an attribute of a tf.Module whose __call__ is the function, and save that.""",
    ),
    (
        "InputError.needs_session",
        InputError.needs_session("dense/kernel:0"),
        """\
        there is no session to read the variable 'dense/kernel:0' from.
          Why:  In a graph the values of variables are in a session.
          Hint: call unihub.save inside "with session.as_default():"; or pass session=.""",
    ),
    (
        "InputError.uninitialized",
        InputError.uninitialized("dense/kernel:0"),
        """\
        the variable 'dense/kernel:0' has no value in the session.
          Why:  It was neither initialized nor restored there, so there is nothing to write.
          Hint: run tf.compat.v1.global_variables_initializer() in that session, or restore a checkpoint, first.""",
    ),
    (
        "InputError.reference_variable",
        InputError.reference_variable("dense/kernel:0"),
        """\
        the variable 'dense/kernel:0' is of reference type.
          Why:  A TF2 SavedModel has resource variables only; TensorFlow 1 makes the other kind by default.
          Hint: call tf.compat.v1.enable_resource_variables() before the variables are made.""",
    ),
    (
        "InputError.variable_elsewhere",
        InputError.variable_elsewhere("dense/kernel:0"),
        """\
        the variable 'dense/kernel:0' is not in the graph of the session.
          Why:  It was made in another tf.Graph, or eagerly, and the session has no value of it.
          Hint: save the model where its variables are: outside of every graph, or with the session of their graph.""",
    ),
]
