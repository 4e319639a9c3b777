"""A large set's files, each made by itself.

Example i depends on the seed, the split and i alone. So whoever makes a file needs its
number and nothing else: no example is sorted, sent or kept, and a billion images take
the memory of ten thousand, in one process or in a thousand.
"""

import contextlib
import dataclasses
import functools
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds

from .config import ShakyLettersConfig, SplitConfig
from .examples import stored
from .records import RecordSerializer

LARGEST = 10_000
"""Images in a file at most: 75 MB, which is quick to read, and ten seconds' work."""

FEWEST = 8
"""Files of a split at least, so that there is work for several processes."""

Shard = tuple[str, int]
"""A file: its split's name, and its number there."""


@dataclasses.dataclass(frozen=True)
class ShardWriter:
    """Writes the files of a set; a worker has one for all the files that it makes.

    Attributes:
        config: what is written.
        splits: its splits by name.
        features: of an example.
        files: their folder and names.
        file_format: of the files.
    """

    config: ShakyLettersConfig
    splits: dict[str, SplitConfig]
    features: tfds.features.FeaturesDict
    files: tfds.core.ShardedFileTemplate
    file_format: tfds.core.FileFormat

    def shards(self, name: str) -> list[Shard]:
        """Returns the files of a split."""
        return [(name, index) for index in range(self._count(name))]

    def lengths(self, name: str) -> list[int]:
        """Returns the number of images in each file of a split."""
        return [len(self._images(shard)) for shard in self.shards(name)]

    def template(self, name: str) -> tfds.core.ShardedFileTemplate:
        """Returns the names of a split's files."""
        return self.files.replace(split=name)

    def write(self, shard: Shard) -> tuple[str, int]:
        """Writes a file, whole or not at all.

        Returns:
            the split's name, and the bytes of the records.
        """
        name, index = shard
        config, split, size = self.config, self.splits[name], 0

        def records() -> Iterator[tuple[int, bytes]]:
            nonlocal size
            for i in self._images(shard):
                example = self.features.encode_example(stored(config, split, i))
                record = self._serializer.serialize_example(example)
                size += len(record)
                yield i, record

        path = self.template(name).sharded_filepath(
            shard_index=index, num_shards=self._count(name)
        )
        with tfds.core.utils.incomplete_file(path) as draft:
            tfds.core.ExampleWriter(self.file_format).write(draft, records())
        return name, size

    def _images(self, shard: Shard) -> range:
        """Returns which images a file holds; files of a split differ by one at most."""
        name, index = shard
        images, count = self.splits[name].size, self._count(name)
        first, last = (round(images * k / count) for k in (index, index + 1))
        return range(first, last)

    def _count(self, name: str) -> int:
        images = self.splits[name].size
        return max(-(-images // LARGEST), min(images, FEWEST))

    @functools.cached_property
    def _serializer(self) -> RecordSerializer:
        return RecordSerializer(self.features.get_serialized_info())


def write_here(writer: ShardWriter) -> dict[str, int]:
    """Writes all files in this process.

    Returns:
        the bytes of each split's records.
    """
    sizes = dict.fromkeys(writer.splits, 0)
    for shard in _bar([s for name in writer.splits for s in writer.shards(name)]):
        name, size = writer.write(shard)
        sizes[name] += size
    return sizes


def write_on_beam(writer: ShardWriter, runner: Any, options: Any) -> dict[str, int]:
    """Writes all files in the processes of an Apache Beam runner.

    The pipeline's elements are the files' numbers, its graph is as small for any set.

    Args:
        writer: of the files; their folder is one that all workers see.
        runner: a Beam runner or its name; None for that of the options.
        options: a Beam `PipelineOptions`.

    Returns:
        the bytes of each split's records.
    """
    import apache_beam as beam  # here alone: it takes seconds

    # The folder is all that this process has in common with workers on other machines.
    report = writer.files.data_dir / "bytes.json"

    def tell(sizes: dict[str, int]) -> None:
        report.write_text(json.dumps(sizes))

    with _watching(writer), beam.Pipeline(runner=runner, options=options) as pipeline:
        _ = (
            pipeline
            | "Splits" >> beam.Create(list(writer.splits))
            | "Files" >> beam.FlatMap(writer.shards)
            | "Spread" >> beam.Reshuffle()
            | "Write" >> beam.Map(writer.write)
            | "Add" >> beam.CombinePerKey(sum)
            | "Collect" >> beam.combiners.ToDict()
            | "Tell" >> beam.Map(tell)
        )
    sizes = json.loads(report.read_text())
    report.unlink()
    return sizes


@contextlib.contextmanager
def _watching(writer: ShardWriter) -> Iterator[None]:
    """Shows how many files are finished, and the time left, while others make them."""
    folder, over = writer.files.data_dir, threading.Event()
    shards = [s for name in writer.splits for s in writer.shards(name)]

    def watch() -> None:
        took = 0.0
        with _bar(shards) as bar:
            # Looking into a folder far away takes a while: no more than a tenth of it.
            while not over.wait(max(1.0, 10 * took)):
                start = time.monotonic()
                files = (f for f in folder.iterdir() if ".json" not in f.suffix)
                bar.n = sum(not tfds.core.utils.is_incomplete_file(f) for f in files)
                bar.refresh()
                took = time.monotonic() - start

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _bar(shards: list[Shard]) -> Any:
    return tfds.core.utils.tqdm(shards, desc="Writing", unit=" files", leave=False)
