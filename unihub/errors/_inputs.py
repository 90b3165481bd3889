"""Errors about the arguments of a call, of ``unihub.load`` and of ``unihub.save``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Optional, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import closest, first_few, kind_of, table, tag_set

if TYPE_CHECKING:
    from unihub._types import Keras, Signature


class InputError(UnihubError, TypeError):
    """The arguments of a call do not fit the model."""

    @classmethod
    def not_trust(cls, value: object) -> InputError:
        """The argument trust= has an invalid value."""
        return cls(
            "invalid value for trust: {!r}.".format(value),
            why="expected True, False, None, the name of an op, or a collection of such names.",
            hint="pass True for a model whose author you trust, or the names that inspect(...).unsafe_ops lists.",
            value=value,
        )

    @classmethod
    def wrong_names(cls, signature: Signature, names: Iterable[str]) -> InputError:
        given, expected = sorted(map(str, names)), sorted(tensor.name for tensor in signature.inputs)
        unknown = [name for name in given if name not in expected]
        return cls(
            "the inputs do not have the names that {!r} expects.".format(signature.name),
            why="expected {}; got {}.".format(", ".join(expected) or "no inputs", ", ".join(given) or "none"),
            hint="pass a dict with exactly these names." + "".join(closest(name, expected) for name in unknown[:1]),
            signature=signature.name,
            expected=tuple(expected),
            given=tuple(given),
        )

    @classmethod
    def needs_dict(cls, signature: Signature) -> InputError:
        return cls(
            "{!r} has {} inputs, but got one value without a name.".format(signature.name, len(signature.inputs)),
            why="Its inputs are:\n" + table(signature.inputs) if signature.inputs else "It takes no inputs at all.",
            hint="pass a dict by input name." if signature.inputs else "call it with an empty dict.",
            signature=signature.name,
            expected=tuple(tensor.name for tensor in signature.inputs),
        )

    @classmethod
    def does_not_fit(cls, name: str, expected: str, given: str) -> InputError:
        return cls(
            "the input {!r} does not fit the model.".format(name),
            why="expected {}; got {}.".format(expected, given),
            hint="convert it before the call.",
            name=name,
            expected=expected,
            given=given,
        )

    @classmethod
    def rows_differ(cls, what: str, expected: object, given: object) -> InputError:
        return cls(
            "the rows of a batch have different {}.".format(what),
            why="the first has {}; another has {}.".format(expected, given),
            hint="give all rows the same names, dtypes and shapes; or make batches of one row.",
            expected=str(expected),
            given=str(given),
        )

    @classmethod
    def not_by_rows(cls, shape: str, count: int) -> InputError:
        return cls(
            "an output of the model does not have one row for each input row.",
            why="{} rows went in; the output has the shape {}.".format(count, shape),
            hint="choose another output with output_key=, or another signature.",
            shape=shape,
            count=count,
        )

    @classmethod
    def no_column(cls, name: str, output: str) -> InputError:
        return cls(
            "the output {!r} cannot be a Spark column.".format(name),
            why="A column holds numbers or strings of known rank, with one row for each input row; this is\n" + output,
            hint="choose another output with output_key=, or another signature.",
            name=name,
            output=output,
        )

    @classmethod
    def fits_no_trace(cls, path: str, given: str, expected: Sequence[str]) -> InputError:
        return cls(
            "the arguments do not match any way to call {}.".format(path),
            why="got {}; expected one of\n{}".format(given, table(expected)),
            hint="convert the inputs to one of these structures, dtypes and shapes.",
            path=path,
            given=given,
            expected=tuple(expected),
        )

    @classmethod
    def training_is_no_bool(cls, value: object) -> InputError:
        return cls(
            "training= must be True, False or None; got {}.".format(type(value).__name__),
            why="It selects which of the functions in the model is called, before TensorFlow runs it.",
            hint="pass a Python bool; to switch inside a graph, call the model in both branches of tf.cond. Pass "
            "further arguments of the model by name.",
            given=value,
        )

    @classmethod
    def frozen(cls, path: str) -> InputError:
        return cls(
            "{} was loaded with trainable=False and cannot be called with training=True.".format(path),
            why="A frozen model never runs in training mode: dropout and batch statistics would change its outputs.",
            hint="load it with trainable=True; or call it without training=.",
            path=path,
        )

    @classmethod
    def contradicts_variant(cls, path: str, tags: Iterable[str], training: bool) -> InputError:
        return cls(
            "{} was loaded as the graph variant {} and cannot be called with training={}.".format(
                path, tag_set(tags), training
            ),
            why="In the tf1-hub format the variant is chosen when the model is loaded, for all of its calls.",
            hint="leave training= out; or load the model once more with tags= for the other variant.",
            path=path,
            tags=frozenset(tags),
            training=training,
        )

    @classmethod
    def other_graph(cls, path: str) -> InputError:
        return cls(
            "{} was loaded in another graph than the one it is used in.".format(path),
            why="In graph runtimes a model belongs to the tf.Graph that was current when it was loaded.",
            hint="load it again inside this graph (an Estimator's model_fn loads its own).",
            path=path,
        )

    @classmethod
    def other_strategy(cls, path: str, strategy: str, own: Optional[str]) -> InputError:
        return cls(
            "{} is used in the scope of a {}, and was loaded {}.".format(
                path, strategy, "in that of another strategy, a {}".format(own) if own else "outside of it"
            ),
            why="Its variables are not the strategy's: each replica or worker would change its own, or find none.",
            hint="call unihub.load inside `with strategy.scope():`, with the strategy that trains.",
            path=path,
            strategy=strategy,
        )

    @classmethod
    def other_keras(cls, name: str, own: Keras, other: Keras) -> InputError:
        names = {"keras2": "Keras 2 (tf_keras, or tf.keras before TensorFlow 2.16)", "keras3": "Keras 3 (keras)"}
        return cls(
            "{!r} is a {} layer, and was called with a tensor of {}.".format(name, own, other),
            why="The layer belongs to {}, and the model around it to {}; the two cannot be mixed.".format(
                names[str(own)], names[str(other)]
            ),
            hint='load it with keras="{}"; or build the model around it with the Keras of the layer.'.format(other),
            name=name,
            keras=own,
            other=other,
        )

    @classmethod
    def needs_output_shape(cls, name: str) -> InputError:
        return cls(
            "an output of {!r} has no known rank, and a Keras model needs one.".format(name),
            why="The model's files do not state the shape, and Keras builds the next layers from it.",
            hint="pass the shapes without the batch as output_shape=, nested as the outputs are.",
            name=name,
        )

    @classmethod
    def unknown_layer_option(cls, option: str, known: Sequence[str]) -> InputError:
        return cls(
            "a Keras 3 layer has no argument {!r}.".format(option),
            why="Valid arguments are {}, and those of unihub.load.".format(", ".join(known)),
            hint="leave it out." + closest(option, known),
            option=option,
        )

    @classmethod
    def finalized_graph(cls) -> InputError:
        return cls(
            "initialize() cannot add to a finalized graph.",
            why="It needs ops that report which variables are still uninitialized, and this graph takes no more ops.",
            hint="call it before the graph is finalized; a MonitoredSession and an Estimator initialize by themselves.",
        )

    @classmethod
    def unknown_option(cls, option: str, known: Sequence[str]) -> InputError:
        return cls(
            "unknown argument {!r}.".format(option),
            why="Valid arguments are {}; others belong to a Keras layer.".format(", ".join(known)),
            hint='leave it out, or load the model with api="keras".' + closest(option, known),
            option=option,
        )

    @classmethod
    def unknown_word(cls, argument: str, value: object, words: Sequence[str]) -> InputError:
        return cls(
            "invalid value for {}: {!r}.".format(argument, value),
            why="expected one of {}.".format(", ".join(words)),
            hint="pass one of these." + closest(str(value), words),
            argument=argument,
            given=value,
            expected=tuple(words),
        )

    @classmethod
    def needs_tensorflow_version(cls) -> InputError:
        return cls(
            "there is no TensorFlow to plan for.",
            why="None is installed here, and none was named.",
            hint="name one, as in --tensorflow 2.15; or pip install 'unihub[tensorflow]'.",
        )

    @classmethod
    def no_such_runtime(cls, runtime: str, tensorflow: str, known: Sequence[str]) -> InputError:
        return cls(
            "TensorFlow {} has no runtime {}.".format(tensorflow, runtime),
            why="It runs as {} or {}; tf1 is TensorFlow 1.x, tf1-compat and tf2-graph belong to 2.x.".format(
                ", ".join(known[:-1]), known[-1]
            ),
            hint="name another runtime, or another version of TensorFlow.",
            runtime=runtime,
            tensorflow=tensorflow,
        )

    @classmethod
    def not_a_tensor(cls, signature: str, side: str, name: str, value: object) -> InputError:
        return cls(
            "the {} {!r} of the signature {!r} is not a tensor.".format(side, name, signature),
            why="expected a Tensor, a SparseTensor or (from TensorFlow 1.15) a RaggedTensor; got {}.".format(
                type(value).__name__
            ),
            hint="pass a tensor; tf.identity makes one of a variable, tf.constant of an array.",
            signature=signature,
            name=name,
            kind=type(value).__name__,
        )

    @classmethod
    def tensor_elsewhere(cls, signature: str, side: str, name: str) -> InputError:
        return cls(
            "the {} {!r} of the signature {!r} belongs to another graph.".format(side, name, signature),
            why="A module function is called in a graph of its own, and only what it makes there is in the module.",
            hint="make the tensor in the module function itself.",
            signature=signature,
            name=name,
        )

    @classmethod
    def colocated(cls, what: str, places: Sequence[str]) -> InputError:
        return cls(
            "{} must not be placed beside another op.".format(what),
            why="It is colocated with {}. When the module is used, another tensor replaces it.".format(
                ", ".join(op.replace("loc:@", "", 1) for op in places)
            ),
            hint="make it outside of tf.colocate_with; the other op may be placed beside it instead.",
            places=tuple(places),
        )

    @classmethod
    def attachment_key(cls, key: object) -> InputError:
        return cls(
            "{!r} is not a valid key for a message.".format(key),
            why="A key consists of letters, digits and underscores, and begins with a letter.",
            hint="rename it.",
            key=key,
        )

    @classmethod
    def not_a_message(cls, key: str, value: object) -> InputError:
        return cls(
            "the value attached as {!r} is not a protocol message.".format(key),
            why="expected a protobuf message; got {}.".format(type(value).__name__),
            hint="pass one, such as a tf.train.Features, or a message class of your own.",
            key=key,
        )

    @classmethod
    def unsupported_collections(cls, names: Sequence[str], known: Sequence[str]) -> InputError:
        return cls(
            "the module function filled collections that a module cannot have: {}.".format(", ".join(names)),
            why="Loading a module takes over only these: {}.".format(", ".join(known)),
            hint="leave them empty; del tf.compat.v1.get_collection_ref({!r})[:] at the end of the function "
            "does.".format(names[0]),
            names=tuple(names),
        )

    @classmethod
    def asset_is_no_constant(cls, node: str) -> InputError:
        return cls(
            "the asset {!r} is not a constant.".format(node),
            why="The files of a module are named by constants in its graph, one string each, which are set on loading.",
            hint="pass the file's path as a str.",
            node=node,
        )

    @classmethod
    def variables_disagree(
        cls,
        variable: str,
        first: str,
        first_tags: Optional[Iterable[str]],
        second: str,
        second_tags: Optional[Iterable[str]],
    ) -> InputError:
        def holder(tags: Optional[Iterable[str]]) -> str:
            return "the checkpoint" if tags is None else "the graph variant {}".format(tag_set(tags))

        return cls(
            "there is more than one variable {!r}.".format(variable),
            why="It is {} in {}, and {} in {}.".format(first, holder(first_tags), second, holder(second_tags)),
            hint="give it one dtype and shape; or, if these are different variables, names of their own.",
            variable=variable,
            declarations=(first, second),
        )

    @classmethod
    def missing_in_checkpoint(cls, checkpoint: str, names: Sequence[str], known: Sequence[str]) -> InputError:
        return cls(
            "the checkpoint {} lacks {} of the module's variables.".format(checkpoint, len(names)),
            why="Missing are {}; the checkpoint has {}.".format(first_few(names), first_few(known)),
            hint="build the variables in the module function under the names that they had when they were "
            "trained." + closest(names[0], known),
            checkpoint=checkpoint,
            names=tuple(names),
        )

    @classmethod
    def no_session(cls) -> InputError:
        return cls(
            "there is no session that holds the variables of the module.",
            why="The values of a module that was loaded in a graph are in the session that initialized or trained it.",
            hint='save it inside of "with session.as_default():", or pass the session.',
        )

    @classmethod
    def session_of_other_graph(cls) -> InputError:
        return cls(
            "the session does not hold the variables of the module.",
            why="It runs another graph than the one that the module was loaded in.",
            hint="pass the session in which the module was initialized or trained.",
        )

    @classmethod
    def not_a_module(cls, obj: object) -> InputError:
        return cls(
            "a {} cannot be written as a tf1-hub model.".format(type(obj).__name__),
            why="expected a function that builds a graph and calls unihub.add_signature, a hub.ModuleSpec, or a module "
            "that was loaded.",
            hint="wrap it in such a function; or write a TF2 SavedModel, which takes Keras models, tf.Module and "
            "functions of tensors.",
            kind=type(obj).__name__,
        )

    @classmethod
    def no_use_for(cls, argument: str, kind: str) -> InputError:
        return cls(
            "{} takes no {}.".format(kind, argument),
            why="It brings its own, or has none.",
            hint="leave the argument {} out.".format(argument),
            argument=argument,
        )

    @classmethod
    def not_savable(cls, obj: object) -> InputError:
        return cls(
            "{} cannot be written as a tf2-saved-model.".format(kind_of(obj)),
            why="It has nothing that can be called with tensors and written.",
            hint="pass a Keras model or layer, a tf.Module with a tf.function, a function of tensors, or what "
            "unihub.load returned for a SavedModel.",
            given=type(obj).__name__,
        )

    @classmethod
    def needs_inputs(cls, obj: object) -> InputError:
        return cls(
            "the inputs of {} are unknown.".format(kind_of(obj)),
            why="A SavedModel holds traces only, and no trace here states the dtypes and shapes.",
            hint="pass inputs=tf.TensorSpec([None, 8], tf.float32), an array as an example, or a nest of these.",
            given=type(obj).__name__,
        )

    @classmethod
    def no_example(cls, value: object) -> InputError:
        return cls(
            "inputs= has a {} where a spec or an example is needed.".format(type(value).__name__),
            why="A call takes tensors; lists and dicts in inputs= are the structure that holds them.",
            hint="pass a tf.TensorSpec; or an example as a numpy array or a tensor.",
            given=value,
        )

    @classmethod
    def inputs_by_name(cls, names: Sequence[str]) -> InputError:
        return cls(
            "the function has {} arguments, and inputs= does not describe each.".format(len(names)),
            why="Its arguments are {}.".format(", ".join(names)),
            hint="pass a dict with exactly these names as inputs=.",
            expected=tuple(names),
        )

    @classmethod
    def only_for_modules(cls, argument: str) -> InputError:
        return cls(
            "{}= does not go with the format tf2-saved-model.".format(argument),
            why="It belongs to tf1-hub modules, which have graph variants and are written from checkpoints.",
            hint='leave it out; or pass format="tf1-hub".',
            argument=argument,
        )

    @classmethod
    def untracked(cls, detail: str) -> InputError:
        return cls(
            "the function uses a table or variable that nothing keeps.",
            why=" ".join(detail.split())[:300],
            hint="make it an attribute of a tf.Module whose __call__ is the function, and save that.",
        )

    @classmethod
    def needs_session(cls, variable: str) -> InputError:
        return cls(
            "there is no session to read the variable {!r} from.".format(variable),
            why="In a graph the values of variables are in a session.",
            hint='call unihub.save inside "with session.as_default():"; or pass session=.',
            variable=variable,
        )

    @classmethod
    def uninitialized(cls, variable: str) -> InputError:
        return cls(
            "the variable {!r} has no value in the session.".format(variable),
            why="It was neither initialized nor restored there, so there is nothing to write.",
            hint="run tf.compat.v1.global_variables_initializer() in that session, or restore a checkpoint, first.",
            variable=variable,
        )

    @classmethod
    def reference_variable(cls, variable: str) -> InputError:
        return cls(
            "the variable {!r} is of reference type.".format(variable),
            why="A TF2 SavedModel has resource variables only; TensorFlow 1 makes the other kind by default.",
            hint="call tf.compat.v1.enable_resource_variables() before the variables are made.",
            variable=variable,
        )

    @classmethod
    def variable_elsewhere(cls, variable: str) -> InputError:
        return cls(
            "the variable {!r} is not in the graph of the session.".format(variable),
            why="It was made in another tf.Graph, or eagerly, and the session has no value of it.",
            hint="save the model where its variables are: outside of every graph, or with the session of their graph.",
            variable=variable,
        )
