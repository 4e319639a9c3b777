"""shaky_letters: regular and shaky handwriting, generated from pen paths."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from . import canonical
from .config import ShakyLettersConfig, SplitConfig
from .examples import CLASSES, KINDS, example, stored
from .hands import twins
from .raster import SIZE
from .shards import ShardWriter, write_here, write_on_beam
from .strokes import LETTERS, SHAPES
from .turn import turn

__all__ = ["CLASSES", "Builder", "ShakyLettersConfig", "SplitConfig", "example"]

LARGE = ShakyLettersConfig(
    name="letters_xl",
    images=1_000_000,
    description="As letters, with a million images to train on.",
)
"""Built on request, never by a `tfds build` without `--config`: it takes 8 GB."""


class Builder(tfds.core.GeneratorBasedBuilder):
    """Regular and shaky handwriting, generated."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "The standard set."}
    BUILDER_CONFIGS = [
        ShakyLettersConfig(name="letters", description="52 letters, six alphabets."),
        ShakyLettersConfig(
            name="shapes",
            subject="shapes",
            description="Triangles and quadrangles, not necessarily convex.",
        ),
        ShakyLettersConfig(
            name="drawings",
            subject="drawings",
            description="Letters, shapes and spirals, in the middle of the picture.",
        ),
        ShakyLettersConfig(
            name="hands",
            subject="hands",
            description="Drawings of many kinds, pens and scanners by hundreds of "
            "writers, in twins that differ in tremor alone.",
        ),
    ]

    @classmethod
    def get_builder_config(
        cls, name: str, version: str | None = None
    ) -> ShakyLettersConfig | None:
        """Returns the config of a name, that of `BUILDER_CONFIGS` or `LARGE`."""
        if name == LARGE.name:
            return LARGE
        return super().get_builder_config(name, version)

    def download_and_prepare(
        self,
        *,
        download_config: tfds.download.DownloadConfig | None = None,
        **kwargs: Any,
    ) -> None:
        """Makes the set, unless it is there.

        Of two processes that want it at once, one makes it and the other waits. What
        one left behind that was killed is removed.

        Raises:
            ValueError: a set of this name is there, but with another number of images.
        """
        download_config = download_config or tfds.download.DownloadConfig()
        again = download_config.download_mode.overwrite_dataset
        there = self.data_path.exists() and not again
        with contextlib.nullcontext() if there else self._turn():
            self._check_size(download_config)
            super().download_and_prepare(download_config=download_config, **kwargs)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        folder = self.data_path.parent
        folder.mkdir(parents=True, exist_ok=True)
        with turn(folder):
            for left in folder.glob(f"incomplete.*_{self.version}"):
                left.rmtree()
            if self.data_path.exists() and not self.info.initialized:
                self.info.read_from_directory(self.data_path)
            yield

    def _check_size(self, download_config: tfds.download.DownloadConfig) -> None:
        images, train = self.builder_config.images, self.info.splits.get("train")
        if images and train and not download_config.download_mode.overwrite_dataset:
            images = min(images, download_config.max_examples_per_split or images)
            if train.num_examples != images:
                raise ValueError(
                    f"{self.data_dir} holds {train.num_examples:,} images to train on, "
                    f"not {images:,}: give the set a name of its own, or --overwrite"
                )

    def _info(self) -> tfds.core.DatasetInfo:
        config, features = self.builder_config, tfds.features
        if config.subject == "hands":
            return self._described(_of_hands())
        if config.subject == "drawings":
            subject = {"kind": features.ClassLabel(names=KINDS)}
        elif config.subject == "shapes":
            subject = {"shape": features.ClassLabel(names=SHAPES)}
        else:
            sources = dict.fromkeys(
                s for split in config.splits().values() for s in split.alphabets
            )
            subject = {
                "letter": features.ClassLabel(names=list(LETTERS)),
                "alphabet": features.ClassLabel(names=list(sources)),
            }
        samples = {
            name: features.Tensor(shape=(None,), dtype=dtype)
            for name, dtype in [
                ("x", np.float32),
                ("y", np.float32),
                ("t", np.float32),
                ("pen_down", np.bool_),
            ]
        }
        image = features.Image(shape=(SIZE, SIZE, 1), dtype=np.uint8)
        return self._described({"image": image, **subject, "strokes": samples})

    def _described(self, own: dict[str, Any]) -> tfds.core.DatasetInfo:
        """Returns the set's description: what all sets have, and its own features."""
        features = {
            "label": tfds.features.ClassLabel(names=CLASSES),
            "pen_width": np.float32,
            "tremor_hz": np.float32,
            "tremor_amplitude": np.float32,
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features | own),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
        splits = self.builder_config.splits()
        return {name: self._generate_examples(split) for name, split in splits.items()}

    def _generate_examples(self, split: SplitConfig) -> Iterator[tuple[int, dict]]:
        for i in range(split.size):
            yield i, stored(self.builder_config, split, i)

    def _generate_splits(
        self, dl_manager: Any, download_config: tfds.download.DownloadConfig
    ) -> list[tfds.core.SplitInfo]:
        """Writes a set of a chosen size file by file, on Beam if options for it came.

        TFDS would keep all examples to sort them, on Beam as well.
        """
        if self.builder_config.images is None:
            return super()._generate_splits(dl_manager, download_config)
        most = download_config.max_examples_per_split
        splits = {
            name: split if most is None else split.first(most)
            for name, split in self.builder_config.splits().items()
        }
        writer = ShardWriter(
            self.builder_config,
            splits,
            self.info.features,
            self._get_filename_template("train"),
            self.info.file_format,
        )
        runner, options = download_config.beam_runner, download_config.beam_options
        if runner or options:
            sizes = write_on_beam(writer, runner, options)
        else:
            sizes = write_here(writer)
        return [
            tfds.core.SplitInfo(
                name=name,
                shard_lengths=writer.lengths(name),
                num_bytes=sizes[name],
                filename_template=writer.template(name),
            )
            for name in splits
        ]


def _of_hands() -> dict[str, Any]:
    """Returns the features that `hands` alone has."""
    size = canonical.SIZE
    return {
        "image": tfds.features.Image(shape=(size, size, 1), dtype=np.uint8),
        "kind": tfds.features.ClassLabel(names=list(twins.SHARES)),
        "renderer": tfds.features.ClassLabel(names=twins.ALL_RENDERERS),
        "pair": np.int64,
    }
