"""The texts of errors about signatures and graph variants."""

from error_messages.facts import DEFAULT, NO_INPUTS, SUM
from unihub._types import Use
from unihub.errors import SignatureError, TagsError

GOLDEN = [
    (
        "SignatureError.unknown",
        SignatureError.unknown("models/convnet", "defualt", [DEFAULT, SUM]),
        """\
        models/convnet has no signature named 'defualt'.
          Why:  It has these:
                  default(images: float32[None,32,32,3]) -> default: float32[None,64]
                  sum(a: float32[?], b: sparse float32[None,None]) -> c: float32[]
          Hint: pass one of them as signature=, or leave it out. Did you mean 'default'?""",
    ),
    (
        "SignatureError.unknown",
        SignatureError.unknown("models/bare", "default", []),
        """\
        models/bare has no signature named 'default'.
          Why:  It has no signatures at all.
          Hint: leave signature= out.""",
    ),
    (
        "SignatureError.required",
        SignatureError.required("models/sums", [SUM, NO_INPUTS]),
        """\
        models/sums does not say which of its signatures to call.
          Why:  None is named 'serving_default' or 'default', and there is not just one:
                  sum(a: float32[?], b: sparse float32[None,None]) -> c: float32[]
                  count() -> output: int64[]
          Hint: pass signature= with one of the names.""",
    ),
    (
        "SignatureError.required",
        SignatureError.required("models/weights", []),
        """\
        models/weights cannot be called.
          Why:  It has no signatures, and its root object is no function.
          Hint: have it exported again with signatures; what it holds are the attributes of
                tf.saved_model.load("models/weights").""",
    ),
    (
        "SignatureError.not_loaded",
        SignatureError.not_loaded("models/convnet", "encode", Use("serving_default", layer=True)),
        """\
        'encode' of models/convnet was not loaded.
          Why:  Only a subset of the model was loaded: the signature serving_default and a layer's weights and losses.
          Hint: load the model with full=True.""",
    ),
    (
        "SignatureError.unknown_output",
        SignatureError.unknown_output("the signature 'feature_map'", "maps", ["map", "default"]),
        """\
        the signature 'feature_map' has no output named 'maps'.
          Why:  Its outputs are: default, map.
          Hint: pass one of them as output_key=, or as_dict=True for all. Did you mean 'map'?""",
    ),
    (
        "SignatureError.outside_module_function",
        SignatureError.outside_module_function("add_signature"),
        """\
        unihub.add_signature was called where no module is under construction.
          Why:  It applies to the graph that a module function builds, and the current graph is not one.
          Hint: call it in the function that is given to unihub.save, and there neither in a tf.function nor in a branch or
                loop of TensorFlow 2.""",
    ),
    (
        "SignatureError.none_added",
        SignatureError.none_added({"train"}),
        """\
        the module function added no signature to the graph variant {'train'}.
          Why:  A module is called through its signatures; without one it cannot be used.
          Hint: call unihub.add_signature in the function, with the tensors that go in and come out.""",
    ),
    (
        "SignatureError.added_twice",
        SignatureError.added_twice("default"),
        """\
        the module function added the signature 'default' twice.
          Why:  The second would replace the first.
          Hint: give each signature a name of its own; without a name it is called 'default'.""",
    ),
    (
        "SignatureError.not_a_name",
        SignatureError.not_a_name(3),
        """\
        3 cannot name a signature, or an input or output of one.
          Why:  expected a str; got int.
          Hint: pass a str.""",
    ),
    (
        "SignatureError.not_traced",
        SignatureError.not_traced("predict", print, 0),
        """\
        'predict' among the signatures is not one function of known inputs.
          Why:  It is a builtin_function_or_method, not traced.
          Hint: pass a tf.function with an input_signature, or what its get_concrete_function() returns.""",
    ),
    (
        "SignatureError.not_traced",
        SignatureError.not_traced("predict", print, 2),
        """\
        'predict' among the signatures is not one function of known inputs.
          Why:  It is a builtin_function_or_method with 2 traces.
          Hint: pass a tf.function with an input_signature, or what its get_concrete_function() returns.""",
    ),
    (
        "TagsError.unknown",
        TagsError.unknown("models/convnet", {"gpu", "train"}, [set(), {"train"}]),
        """\
        models/convnet has no graph variant with the tags {'gpu', 'train'}.
          Why:  Its variants are: {}, {'train'}.
          Hint: pass one of these as tags=, or leave it out.""",
    ),
    (
        "TagsError.required",
        TagsError.required("models/served", [{"serve", "gpu"}, {"serve", "tpu"}]),
        """\
        models/served does not say which of its graph variants to load.
          Why:  None is plain or tagged {'serve'}, and there is not just one: {'gpu', 'serve'}, {'serve', 'tpu'}.
          Hint: pass one of these as tags=.""",
    ),
    (
        "TagsError.train_variant_is_frozen",
        TagsError.train_variant_is_frozen("models/convnet", {"train"}),
        """\
        the graph variant {'train'} of models/convnet is for training, and trainable is False.
          Why:  It keeps dropout active and uses the statistics of each batch, so its outputs would be silently wrong.
          Hint: leave tags= out for inference; or load with trainable=True.""",
    ),
    (
        "TagsError.repeated",
        TagsError.repeated(set()),
        """\
        two graph variants have the tags {}.
          Why:  A graph variant is chosen by its tags, so these two could not be told apart.
          Hint: give each variant tags of its own; the plain one has none.""",
    ),
]
