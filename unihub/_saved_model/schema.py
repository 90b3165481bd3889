"""The fields of TensorFlow's messages that unihub reads, as data: what is not listed here is skipped by its length.

One table serves the binary and the text form of a model, so both are read the same way. Numbers and names are those
of TensorFlow's own .proto files, which never change the meaning of a number once it is given.
"""

from __future__ import annotations

from typing import Dict, Mapping, Tuple

Fields = Mapping[str, Tuple[int, str]]

# The kinds of a field that are no message: a number, a number whose text form is the name of an enum member,
# text, and bytes whose meaning only the reader knows.
NUMBER = "number"
DTYPE = "dtype"
TYPE_SPEC_CLASS = "type_spec_class"
TEXT = "text"
BYTES = "bytes"

DTYPES: Mapping[int, str] = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
    24: "float8_e5m2",
    25: "float8_e4m3fn",
    26: "float8_e4m3fnuz",
    27: "float8_e4m3b11fnuz",
    28: "float8_e5m2fnuz",
    29: "int4",
    30: "uint4",
    31: "int2",
    32: "uint2",
    33: "float4_e2m1fn",
}

ITEM_BYTES: Mapping[str, int] = {
    "float32": 4,
    "float64": 8,
    "int32": 4,
    "uint8": 1,
    "int16": 2,
    "int8": 1,
    "complex64": 8,
    "int64": 8,
    "bool": 1,
    "qint8": 1,
    "quint8": 1,
    "qint32": 4,
    "bfloat16": 2,
    "qint16": 2,
    "quint16": 2,
    "uint16": 2,
    "complex128": 16,
    "float16": 2,
    "uint32": 4,
    "uint64": 8,
    "float8_e5m2": 1,
    "float8_e4m3fn": 1,
    "float8_e4m3fnuz": 1,
    "float8_e4m3b11fnuz": 1,
    "float8_e5m2fnuz": 1,
    "int4": 1,
    "uint4": 1,
    "int2": 1,
    "uint2": 1,
    "float4_e2m1fn": 1,
}

TYPE_SPECS: Mapping[int, str] = {
    1: "SparseTensorSpec",
    2: "IndexedSlicesSpec",
    3: "RaggedTensorSpec",
    4: "TensorArraySpec",
    5: "DatasetSpec",
    6: "IteratorSpec",
    7: "OptionalSpec",
    8: "PerReplicaSpec",
    9: "VariableSpec",
    10: "RowPartitionSpec",
}

# The number of a type that is known by the name of its class only.
REGISTERED_TYPE_SPEC = 12

# Where the name in the .proto file is not the upper case of ours.
_DTYPE_ALIASES = {"float32": "DT_FLOAT", "float64": "DT_DOUBLE", "float16": "DT_HALF"}

_REF = 100  # DT_FLOAT_REF is DT_FLOAT + 100, and so on for every dtype

ENUMS: Mapping[str, Mapping[str, int]] = {
    DTYPE: {
        _DTYPE_ALIASES.get(name, "DT_" + name.upper()) + suffix: number + offset
        for number, name in DTYPES.items()
        for suffix, offset in (("", 0), ("_REF", _REF))
    },
    TYPE_SPEC_CLASS: {
        "SPARSE_TENSOR_SPEC": 1,
        "INDEXED_SLICES_SPEC": 2,
        "RAGGED_TENSOR_SPEC": 3,
        "TENSOR_ARRAY_SPEC": 4,
        "DATA_DATASET_SPEC": 5,
        "DATA_ITERATOR_SPEC": 6,
        "OPTIONAL_SPEC": 7,
        "PER_REPLICA_SPEC": 8,
        "VARIABLE_SPEC": 9,
        "ROW_PARTITION_SPEC": 10,
        "REGISTERED_TYPE_SPEC": REGISTERED_TYPE_SPEC,
        "EXTENSION_TYPE_SPEC": 13,
    },
}


def dtype_name(number: int) -> str:
    """The TensorFlow name of a dtype, ``unknown`` for one that is younger than this table."""
    if number > _REF:
        return dtype_name(number - _REF) + "_ref"
    return DTYPES.get(number, "unknown")


def _map_of(value: str) -> Fields:
    """The entries of a protocol-buffer map, which are messages of a key and a value."""
    return {"key": (1, TEXT), "value": (2, value)}


MESSAGES: Dict[str, Fields] = {
    "SavedModel": {"saved_model_schema_version": (1, NUMBER), "meta_graphs": (2, "MetaGraphDef")},
    "MetaGraphDef": {
        "meta_info_def": (1, "MetaInfoDef"),
        "graph_def": (2, "GraphDef"),
        "saver_def": (3, "SaverDef"),
        "collection_def": (4, "CollectionEntry"),
        "signature_def": (5, "SignatureEntry"),
        "asset_file_def": (6, "AssetFileDef"),
        "object_graph_def": (7, "SavedObjectGraph"),
    },
    "MetaInfoDef": {"tags": (4, TEXT), "tensorflow_version": (5, TEXT)},
    "CollectionEntry": _map_of("CollectionDef"),
    "CollectionDef": {
        "node_list": (1, "NodeList"),
        "bytes_list": (2, "BytesList"),
        "any_list": (5, "AnyList"),
    },
    "NodeList": {"value": (1, TEXT)},
    "BytesList": {"value": (1, BYTES)},
    "AnyList": {"value": (1, "Any")},
    "Any": {"type_url": (1, TEXT), "value": (2, BYTES)},
    "SaverDef": {"filename_tensor_name": (1, TEXT)},
    "VariableDef": {
        "variable_name": (1, TEXT),
        "initializer_name": (2, TEXT),
        "snapshot_name": (3, TEXT),
        "initial_value_name": (6, TEXT),
    },
    "AssetFileDef": {"tensor_info": (1, "TensorInfo"), "filename": (2, TEXT)},
    # tensorflow_hub's own: what the author of a module attached to it.
    "ModuleAttachment": {"key": (1, TEXT), "value": (2, BYTES)},
    "SignatureEntry": _map_of("SignatureDef"),
    "SignatureDef": {"inputs": (1, "TensorEntry"), "outputs": (2, "TensorEntry"), "method_name": (3, TEXT)},
    "TensorEntry": _map_of("TensorInfo"),
    "TensorInfo": {
        "name": (1, TEXT),
        "dtype": (2, DTYPE),
        "tensor_shape": (3, "TensorShapeProto"),
        "coo_sparse": (4, "CooSparse"),
        "composite_tensor": (5, "CompositeTensor"),
    },
    "CooSparse": {
        "values_tensor_name": (1, TEXT),
        "indices_tensor_name": (2, TEXT),
        "dense_shape_tensor_name": (3, TEXT),
    },
    "CompositeTensor": {"type_spec": (1, "TypeSpecProto"), "components": (2, "TensorInfo")},
    "TensorShapeProto": {"dim": (2, "Dim"), "unknown_rank": (3, NUMBER)},
    "Dim": {"size": (1, NUMBER)},
    "GraphDef": {"node": (1, "NodeDef"), "library": (2, "FunctionDefLibrary")},
    "NodeDef": {"name": (1, TEXT), "op": (2, TEXT), "input": (3, TEXT), "attr": (5, "AttrEntry")},
    "AttrEntry": _map_of("AttrValue"),
    "AttrValue": {
        "list": (1, "AttrList"),
        "s": (2, BYTES),
        "type": (6, DTYPE),
        "shape": (7, "TensorShapeProto"),
        "tensor": (8, "TensorProto"),
        "func": (10, "NameAttrList"),
    },
    "AttrList": {"s": (2, BYTES)},
    "NameAttrList": {"name": (1, TEXT)},
    "TensorProto": {"string_val": (8, BYTES)},
    "FunctionDefLibrary": {"function": (1, "FunctionDef")},
    "FunctionDef": {"signature": (1, "OpDef"), "node_def": (3, "NodeDef")},
    "OpDef": {"name": (1, TEXT), "input_arg": (2, "ArgDef")},
    "ArgDef": {"name": (1, TEXT)},
    "SavedObjectGraph": {"nodes": (1, "SavedObject"), "concrete_functions": (2, "ConcreteFunctionEntry")},
    "SavedObject": {
        "children": (1, "ObjectReference"),
        "slot_variables": (3, "SlotVariableReference"),
        "user_object": (4, "SavedUserObject"),
        "asset": (5, "SavedAsset"),
        "function": (6, "SavedFunction"),
        "variable": (7, "SavedVariable"),
        "bare_concrete_function": (8, "SavedBareConcreteFunction"),
    },
    "SavedUserObject": {"identifier": (1, TEXT), "metadata": (3, BYTES)},
    "SavedAsset": {"asset_file_def_index": (1, NUMBER)},
    # What Keras writes beside a SavedModel since TensorFlow 2.5.
    "KerasMetadata": {"nodes": (1, "KerasObject")},
    "KerasObject": {"node_path": (3, TEXT), "identifier": (4, TEXT), "metadata": (5, BYTES)},
    "ObjectReference": {"node_id": (1, NUMBER), "local_name": (2, TEXT)},
    "SlotVariableReference": {"slot_variable_node_id": (3, NUMBER)},
    "SavedFunction": {"concrete_functions": (1, TEXT), "function_spec": (2, "FunctionSpec")},
    "SavedBareConcreteFunction": {"argument_keywords": (2, TEXT)},
    "FunctionSpec": {"fullargspec": (1, "StructuredValue"), "is_method": (2, NUMBER)},
    "SavedVariable": {
        "dtype": (1, DTYPE),
        "shape": (2, "TensorShapeProto"),
        "trainable": (3, NUMBER),
        "name": (6, TEXT),
    },
    "ConcreteFunctionEntry": _map_of("SavedConcreteFunction"),
    "SavedConcreteFunction": {
        "bound_inputs": (2, NUMBER),
        "canonicalized_input_signature": (3, "StructuredValue"),
        "output_signature": (4, "StructuredValue"),
    },
    "StructuredValue": {
        "string_value": (13, TEXT),
        "tensor_shape_value": (31, "TensorShapeProto"),
        "tensor_dtype_value": (32, DTYPE),
        "type_spec_value": (34, "TypeSpecProto"),
        "list_value": (51, "ListValue"),
        "tuple_value": (52, "ListValue"),
        "dict_value": (53, "DictValue"),
        "named_tuple_value": (54, "NamedTupleValue"),
    },
    "TypeSpecProto": {
        "type_spec_class": (1, TYPE_SPEC_CLASS),
        "type_state": (2, "StructuredValue"),
        "type_spec_class_name": (3, TEXT),
    },
    "ListValue": {"values": (1, "StructuredValue")},
    "DictValue": {"fields": (1, "StructuredEntry")},
    "NamedTupleValue": {"values": (2, "StructuredEntry")},
    # A map's entry and a named tuple's PairValue have the same two fields.
    "StructuredEntry": _map_of("StructuredValue"),
    "BundleHeaderProto": {"num_shards": (1, NUMBER)},
    "BundleEntryProto": {
        "shard_id": (3, NUMBER),
        "offset": (4, NUMBER),
        "size": (5, NUMBER),
    },
}
