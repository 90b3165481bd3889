"""The ops by which a model does more than compute, as data: each with the reason, and when it is unsafe.

All ops of TensorFlow 1.15 (with tf.contrib), 2.4 and 2.21, and of the packages in ``op_packages``, were gone through.
docs/safety.md shows this table.
"""

from __future__ import annotations

from typing import Dict, Iterable, NamedTuple, Optional, Tuple


class Rule(NamedTuple):
    """What is to be said of an op.

    Attributes:
        reason: What it does, as the end of a sentence that begins with the op.
        path: Which of its inputs name files, where the op is safe as long as these are the model's own assets.
        is_saver: Whether it is safe as a part of the model's own saver, whose file the loader names.
        attribute: An attribute that makes it unsafe when it has a value; it always is where there is none.
        starts: What that value begins with to be unsafe.
        switch: The input that makes it unsafe, unless it is the empty text.
    """

    reason: str
    path: Tuple[int, ...] = ()
    is_saver: bool = False
    attribute: str = ""
    starts: str = ""
    switch: Optional[int] = None


def _all(names: str, rule: Rule) -> Dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


def _versions(names: str, *suffixes: str) -> str:
    return " ".join(name + suffix for name in names.split() for suffix in ("",) + suffixes)


_READS = "reads files"
_WRITES = "writes files"
_CONNECTS = "opens network connections"
_PYTHON = "runs a Python function of the process that loads the model"
_SERVICE = "reads from or writes to a service on the network"

_CORE: Tuple[Dict[str, Rule], ...] = (
    # Files.
    _all("ReadFile", Rule(_READS, path=(0,))),
    _all("WriteFile", Rule("writes a file")),
    _all("MatchingFiles", Rule("lists the files that a pattern matches")),
    _all("MatchingFilesDataset ExperimentalMatchingFilesDataset", Rule("lists the files that a pattern matches")),
    _all("InitializeTableFromTextFile InitializeTableFromTextFileV2", Rule("reads a table from a file", path=(1,))),
    _all("GenerateVocabRemapping", Rule("reads vocabularies from files", path=(0, 1))),
    _all("FixedUnigramCandidateSampler", Rule("reads a vocabulary from a file", attribute="vocab_file")),
    _all("ImmutableConst", Rule("maps a file into memory")),
    _all("RecordInput", Rule("reads the files that a pattern matches")),
    _all(_versions("WholeFileReader TextLineReader TFRecordReader FixedLengthRecordReader", "V2"), Rule(_READS)),
    _all("LMDBReader", Rule("reads a database file")),
    # Checkpoints.
    _all("Save SaveSlices SaveV2", Rule("writes a checkpoint", path=(0,), is_saver=True)),
    _all("Restore RestoreSlice RestoreV2 DTensorRestoreV2", Rule("reads a checkpoint", path=(0,), is_saver=True)),
    _all("MergeV2Checkpoints", Rule("moves and deletes checkpoint files", path=(0, 1), is_saver=True)),
    _all("LoadAndRemapMatrix", Rule("reads a checkpoint")),
    # Data sets.
    _all(_versions("TextLineDataset TFRecordDataset", "V2"), Rule(_READS, path=(0,))),
    _all(_versions("FixedLengthRecordDataset", "V2"), Rule(_READS, path=(0,))),
    _all(_versions("CSVDataset", "V2") + " ExperimentalCSVDataset", Rule(_READS, path=(0,))),
    _all("LMDBDataset ExperimentalLMDBDataset", Rule("reads a database file")),
    _all("SqlDataset ExperimentalSqlDataset", Rule("runs queries on a database")),
    _all(_versions("CacheDataset", "V2"), Rule("writes what it caches into files, and reads them", switch=1)),
    _all(_versions("SnapshotDataset", "V2"), Rule("writes a data set into files, and reads them")),
    _all("SnapshotDatasetReader SnapshotNestedDatasetReader SnapshotChunkDataset", Rule("reads a data set from files")),
    _all("ListSnapshotChunksDataset", Rule("lists the files of a data set")),
    _all(_versions("SaveDataset", "V2"), Rule("writes a data set into files")),
    _all("LoadDataset", Rule("reads a data set from files")),
    _all("DatasetToTFRecord ExperimentalDatasetToTFRecord", Rule("writes a data set into a file")),
    _all("DistributedSave", Rule("has a service on the network write a data set")),
    _all(_versions("DataServiceDataset", "V2", "V3", "V4"), Rule(_CONNECTS)),
    _all(_versions("RegisterDataset", "V2"), Rule(_CONNECTS)),
    # Python.
    _all("PyFunc PyFuncStateless EagerPyFunc", Rule(_PYTHON)),
    # The network.
    _all("Rpc TryRpc RpcClient RpcCall", Rule(_CONNECTS)),
    _all("RpcServer RpcServerRegister RpcServerStart", Rule("serves functions on the network")),
    # Summaries and debugging.
    _all("CreateSummaryFileWriter", Rule("writes summaries into files")),
    _all("CreateSummaryDbWriter", Rule("writes summaries into a database")),
    _all("ImportEvent", Rule("writes summaries into files")),
    _all("PrintV2", Rule("writes into a file", attribute="output_stream", starts="file://")),
    _all(
        "DebugIdentity DebugNanCount DebugNumericSummary DebugIdentityV3",
        Rule("writes tensors into files or sends them", attribute="debug_urls"),
    ),
    _all("DebugIdentityV2", Rule("writes tensors into files", attribute="tfdbg_run_id")),
    _all("DumpTensor", Rule("writes tensors into files")),
    _all("CalibrationStatisticsSaver", Rule(_WRITES)),
    # The process and code outside of TensorFlow's ops.
    _all("Abort", Rule("ends the process")),
    _all("WorkerHeartbeat", Rule("can end the process")),
    _all("FileSystemSetConfiguration", Rule("changes how file systems are accessed")),
    _all("XlaCustomCall XlaCustomCallV2", Rule("calls native code by its name")),
    _all("RemoteFusedGraphExecute", Rule("hands a program to an executor outside of TensorFlow")),
    _all("TRTEngineOp", Rule("runs machine code that the model brings (a TensorRT engine)")),
    _all("InitializeTRTResource", Rule("reads machine code from a file (a TensorRT engine)")),
    _all("SerializeTRTResource", Rule("writes a TensorRT engine into a file")),
)

_CONTRIB: Tuple[Dict[str, Rule], ...] = (
    _all("SequenceFileDataset", Rule(_READS)),
    _all("BigQueryReader GenerateBigQueryReaderPartitions", Rule(_SERVICE)),
    _all("BigtableClient BigtableTable BigtableDataset DatasetToBigtable", Rule(_SERVICE)),
    _all("BigtableLookupDataset BigtablePrefixKeyDataset BigtableRangeKeyDataset", Rule(_SERVICE)),
    _all("BigtableSampleKeysDataset BigtableSampleKeyPairsDataset BigtableScanDataset", Rule(_SERVICE)),
    _all("IgniteDataset KafkaDataset KinesisDataset", Rule(_SERVICE)),
    _all("GcsConfigureBlockCache GcsConfigureCredentials", Rule("changes how file systems are accessed")),
    # They write a film or a sound into a temporary file for the program ffmpeg, which they start.
    _all("DecodeAudio DecodeAudioV2 DecodeVideo EncodeAudio EncodeAudioV2", Rule("starts the program ffmpeg")),
)

_PACKAGES: Tuple[Dict[str, Rule], ...] = (
    _all("SimpleMLLoadModelFromPath", Rule("reads a decision forest from a directory", path=(0,))),
    _all("SimpleMLLoadModelFromPathWithHandle", Rule("reads a decision forest from a directory", path=(1,))),
    _all("SimpleMLFileModelLoader", Rule("reads a decision forest from a directory")),
    _all("SimpleMLShowModel", Rule("reads a decision forest from a directory")),
    _all("SimpleMLModelTrainer SimpleMLModelTrainerOnFile", Rule(_WRITES)),
    _all("SimpleMLNumericalFeatureOnFile SimpleMLCategoricalIntFeatureOnFile", Rule(_WRITES)),
    _all("SimpleMLCategoricalStringFeatureOnFile SimpleMLWorkerFinalizeFeatureOnFile", Rule(_WRITES)),
    _all("SimpleMLChiefFinalizeFeatureOnFile", Rule(_WRITES)),
)

_OTHERS: Tuple[Dict[str, Rule], ...] = (
    _all("ParquetDataset", Rule(_READS)),
    _all("TFRA>CuckooHashTableSaveToFileSystem TFRA>HkvHashTableSaveToFileSystem", Rule(_WRITES)),
    _all("TFRA>CuckooHashTableLoadFromFileSystem TFRA>HkvHashTableLoadFromFileSystem", Rule(_READS)),
    _all("TFRA>RedisTableSaveToFileSystem", Rule(_WRITES)),
    _all("TFRA>RedisTableLoadFromFileSystem", Rule(_READS)),
    _all("TFRA>RedisTableOfTensors", Rule(_SERVICE)),
)

# Of tensorflow_io, ops that take bytes and give tensors are left out; all others open files or connections.
_IO_FILES = (
    "ArrowFeatherDataset AudioReadableInit AvroDataset AvroReadableInit AvroRecordDataset CSVReadableInit "
    "FeatherReadableInit FileInfo FileInit FileRead HDF5ReadableInfo HDF5ReadableRead JSONReadableInit LMDBDatasetV2 "
    "LMDBInput LMDBMappingInit LMDBReadableInit ListArchiveEntries ListAvroColumns ListFeatherColumns NumpyInfo "
    "NumpyRead NumpySpec ORCReadableInit ParquetReadableInfo ParquetReadableRead PcapReadableInit ReadArchive ReadAvro "
    "ReadFastq ReadText VideoReadableInit AvroReadablePartitions ArrowSerializedDataset ArrowZeroCopyDataset"
)
_IO_WRITES = "FileCall FileSync TextOutputSequence TextOutputSequenceSetItem"
_IO_SERVICES = (
    "ArrowStreamDataset BigQueryClient BigQueryReadSession BigQueryTestClient BigQueryDataset "
    "ElasticsearchReadableInit GRPCReadableInit "
    "KafkaDataset KafkaDecodeAvroInit KafkaGroupReadableInit KafkaIterableInit KafkaOutputSequence "
    "KafkaReadableInit KinesisReadableInit LayerKafkaInit MongoDBReadableInit MongoDBWritableInit "
    "PrometheusReadableInit PrometheusScrape PubSubReadableInit PulsarReadableInit PulsarWritableInit SqlIterableInit "
    "WriteKafka"
)


def _io(names: str) -> str:
    return " ".join("IO>" + name for name in names.split())


_IO: Tuple[Dict[str, Rule], ...] = (
    _all(_io(_IO_FILES), Rule(_READS)),
    _all(_io(_IO_WRITES), Rule(_WRITES)),
    _all(_io(_IO_SERVICES), Rule(_SERVICE)),
    _all(_io("VideoCaptureReadableInit"), Rule("opens a camera")),
    _all(_io("FileSystemSetConfiguration"), Rule("changes how file systems are accessed")),
)

LAMBDA = "Lambda"
LAMBDA_REASON = "holds marshalled Python code, which Keras runs when it rebuilds the layer (unihub does not)"

# Where the ops come from, for the table in the docs.
GROUPS: Tuple[Tuple[str, Tuple[Dict[str, Rule], ...]], ...] = (
    ("TensorFlow", _CORE),
    ("tf.contrib (TensorFlow 1)", _CONTRIB),
    ("tensorflow_decision_forests", _PACKAGES),
    ("tensorflow_io", _IO),
    ("struct2tensor, tensorflow_recommenders_addons", _OTHERS),
)

UNSAFE_OPS: Dict[str, Rule] = {
    op: rule for _, tables in GROUPS for table in tables for op, rule in table.items()
}  # fmt: skip


def pattern(names: Iterable[str]) -> str:
    """A regular expression that finds any of the names, by the letters they begin with in common.

    It takes a third of the time of one that tries the names one by one.
    """
    tree: Dict[str, Dict[str, object]] = {}
    for name in names:
        branch = tree
        for letter in name:
            branch = branch.setdefault(letter, {})  # type: ignore[assignment]
        branch[""] = {}
    return _pattern_of(tree)


def _pattern_of(tree: Dict[str, Dict[str, object]]) -> str:
    # Letters of the names are letters of regular expressions too, but for none of them.
    ways = [letter + _pattern_of(branch) for letter, branch in sorted(tree.items()) if letter]  # type: ignore[arg-type]
    if not ways:
        return ""
    one = ways[0] if len(ways) == 1 else "(?:{})".format("|".join(ways))
    return "(?:{})?".format(one) if "" in tree else one
