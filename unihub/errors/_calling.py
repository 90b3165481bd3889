"""Errors about signatures and graph variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Sequence

from unihub.errors._base import UnihubError
from unihub.errors._wording import closest, kind_of, quoted, table, tag_set

if TYPE_CHECKING:
    from unihub._types import Signature, Use


class SignatureError(UnihubError, ValueError):
    """The model has no such signature or output."""

    @classmethod
    def unknown(cls, path: str, signature: str, signatures: Sequence[Signature]) -> SignatureError:
        names = [known.name for known in signatures]
        return cls(
            "{} has no signature named {!r}.".format(path, signature),
            why="It has {}".format("these:\n" + table(signatures) if names else "no signatures at all."),
            hint="pass one of them as signature=, or leave it out." + closest(signature, names)
            if names
            else "leave signature= out.",
            path=path,
            signature=signature,
            signatures=tuple(names),
        )

    @classmethod
    def required(cls, path: str, signatures: Sequence[Signature]) -> SignatureError:
        return cls(
            "{} {}.".format(path, "does not say which of its signatures to call" if signatures else "cannot be called"),
            why="None is named 'serving_default' or 'default', and there is not just one:\n" + table(signatures)
            if signatures
            else "It has no signatures, and its root object is no function.",
            hint="pass signature= with one of the names."
            if signatures
            else "have it exported again with signatures; what it holds are the attributes of "
            "tf.saved_model.load({}).".format(quoted(path)),
            path=path,
            signatures=tuple(known.name for known in signatures),
        )

    @classmethod
    def not_loaded(cls, path: str, name: str, use: Use) -> SignatureError:
        return cls(
            "{!r} of {} was not loaded.".format(name, path),
            why="Only a subset of the model was loaded: {}.".format(use),
            hint="load the model with full=True.",
            path=path,
            name=name,
        )

    @classmethod
    def unknown_output(cls, signature: str, output_key: str, names: Sequence[str]) -> SignatureError:
        return cls(
            "{} has no output named {!r}.".format(signature, output_key),
            why="Its outputs are: {}.".format(", ".join(sorted(names)) or "none by name"),
            hint="pass one of them as output_key=, or as_dict=True for all." + closest(output_key, names),
            signature=signature,
            output_key=output_key,
            outputs=tuple(sorted(names)),
        )

    @classmethod
    def outside_module_function(cls, function: str) -> SignatureError:
        return cls(
            "unihub.{} was called where no module is under construction.".format(function),
            why="It applies to the graph that a module function builds, and the current graph is not one.",
            hint="call it in the function that is given to unihub.save, and there neither in a tf.function nor in a "
            "branch or loop of TensorFlow 2.",
            function=function,
        )

    @classmethod
    def none_added(cls, tags: Iterable[str]) -> SignatureError:
        return cls(
            "the module function added no signature to the graph variant {}.".format(tag_set(tags)),
            why="A module is called through its signatures; without one it cannot be used.",
            hint="call unihub.add_signature in the function, with the tensors that go in and come out.",
            tags=frozenset(tags),
        )

    @classmethod
    def added_twice(cls, signature: str) -> SignatureError:
        return cls(
            "the module function added the signature {!r} twice.".format(signature),
            why="The second would replace the first.",
            hint="give each signature a name of its own; without a name it is called 'default'.",
            signature=signature,
        )

    @classmethod
    def not_a_name(cls, name: object) -> SignatureError:
        return cls(
            "{!r} cannot name a signature, or an input or output of one.".format(name),
            why="expected a str; got {}.".format(type(name).__name__),
            hint="pass a str.",
            name=name,
        )

    @classmethod
    def not_traced(cls, signature: str, function: object, traces: int) -> SignatureError:
        return cls(
            "{!r} among the signatures is not one function of known inputs.".format(signature),
            why="It is {}{}.".format(kind_of(function), " with {} traces".format(traces) if traces else ", not traced"),
            hint="pass a tf.function with an input_signature, or what its get_concrete_function() returns.",
            signature=signature,
        )


class TagsError(UnihubError, ValueError):
    """The model has no such graph variant, or it contradicts the other arguments."""

    @classmethod
    def unknown(cls, path: str, tags: Iterable[str], tag_sets: Sequence[Iterable[str]]) -> TagsError:
        return cls(
            "{} has no graph variant with the tags {}.".format(path, tag_set(tags)),
            why="Its variants are: {}.".format(", ".join(tag_set(known) for known in tag_sets)),
            hint="pass one of these as tags=, or leave it out.",
            path=path,
            tags=frozenset(tags),
            tag_sets=tuple(frozenset(known) for known in tag_sets),
        )

    @classmethod
    def required(cls, path: str, tag_sets: Sequence[Iterable[str]]) -> TagsError:
        return cls(
            "{} does not say which of its graph variants to load.".format(path),
            why="None is plain or tagged {{'serve'}}, and there is not just one: {}.".format(
                ", ".join(tag_set(known) for known in tag_sets)
            ),
            hint="pass one of these as tags=.",
            path=path,
            tag_sets=tuple(frozenset(known) for known in tag_sets),
        )

    @classmethod
    def train_variant_is_frozen(cls, path: str, tags: Iterable[str]) -> TagsError:
        return cls(
            "the graph variant {} of {} is for training, and trainable is False.".format(tag_set(tags), path),
            why="It keeps dropout active and uses the statistics of each batch, so its outputs would be silently "
            "wrong.",
            hint="leave tags= out for inference; or load with trainable=True.",
            path=path,
            tags=frozenset(tags),
        )

    @classmethod
    def repeated(cls, tags: Iterable[str]) -> TagsError:
        return cls(
            "two graph variants have the tags {}.".format(tag_set(tags)),
            why="A graph variant is chosen by its tags, so these two could not be told apart.",
            hint="give each variant tags of its own; the plain one has none.",
            tags=frozenset(tags),
        )
