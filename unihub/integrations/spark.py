"""Any TensorFlow Hub model as a function on the columns of a Spark DataFrame.

Example:
    >>> from pyspark.sql import SparkSession
    >>> from unihub.integrations.spark import predict_udf
    >>> spark = SparkSession.builder.getOrCreate()
    >>> embed = predict_udf("tests/data/tf1_hub/text_embedding")
    >>> texts = spark.createDataFrame([("hello world",), ("the cat",)], ["text"])
    >>> texts.withColumn("embedding", embed("text")).show()

It is built on Spark's own ``predict_batch_udf``. The driver reads the schema from the files of the model and needs no
TensorFlow; each Python worker resolves the handle and loads the model once. Needs the extra ``[spark]``, and Java.
"""

from __future__ import annotations

import inspect
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    Union,
    cast,
)

from unihub import _api, errors
from unihub._plan import plan
from unihub._plan.request import parse_request
from unihub._saved_model.model_info import ModelInfo
from unihub._tf import packages
from unihub._types import Signature, Tensor
from unihub.integrations._batches import BatchModel, Source, name_source

try:
    import numpy as np
    from pyspark.ml.functions import predict_batch_udf
    from pyspark.sql import functions, types
except ImportError as exc:
    raise errors.RuntimeUnavailableError.no_engine("Spark", "pyspark", "spark", exc) from exc

if TYPE_CHECKING:
    from pyspark.sql import Column

    _Array = np.ndarray[Any, np.dtype[Any]]
    # The cells of a column; and the results of a batch, by the name of the field where there are several.
    _Cells = Iterable[object]
    _Results = Union[_Array, Dict[str, _Array]]

_ERRORS = ("raise", "return")
# The field that says why a row has no outputs.
ERROR = "error"

# What a column holds for each dtype; predict_batch_udf has no booleans and no bytes, and Spark no unsigned numbers.
_TYPES: Dict[str, Type[types.DataType]] = {
    "float16": types.FloatType,
    "bfloat16": types.FloatType,
    "float32": types.FloatType,
    "float64": types.DoubleType,
    "bool": types.ByteType,
    "int8": types.ByteType,
    "uint8": types.ShortType,
    "int16": types.ShortType,
    "uint16": types.IntegerType,
    "int32": types.IntegerType,
    "uint32": types.LongType,
    "int64": types.LongType,
    "string": types.StringType,
}
_DTYPES = {
    types.FloatType: "float32",
    types.DoubleType: "float64",
    types.ByteType: "int8",
    types.ShortType: "int16",
    types.IntegerType: "int32",
    types.LongType: "int64",
}


class PredictUdf:
    """A model as a function of columns.

    Attributes:
        signature: The signature that is called.
        return_type: The type of the result.
        input_tensor_shapes: The shape of each input in a row, in the order of the signature: without the batch, unless
            each row is one.
        function: Spark's function itself.
    """

    def __init__(
        self,
        source: Source,
        signature: Signature,
        outputs: Sequence[Tensor],
        batch_size: int,
        returns_errors: bool,
        batched: bool,
    ) -> None:
        self.signature = signature
        self.return_type = _return_type(outputs, returns_errors, batched)
        self.input_tensor_shapes = [_row_shape(tensor, batched) for tensor in signature.inputs]
        # A sole column of arrays Spark stacks itself, and one bad row would end the job; beside a second column, which
        # says nothing, it comes as it is.
        self._is_padded = len(signature.inputs) == 1 and self.input_tensor_shapes[0] != []
        rows = _Rows(source, signature, outputs, self.return_type, returns_errors, batched)
        self.function = predict_batch_udf(
            _maker(rows, len(signature.inputs) + self._is_padded),
            return_type=self.return_type,
            batch_size=batch_size,
            # Of several columns Spark stacks those whose shape is told, so none is; of one column it can be told none.
            input_tensor_shapes={} if len(signature.inputs) + self._is_padded > 1 else None,
        )

    def __call__(self, *columns: Union[Column, str], **by_name: Union[Column, str]) -> Column:
        """The column of results.

        Args:
            *columns: The columns, or their names, in the order of the signature's inputs.
            **by_name: The same by the names of the inputs.

        Returns:
            A column.

        Raises:
            InputError: There are not as many as the signature has inputs, or not of its names.
        """
        names = [tensor.name for tensor in self.signature.inputs]
        given = dict(zip(names, columns), **by_name)
        if set(given) != set(names) or len(columns) + len(by_name) != len(names):
            named = names[: len(columns)] + list(by_name) + ["one more"] * (len(columns) - len(names))
            raise errors.InputError.wrong_names(self.signature, named)
        padding = [functions.lit(0)] if self._is_padded else []
        return self.function(*[given[name] for name in names], *padding)

    def of_struct(self, column: Union[Column, str]) -> Column:
        """The column of results for a column of structs that have the inputs by their names."""
        column = functions.col(column) if isinstance(column, str) else column
        return self(**{tensor.name: column.getField(tensor.name) for tensor in self.signature.inputs})


def predict_udf(
    handle: object,
    signature: Optional[str] = None,
    *,
    output_key: Optional[str] = None,
    as_dict: bool = False,
    tags: Optional[Iterable[str]] = None,
    trust: Union[None, bool, str, Iterable[str]] = None,
    errors: str = "raise",
    batched: bool = False,
    batch_size: int = 512,
    arguments: Optional[Mapping[str, object]] = None,
    offline: Optional[bool] = None,
) -> PredictUdf:
    """Makes a function of columns of a model.

    A text is a column of strings. An array is a column of arrays: nested, or flat, in which case it gets the shape that
    the signature says; or of binaries, which hold its numbers in the dtype of the signature, little-endian and row by
    row, as ``array.tobytes()`` gives them, and which Spark does not move number by number. An output of one number or
    text a row is a column of these, any other of flat arrays; several outputs are a struct. Booleans come as 0 and 1,
    and texts are read as UTF-8.

    Args:
        handle: What ``unihub.resolve`` takes; the driver and the workers need to reach it.
        signature: As for ``unihub.load``, but that a model is called by a signature always, ``serving_default`` say.
        output_key: The name of the one output that is the result.
        as_dict: Whether the result is a struct of all outputs, also where it would be one of them.
        tags: As for ``unihub.load``.
        trust: As for ``unihub.load``.
        errors: What becomes of a row that is null, or that the model cannot take. ``raise``: the job fails.
            ``return``: the result is a struct of the outputs and a text ``error``; outputs are null where there is an
            error, and the error is null where there are outputs.
        batched: Whether a row is a batch already: each cell is an array or binary with the rows of a batch behind one
            another, each row is a call of the model, and its result has the outputs for all rows of the batch behind
            one another, always as an array. Avoids Spark's overhead per row, which can exceed a small model's run time.
        batch_size: The most rows in a call of the model, where a row is none by itself.
        arguments: Inputs of the signature that all rows share.
        offline: As for ``unihub.load``.

    Returns:
        A function of columns; it can also be called by the names of the inputs.

    Raises:
        HandleError, ModelNotFoundError, DownloadError, IntegrityError, UnknownFormatError: As for ``unihub.inspect``.
        SignatureError, TagsError: There is no such signature, output or variant.
        InputError: Spark has no type for an output, or ``errors`` is not one of these words.

    Example:
        >>> udf = predict_udf("tests/data/tf1_hub/convnet", errors="return")
        >>> udf.return_type.simpleString()
        'struct<default:array<float>,error:string>'
        >>> udf.input_tensor_shapes
        [[32, 32, 3]]
    """
    _check_word(errors)
    options = {"output_key": output_key, "as_dict": True, "tags": tags, "trust": trust}
    source = name_source(handle, signature, offline=offline, **options)
    info = _api.inspect(source.handle, offline=offline)
    chosen = _choose_signature(info, signature, source.options["tags"])
    outputs = _choose_outputs(info, chosen, output_key, as_dict)
    shared = dict(arguments or {})
    inputs = tuple(tensor for tensor in chosen.inputs if tensor.name not in shared)
    free = Signature(chosen.name, inputs, chosen.outputs)
    # All outputs are asked for, and those that are wanted are taken.
    loading = dict(source.options, output_key=None, arguments=shared)
    return PredictUdf(
        Source(source.handle, chosen.name, loading), free, outputs, batch_size, errors == "return", batched
    )


def _check_word(word: str) -> None:
    if word not in _ERRORS:
        raise errors.InputError.unknown_word("errors", word, _ERRORS)


def _choose_signature(info: ModelInfo, name: Optional[str], tags: Union[None, str, Iterable[str]]) -> Signature:
    """The signature that ``unihub.load`` would call; of a model that can be called itself, the one it is served by."""
    request = parse_request(signature=name, tags=tags)
    meta_graph = info.meta_graph(plan.choose_tags(info, request)) or info.plain
    chosen = plan.choose_signature(info, meta_graph, request)
    if chosen is not None:
        return chosen
    known = {signature.name: signature for signature in meta_graph.signatures}
    for each in ["serving_default", "default"] + list(known) * (len(known) == 1):
        if each in known:
            return known[each]
    raise errors.SignatureError.required(info.path, meta_graph.signatures)


def _choose_outputs(info: ModelInfo, signature: Signature, key: Optional[str], as_dict: bool) -> List[Tensor]:
    """The outputs that make the result, by the rules of a call of the signature."""
    known = {tensor.name: tensor for tensor in signature.outputs}
    if key is not None:
        if key not in known:
            what = "the signature {!r}".format(signature.name)
            raise errors.SignatureError.unknown_output(what, key, list(known))
        return [known[key]]
    if "default" in known and not as_dict:
        return [known["default"]]
    return list(signature.outputs)


def _return_type(outputs: Sequence[Tensor], returns_errors: bool, batched: bool) -> types.DataType:
    if len(outputs) == 1 and not returns_errors:
        return _type_of(outputs[0], batched)
    fields = [types.StructField(tensor.name, _type_of(tensor, batched)) for tensor in outputs]
    return types.StructType(fields + [types.StructField(ERROR, types.StringType())] * returns_errors)


def _type_of(tensor: Tensor, batched: bool) -> types.DataType:
    if tensor.dtype not in _TYPES or not tensor.shape or tensor.kind != "dense":
        raise errors.InputError.no_column(tensor.name, str(tensor))
    element = _TYPES[tensor.dtype]()
    return types.ArrayType(element) if _row_shape(tensor, batched) else element


def _row_shape(tensor: Tensor, batched: bool) -> Optional[List[Optional[int]]]:
    return None if tensor.shape is None else list(tensor.shape[0 if batched else 1 :])


def _maker(rows: _Rows, count: int) -> Callable[[], Callable[..., _Results]]:
    """What ``predict_batch_udf`` calls once in each worker, for a function of so many columns."""

    def make() -> Callable[..., _Results]:
        rows.load()

        def predict(*columns: _Cells) -> _Results:
            return rows.predict(columns)

        # Spark counts its parameters.
        kind = inspect.Parameter.POSITIONAL_ONLY
        parameters = [inspect.Parameter("column_{}".format(number), kind) for number in range(count)]
        predict.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return predict

    return make


class _Rows:
    """Rows of columns, given to the model in a worker; only plain values until it is loaded there."""

    def __init__(
        self,
        source: Source,
        signature: Signature,
        outputs: Sequence[Tensor],
        return_type: types.DataType,
        returns_errors: bool,
        batched: bool,
    ) -> None:
        self._source = source
        self._batched = batched
        self._inputs = signature.inputs
        self._outputs = tuple(outputs)
        self._return_type = return_type
        self._returns_errors = returns_errors
        self._model: Optional[BatchModel] = None

    def load(self) -> None:
        """Loads the model."""
        options = {name: value for name, value in self._source.options.items() if name != "arguments"}
        self._model = BatchModel(self._source._replace(options=options), self._batched)

    def predict(self, columns: Sequence[_Cells]) -> _Results:
        """What Spark takes for a batch: an array, or a dict of columns."""
        rows = list(zip(*columns[: len(self._inputs)]))
        results = self._run(rows)
        if not isinstance(self._return_type, types.StructType):
            return _column([row[self._outputs[0].name] for row in results], self._return_type)
        failed = [isinstance(row, errors.UnihubError) for row in results]
        fields = {}
        for tensor in self._outputs:
            field = self._return_type[tensor.name].dataType
            values = [None if bad else row[tensor.name] for bad, row in zip(failed, results)]
            fields[tensor.name] = _column(values, field)
        if self._returns_errors:
            fields[ERROR] = np.array([_text(row) if bad else None for bad, row in zip(failed, results)], dtype=object)
        return fields

    def _run(self, rows: Sequence[Tuple[object, ...]]) -> List[Any]:
        assert self._model is not None
        model, arguments = self._model, self._source.options["arguments"]
        return model.run(rows, lambda some: model([self._name(row) for row in some], arguments), self._returns_errors)

    def _name(self, row: Tuple[object, ...]) -> Dict[str, object]:
        return {tensor.name: _value(tensor, value, self._batched) for tensor, value in zip(self._inputs, row)}


def _value(tensor: Tensor, value: object, batched: bool) -> object:
    """A cell as the model takes it: an array in its shape, a number, a text."""
    if isinstance(value, (bytes, bytearray)) and tensor.dtype != "string":
        value = _numbers(tensor, value)
    if isinstance(value, (np.ndarray, list)):
        return _shaped(tensor, value, _row_shape(tensor, batched) or [])
    # Where one number of a column is missing, pandas makes all of it floats.
    if isinstance(value, (float, np.floating)) and "float" not in tensor.dtype:
        value = int(value) if float(value).is_integer() else None if np.isnan(value) else value
    if value is None:
        raise errors.InputError.does_not_fit(tensor.name, str(tensor), "null")
    return value


def _numbers(tensor: Tensor, value: Union[bytes, bytearray]) -> _Array:
    """The flat array whose numbers stand in a cell one behind the other."""
    dtype = np.dtype(packages.import_tensorflow().as_dtype(tensor.dtype).as_numpy_dtype)
    if len(value) % dtype.itemsize:
        raise errors.InputError.does_not_fit(tensor.name, str(tensor), "{} bytes".format(len(value)))
    return np.frombuffer(value, dtype.newbyteorder("<")).astype(dtype, copy=False)


def _shaped(tensor: Tensor, value: object, shape: Sequence[Optional[int]]) -> _Array:
    array = _dense(value)
    if array.shape == tuple(shape) or not shape or shape.count(None) > 1:
        return array
    try:
        return array.reshape([-1 if size is None else size for size in shape])
    except ValueError:
        given = "{} values".format(array.size)
        raise errors.InputError.does_not_fit(tensor.name, str(tensor), given) from None


def _dense(value: object) -> _Array:
    """One array of the nested ones in which Spark gives an array of arrays."""
    array = np.asarray(value, dtype=None if isinstance(value, np.ndarray) else object)
    if array.dtype == object and array.size and all(isinstance(part, (np.ndarray, list)) for part in array.flat):
        parts = [_dense(part) for part in array.flat]
        return np.stack(parts) if len({part.shape for part in parts}) == 1 else array
    return array


class _Ragged(np.ndarray):
    """Rows of different lengths, or missing ones, for which Spark asks for an array of two dimensions all the same."""

    @classmethod
    def of(cls, rows: Sequence[object]) -> _Ragged:
        """The rows, each as it is."""
        array = np.empty([len(rows)], object)
        for index, row in enumerate(rows):
            array[index] = row
        return array.view(cls)

    @property  # type: ignore[misc]
    def shape(self) -> Tuple[int, int]:
        """That of an array of rows."""
        return len(self), 0


def _column(values: Sequence[Optional[_Array]], kind: types.DataType) -> _Array:
    """A column of outputs, ``None`` where a row has none, in the form in which Spark asks for one."""
    if not isinstance(kind, types.ArrayType):
        column = np.empty([len(values)], object)
        column[:] = [None if value is None else _flat(value, kind)[0] for value in values]
        return column if None in values else column.astype(_DTYPES.get(type(kind), object))
    element = kind.elementType
    shapes = {getattr(value, "shape", None) for value in values}
    if type(element) in _DTYPES and None not in shapes and len(shapes) == 1:
        stacked = np.stack(cast("Sequence[_Array]", values))
        return stacked.reshape(len(values), stacked[0].size).astype(_DTYPES[type(element)])
    rows = [None if value is None else _flat(value, element) for value in values]
    present = [row for row in rows if row is not None]
    return np.stack(present) if len(present) == len(rows) and len(set(map(len, present))) == 1 else _Ragged.of(rows)


def _flat(value: _Array, kind: types.DataType) -> _Array:
    """The values of an output, in one dimension, as a column holds them."""
    array = np.asarray(value).reshape(-1)
    if not isinstance(kind, types.StringType):
        return array.astype(_DTYPES[type(kind)])
    texts = np.empty(array.shape, object)
    texts[:] = [bytes(part).decode("utf-8", "replace") for part in array]
    return texts


def _text(error: errors.UnihubError) -> str:
    return "{}: {}".format(type(error).__name__, " ".join(str(error).split()))
