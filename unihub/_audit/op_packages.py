"""The packages that bring ops or types of their own, as data.

The names of ops were listed by importing each package: tensorflow_text 2.10.0, tensorflow_addons 0.18.0,
tensorflow_decision_forests 1.0.1, tensorflow_io 0.27.0 on TensorFlow 2.10.1, tf.contrib of TensorFlow 1.15.5; those of
struct2tensor 0.46.0 and tensorflow_recommenders_addons 0.8.1 are in the libraries of their wheels.
"""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple, Optional, Pattern, Tuple


class OpPackage(NamedTuple):
    """A package that registers ops when it is imported.

    Attributes:
        name: What pip installs.
        module: What is imported.
        ops: Which ops it registers.
        releases: Its release for a TensorFlow, by the version of TensorFlow as ``X.Y``; ``same`` for a package whose
            releases have the numbers of TensorFlow's, empty where unknown.
    """

    name: str
    module: str
    ops: Pattern[str]
    releases: Mapping[str, str] = {}


def _ops(*patterns: str) -> Pattern[str]:
    return re.compile("(?:{})$".format("|".join(patterns)))


# Only what the projects' own tables say, and what was installed here:
# https://github.com/tensorflow/decision-forests/blob/main/documentation/known_issues.md#compatibility-table
# https://github.com/tensorflow/io#tensorflow-version-compatibility
_FORESTS = {"2.5": "0.1.8", "2.6": "0.2.0", "2.7": "0.2.3", "2.8": "0.2.4", "2.9": "0.2.7", "2.10": "1.0.1"}
_IO = {"1.15": "0.8.1", "2.0": "0.9.1", "2.1": "0.12.0", "2.2": "0.14.0", "2.3": "0.16.0", "2.4": "0.17.1"}
_IO.update({"2.5": "0.19.1", "2.10": "0.27.0"})

OP_PACKAGES: Tuple[OpPackage, ...] = (
    OpPackage(
        "tensorflow-text",
        "tensorflow_text",
        _ops(
            "TFText>.*",
            "CaseFoldUTF8",
            "NormalizeUTF8.*",
            "FindSourceOffsets",
            "ConstrainedSequence",
            "MaxSpanningTree",
            "RougeL",
            "RegexSplitWithOffsets",
            "Sentencepiece.*",
            "SentenceFragments.*",
            "SplitMerge.*Tokenize.*",
            "TokenizerFromLogits",
            ".*WordpieceTokenize.*",
            "WhitespaceTokenizeWithOffsets.*",
            "UnicodeScriptTokenizeWithOffsets",
            "FastBertNormalize",
        ),
        {"same": ""},
    ),
    OpPackage("tensorflow-addons", "tensorflow_addons", _ops("Addons>.*")),
    OpPackage(
        "tensorflow-decision-forests",
        "tensorflow_decision_forests",
        _ops("SimpleML.*", "YggdrasilDecisionForests.*"),
        _FORESTS,
    ),
    OpPackage("tensorflow-io", "tensorflow_io", _ops("IO>.*"), _IO),
    OpPackage("tensorflow-recommenders-addons", "tensorflow_recommenders_addons", _ops("TFRA>.*")),
    OpPackage(
        "struct2tensor",
        "struct2tensor",
        _ops("DecodeProtoSparseV.", "DecodeProtoMap.*", "EquiJoin(Any)?Indices", "RunLengthBefore", "ParquetDataset"),
    ),
    OpPackage(
        "tensorflow",
        "tensorflow.contrib",
        _ops(
            "AdjustHsvInYiq", "BigQueryReader", "Bigtable.*", "BipartiteMatch", "Bytes(InUse|Limit)", "MaxBytesInUse",
            "DecodeLibsvm", "(Decode|Encode)(Audio|AudioV2|Video)", "FusedConv2DBiasActivation", "GatherTree",
            "GcsConfigure.*", "GenerateBigQueryReaderPartitions", "HyperplaneLSHProbes", "IgniteDataset",
            "ImageConnectedComponents", "ImageProjectiveTransform", "KafkaDataset", "KinesisDataset", "MaskedMatmul",
            "ObtainNext", "PeriodicResample.*", "ReinterpretStringToFloat", "Resampler(Grad)?", "ScatterAddNdim",
            "SequenceFileDataset", "SingleImageRandomDotStereograms", "SkipGramGenerateCandidates",
            "SparseFeatureCross(V2)?", "WALSComputePartialLhsAndRhs", "Zero(Var)?Initializer", "DatasetToBigtable",
            "(CreateFertileStats|CreateTree)Variable", "(Tree|FertileStats|DecisionTree).*", "(Grow|Traverse)TreeV4",
        ),
        {"1.15": "1.15.5", "1.14": "1.14.0"},
    ),
)  # fmt: skip

# What is imported for a type by the package its name begins with, where the names of the two differ: what pip installs,
# and the module that registers the type.
TYPE_PACKAGES: Mapping[str, Tuple[str, str]] = {
    "tfp": ("tensorflow-probability", "tensorflow_probability"),
    "tensorflow_probability": ("tensorflow-probability", "tensorflow_probability"),
    "tf_agents": ("tf-agents", "tf_agents"),
    "tensorflow_text": ("tensorflow-text", "tensorflow_text"),
    "tensorflow_gnn": ("tensorflow-gnn", "tensorflow_gnn"),
    "tensorflow_ranking": ("tensorflow-ranking", "tensorflow_ranking"),
    "tensorflow_federated": ("tensorflow-federated", "tensorflow_federated"),
    "struct2tensor": ("struct2tensor", "struct2tensor"),
    "trieste": ("trieste", "trieste"),
    "gpflow": ("gpflow", "gpflow"),
}


def package_of(op: str) -> Optional[OpPackage]:
    """The package that registers an op, if one is known."""
    return next((package for package in OP_PACKAGES if package.ops.match(op)), None)


def release_of(package: str, tensorflow: str) -> str:
    """The requirement that pip takes for the release that fits a TensorFlow, or an empty string if none is known."""
    known = next((each.releases for each in OP_PACKAGES if each.name == package), {})
    series = ".".join(tensorflow.split(".")[:2])
    if "same" in known:
        return "{}=={}.*".format(package, series)
    return "{}=={}".format(package, known[series]) if series in known else ""


def type_package(type_spec: str) -> Tuple[str, str]:
    """What pip installs and what is imported for a type, by its name."""
    root = type_spec.split(".")[0]
    return TYPE_PACKAGES.get(root, (root.replace("_", "-"), root))
