"""Any TensorFlow Hub model in Apache Beam's ``RunInference``.

Example:
    >>> import apache_beam as beam
    >>> from apache_beam.ml.inference.base import RunInference
    >>> from unihub.integrations.beam import UnihubModelHandler
    >>> handler = UnihubModelHandler("tests/data/tf1_hub/text_embedding")
    >>> with beam.Pipeline() as pipeline:
    ...     results = pipeline | beam.Create(["hello world", "the cat"]) | RunInference(handler)
    ...     _ = results | beam.Map(lambda result: print(result.example, result.inference.shape))

The handler holds plain values, so it can be sent to workers; a worker resolves the handle and loads the model. Needs
the extra ``[beam]``.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence, Tuple, Union

from unihub import errors
from unihub.integrations._batches import BatchModel, Source, name_source

try:
    from apache_beam.ml.inference.base import ModelHandler, PredictionResult
except ImportError as exc:
    raise errors.RuntimeUnavailableError.no_engine("Apache Beam", "apache_beam", "beam", exc) from exc

# The handle of a model, and its outputs for each element.
_Answer = Tuple[str, Sequence[object]]

_ERRORS = ("raise", "isolate", "return")


class UnihubModelHandler(ModelHandler):  # type: ignore[misc]
    """Loads a model by its handle in each worker process, and runs it on batches of elements.

    An element is what the model takes without the dimension of the batch: a text (``str`` or ``bytes``), a number, an
    array, a tensor or a list; or a dict of these by the names of the inputs, a named tuple or a ``beam.Row``. Its
    result is a ``PredictionResult`` with numpy arrays in the structure in which the model gives its outputs, and the
    handle as ``model_id``. ``inference_args`` of ``RunInference`` go to the call, such as ``training``; those with the
    name of an input of the signature are that input of all elements.

    Args:
        handle: What ``unihub.resolve`` takes; the workers need to reach it.
        signature: As for ``unihub.load``.
        output_key: As for ``unihub.load``.
        as_dict: As for ``unihub.load``.
        tags: As for ``unihub.load``.
        trainable: As for ``unihub.load``; for calls with ``training=True``.
        trust: As for ``unihub.load``.
        offline: As for ``unihub.load``.
        errors: What becomes of an element that fails. ``raise``: its batch fails, as with Beam's own handlers.
            ``isolate``: it fails alone, after inference, so that ``RunInference(...).with_exception_handling()`` puts
            it alone into ``failed_postprocessing``. ``return``: its result has the error in the place of the outputs;
            within a ``KeyedModelHandler``, which allows no steps inside of it, ``raise_failure`` then does the rest.
        batched: Whether an element is a batch already: an array, tensor or list with the rows in its first dimension,
            or a dict of these. Its result has the dimension of the batch, too, and it succeeds or fails as a whole.
            Avoids Beam's overhead per element, which can exceed a small model's run time.
        metrics_namespace: The namespace of the metrics.
        min_batch_size: As for ``beam.BatchElements``, like the next three.
        max_batch_size: The most elements in a batch.
        max_batch_duration_secs: The longest that a batch waits for more elements, in streaming.
        max_batch_weight: The greatest weight of a batch, in what ``element_size_fn`` gives.
        element_size_fn: Gives the weight of an element.
        large_model: Whether all processes of a machine share one model, as for Beam's own handlers.
        model_copies: How many models all processes of a machine share.
        env_vars: Environment variables that are set in a worker before the model is loaded.

    Raises:
        HandleError: The handle is an object, and names no place.
        InputError: ``errors`` is not one of these words.

    Example:
        >>> handler = UnihubModelHandler("tests/data/tf1_hub/text_embedding", errors="isolate", max_batch_size=256)
        >>> handler.get_metrics_namespace()
        'BeamML_unihub'
    """

    def __init__(
        self,
        handle: object,
        signature: Optional[str] = None,
        *,
        output_key: Optional[str] = None,
        as_dict: bool = False,
        tags: Optional[Iterable[str]] = None,
        trainable: bool = False,
        trust: Union[None, bool, str, Iterable[str]] = None,
        offline: Optional[bool] = None,
        errors: str = "raise",
        batched: bool = False,
        metrics_namespace: str = "BeamML_unihub",
        min_batch_size: Optional[int] = None,
        max_batch_size: Optional[int] = None,
        max_batch_duration_secs: Optional[int] = None,
        max_batch_weight: Optional[int] = None,
        element_size_fn: Optional[Callable[[object], int]] = None,
        large_model: bool = False,
        model_copies: Optional[int] = None,
        env_vars: Optional[Dict[str, str]] = None,
    ) -> None:
        super().__init__()
        _check_word(errors)
        options: Dict[str, Any] = {
            "output_key": output_key,
            "as_dict": as_dict,
            "tags": tags,
            "trainable": trainable,
            "trust": trust,
        }
        self._source = name_source(handle, signature, offline=offline, **options)
        self._errors = errors
        self._batched = batched
        self._namespace = metrics_namespace
        batching = {
            "min_batch_size": min_batch_size,
            "max_batch_size": max_batch_size,
            "max_batch_duration_secs": max_batch_duration_secs,
            "max_batch_weight": max_batch_weight,
            "element_size_fn": element_size_fn,
        }
        self._batching = {name: value for name, value in batching.items() if value is not None}
        if batched and not self._batching:
            self._batching = {"min_batch_size": 1, "max_batch_size": 1}
        self._shared = large_model or model_copies is not None
        self._copies = model_copies or 1
        # Beam's own methods, and its handlers around this one, read it by this name.
        self._env_vars = dict(env_vars or {})

    def load_model(self) -> Model:
        """Loads the model; Beam calls it once in a worker process."""
        return Model(self._source, self._batched)

    def run_inference(
        self, batch: Sequence[object], model: Model, inference_args: Optional[Mapping[str, object]] = None
    ) -> Iterable[PredictionResult]:
        """Runs the model on a batch of elements; gives a ``PredictionResult`` for each."""
        name, inferences = model(batch, dict(inference_args or {}), self._errors != "raise")
        return [PredictionResult(*pair, model_id=name) for pair in zip(batch, inferences)]

    def update_model_path(self, model_path: Optional[str] = None) -> None:
        """Takes another handle from now on; Beam calls it with what a side input says."""
        if model_path:
            self._source = name_source(model_path, self._source.signature, **self._source.options)

    def validate_inference_args(self, inference_args: Optional[Dict[str, object]]) -> None:
        """Takes any; the call checks them. Some versions of Beam refuse them where no handler says so."""

    def get_num_bytes(self, batch: Sequence[object]) -> int:
        """The size of a batch."""
        return sum(map(_size_of, batch))

    def get_metrics_namespace(self) -> str:
        """The namespace of the metrics."""
        return self._namespace

    def batch_elements_kwargs(self) -> Mapping[str, object]:
        """How ``beam.BatchElements`` makes batches."""
        return self._batching

    def get_postprocess_fns(self) -> Iterable[Callable[[Any], Any]]:
        """With ``errors="isolate"`` the step in which elements fail alone."""
        return [raise_failure] if self._errors == "isolate" else []

    def share_model_across_processes(self) -> bool:
        """Whether the processes of a machine share models."""
        return self._shared

    def model_copies(self) -> int:
        """How many models they share."""
        return self._copies


class Model:
    """A loaded model, as Beam passes it around: by itself, or by a proxy to another process."""

    def __init__(self, source: Source, batched: bool) -> None:
        self._model = BatchModel(source, batched)

    def __call__(self, batch: Sequence[object], arguments: Mapping[str, object], isolate: bool) -> _Answer:
        """The handle, and the outputs for each element."""
        return self._model.source.handle, self._model(batch, arguments, isolate)


def raise_failure(result: Any) -> Any:
    """Raises the error that a result has in the place of outputs; gives every other result back.

    As a step after inference it makes of ``errors="return"`` what ``with_exception_handling`` puts aside by elements:
    ``KeyedModelHandler(UnihubModelHandler(handle, errors="return")).with_postprocess_fn(raise_failure)``.

    Args:
        result: A ``PredictionResult``, or a pair of a key and one.

    Returns:
        The same.

    Raises:
        UnihubError: What the element failed with.
    """
    # Beam checks the elements of a pipeline by the annotations, so result has none that is narrower.
    prediction = result if isinstance(result, PredictionResult) else result[1]
    if isinstance(prediction.inference, errors.UnihubError):
        raise prediction.inference
    return result


def _check_word(word: str) -> None:
    if word not in _ERRORS:
        raise errors.InputError.unknown_word("errors", word, _ERRORS)


def _size_of(element: object) -> int:
    # Beam asks for every batch, so what there is most of comes first.
    if isinstance(element, (str, bytes)):
        return len(element)
    if hasattr(element, "nbytes"):
        return int(element.nbytes)
    if isinstance(element, Mapping):
        return sum(map(_size_of, element.values()))
    if isinstance(element, (list, tuple)):
        return sum(map(_size_of, element))
    return _size_of(element.numpy()) if hasattr(element, "numpy") else 8
