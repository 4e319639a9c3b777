"""shaky_letters: regular and shaky handwriting, generated from pen paths."""

import dataclasses
import io
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import tensorflow_datasets as tfds

from .fit import PEN, fit
from .pen import Hands, Recording, write
from .raster import SIZE, UNITS, quantize, rasterize
from .strokes import LETTERS, SHAPES, Path, alphabet, shape, spiral
from .turn import turn

CLASSES = ("regular", "shaky")


@dataclasses.dataclass(frozen=True)
class Split:
    """What a split is made of.

    Attributes:
        stream: distinguishes the splits' random numbers; never changed.
        size: number of images.
        hands: the writers.
        alphabets: of letters; see `strokes.alphabet`.
    """

    stream: int
    size: int
    hands: Hands
    alphabets: tuple[str, ...]


SEEN = ("simplex", "script", "print", "italic")
UNSEEN = ("cursive", "architect")

# Pens and tremors that no training image has: finer and broader tips, faster tremor.
UNSEEN_HANDS = Hands(width=(4.0, 5.0), tremor_hz=(6.2, 7.0))

KINDS = ("letter", "shape", "spiral")
"""Of drawings."""

_SHARE = (0.5, 0.25, 0.25)
_ON_GLASS = {"pace": (28.0, 90.0), "tremor_amplitude": (2.0, 4.6)}
"""People write faster there than on paper; milder tremors are to be seen, too."""


@dataclasses.dataclass
class ShakyLettersConfig(tfds.core.BuilderConfig):
    """What is written.

    Attributes:
        subject: "letters", "shapes", or "drawings": letters, shapes and spirals as the
            tablet renders them, see `fit`.
        font: path of a `.ttf` or `.otf` file to write letters in, reduced to centre
            lines, in place of the built-in alphabets.
        seed: of everything; the standard sets have 0.
    """

    subject: str = "letters"
    font: str | None = None
    seed: int = 0

    def splits(self) -> dict[str, Split]:
        """Returns the splits by name."""
        seen, unseen = SEEN, UNSEEN
        if self.font:
            seen = unseen = (self.font,)
        hands, unseen_hands = Hands(), UNSEEN_HANDS
        if self.subject == "drawings":
            hands, unseen_hands = (
                dataclasses.replace(h, **_ON_GLASS) for h in (hands, unseen_hands)
            )
        return {
            "train": Split(0, 5_000, hands, seen),
            "test": Split(1, 1_000, hands, seen),
            "test_unseen": Split(2, 1_000, unseen_hands, unseen),
            "test_large": Split(3, 20_000, hands, seen),
        }


def example(config: ShakyLettersConfig, split: Split, i: int) -> dict[str, Any]:
    """Returns example i of a split; it depends on the seed, the split and i alone."""
    rng = np.random.default_rng([config.seed, split.stream, i])
    label = i % 2
    path, subject = _subject(config.subject, split, rng)
    pen = write(path, split.hands, bool(label), rng)
    if config.subject == "drawings":
        pen = _as_on_tablet(pen)
    return {
        "image": rasterize(pen.x, pen.y, pen.pen_down, pen.pen_width),
        "label": label,
        **subject,
        "pen_width": pen.pen_width,
        "tremor_hz": pen.tremor_hz,
        "tremor_amplitude": pen.tremor_amplitude,
        "strokes": {
            "x": pen.x.astype("float32"),  # exact: whole 64ths of a pixel
            "y": pen.y.astype("float32"),
            "t": pen.t.astype("float32"),
            "pen_down": pen.pen_down,
        },
    }


def _subject(
    subject: str, split: Split, rng: np.random.Generator
) -> tuple[Path, dict[str, str]]:
    """Returns what is written, and its name or names as features."""
    if subject == "drawings":
        kind = KINDS[rng.choice(len(KINDS), p=_SHARE)]
        if kind == "spiral":
            return spiral(rng), {"kind": kind}
        path, _ = _subject(f"{kind}s", split, rng)
        return path, {"kind": kind}
    if subject == "shapes":
        name, path = shape(rng)
        return path, {"shape": name}
    letter = LETTERS[rng.integers(len(LETTERS))]
    source = split.alphabets[rng.integers(len(split.alphabets))]
    return alphabet(source)[letter], {"letter": letter, "alphabet": source}


def _as_on_tablet(pen: Recording) -> Recording:
    """Returns a recording as the tablet fits it into the picture."""
    x, y, scale = fit(pen.x, pen.y, pen.pen_down)
    return dataclasses.replace(
        pen,
        x=quantize(x) / UNITS,
        y=quantize(y) / UNITS,
        pen_width=PEN,
        tremor_amplitude=pen.tremor_amplitude * scale,
    )


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
            description="Letters, shapes and spirals as the tablet renders them.",
        ),
    ]

    def download_and_prepare(self, **options: Any) -> None:
        """Makes the set, unless it is there.

        Of two processes that want it at once, one makes it and the other waits. What
        one left behind that was killed is removed.

        Args:
            options: TFDS's.
        """
        folder = self.data_path.parent
        folder.mkdir(parents=True, exist_ok=True)
        with turn(folder):
            for left in folder.glob(f"incomplete.*_{self.version}"):
                left.rmtree()
            if self.data_path.exists() and not self.info.initialized:
                self.info.read_from_directory(self.data_path)
            super().download_and_prepare(**options)

    def _info(self) -> tfds.core.DatasetInfo:
        config, features = self.builder_config, tfds.features
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
        return self.dataset_info_from_configs(
            features=features.FeaturesDict(
                {
                    "image": features.Image(shape=(SIZE, SIZE, 1), dtype=np.uint8),
                    "label": features.ClassLabel(names=CLASSES),
                    **subject,
                    "pen_width": np.float32,
                    "tremor_hz": np.float32,
                    "tremor_amplitude": np.float32,
                    "strokes": samples,
                }
            ),
            supervised_keys=("image", "label"),
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator]:
        splits = self.builder_config.splits()
        return {name: self._generate_examples(split) for name, split in splits.items()}

    def _generate_examples(self, split: Split) -> Iterator[tuple[int, dict]]:
        for i in range(split.size):
            made = example(self.builder_config, split, i)
            # OpenCV compresses a picture in a tenth of the time that TFDS would take.
            _, png = cv2.imencode(".png", made["image"])
            yield i, {**made, "image": io.BytesIO(png.tobytes())}
