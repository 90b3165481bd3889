"""What Beam's workers run beside the handler; see engine_parts."""

import apache_beam as beam

import engine_parts
from unihub.integrations.beam import UnihubModelHandler


class Noting(UnihubModelHandler):
    """The handler, which notes each load."""

    def load_model(self):
        engine_parts.note_load(self._source.handle)
        return super().load_model()


class Judged(beam.CombineFn):
    """Of pairs of a row's number and whether it is right: how many are wrong, how many there are, and their sum."""

    def create_accumulator(self):
        return 0, 0, 0

    def add_input(self, accumulator, element):
        wrong, count, total = accumulator
        number, right = element
        return wrong + (not right), count + 1, total + number

    def merge_accumulators(self, accumulators):
        return tuple(map(sum, zip(*accumulators)))

    def extract_output(self, accumulator):
        return accumulator


class Rows(beam.PTransform):
    """Keyed rows, made by the workers."""

    def __init__(self, make, count, chunk=500):
        super().__init__()
        self.make, self.count, self.chunk = make, count, chunk

    def expand(self, pipeline):
        make, count, chunk = self.make, self.count, self.chunk
        return (
            pipeline
            | beam.Create(range(0, count, chunk), reshuffle=False)
            | beam.Reshuffle()
            | beam.FlatMap(lambda first: [(number, make(number)) for number in range(first, min(first + chunk, count))])
        )


def judge(path):
    """A step that compares keyed results with those of one process."""
    right = engine_parts.Judge(path)
    return beam.Map(lambda pair: (pair[0], right(pair[0], pair[1].inference)))
