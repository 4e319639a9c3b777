"""What a set is made of: who writes what, and how much of it."""

import dataclasses

import tensorflow_datasets as tfds

from .pen import Hands


@dataclasses.dataclass(frozen=True)
class SplitConfig:
    """A split of a set: how many images, by which writers, in which alphabets.

    Attributes:
        stream: distinguishes the splits' random numbers; never changed.
        size: number of images.
        hands: the writers.
        alphabets: of letters; see `strokes.alphabet`.
        strange: of `hands`, whether it is made by `hands.strangers`.
    """

    stream: int
    size: int
    hands: Hands
    alphabets: tuple[str, ...]
    strange: bool = False

    def first(self, images: int) -> "SplitConfig":
        """Returns the split with no more than so many of its images."""
        return dataclasses.replace(self, size=min(self.size, images))


SEEN = ("simplex", "script", "print", "italic")
UNSEEN = ("cursive", "architect")

# Pens and tremors that no training image has: finer and broader tips, faster tremor.
UNSEEN_HANDS = Hands(width=(4.0, 5.0), tremor_hz=(6.2, 7.0))

SUBJECTS = ("letters", "shapes", "drawings", "hands")

_ON_GLASS = {"pace": (28.0, 90.0), "tremor_amplitude": (2.0, 4.6)}
"""People write faster there than on paper; milder tremors are to be seen, too."""


@dataclasses.dataclass
class ShakyLettersConfig(tfds.core.BuilderConfig):
    """A set: what is written, in which font, from which seed, how often.

    Attributes:
        subject: "letters", "shapes", "drawings": letters, shapes and spirals in the
            middle of the picture, see `fit`; or "hands": twins of many kinds, in the
            canonical picture.
        font: path of a `.ttf` or `.otf` file to write letters in, reduced to centre
            lines, in place of the built-in alphabets.
        seed: of everything; the standard sets have 0.
        images: to train on, where the standard sets have 5,000, and `hands` 32,000.
            Any number is made in the same memory, by as many processes as there are;
            see `shards`. A larger set starts with the images of a smaller one.

    Raises:
        ValueError: there is no such subject, or `images` is not a whole number from 1.
    """

    subject: str = "letters"
    font: str | None = None
    seed: int = 0
    images: int | None = None

    def __post_init__(self):
        if self.subject not in SUBJECTS:
            raise ValueError(
                f"the set {self.name!r} cannot be of {self.subject!r}: its subject is "
                f"one of {', '.join(SUBJECTS)}"
            )
        whole = isinstance(self.images, int) and not isinstance(self.images, bool)
        if self.images is not None and not (whole and self.images > 0):
            raise ValueError(
                f"the set {self.name!r} cannot have {self.images!r} images: give a "
                "whole number from 1, without quotes, such as 1000000"
            )

    def splits(self) -> dict[str, SplitConfig]:
        """Returns the splits by name."""
        seen, unseen = SEEN, UNSEEN
        if self.font:
            seen = unseen = (self.font,)
        if self.subject == "hands":
            return {
                "train": SplitConfig(0, self.images or 32_000, Hands(), seen),
                "test": SplitConfig(1, 2_000, Hands(), seen),
                "test_unseen": SplitConfig(2, 2_000, Hands(), unseen, strange=True),
                "test_large": SplitConfig(3, 20_000, Hands(), seen),
            }
        hands, unseen_hands = Hands(), UNSEEN_HANDS
        if self.subject == "drawings":
            hands, unseen_hands = (
                dataclasses.replace(h, **_ON_GLASS) for h in (hands, unseen_hands)
            )
        return {
            "train": SplitConfig(0, self.images or 5_000, hands, seen),
            "test": SplitConfig(1, 1_000, hands, seen),
            "test_unseen": SplitConfig(2, 1_000, unseen_hands, unseen),
            "test_large": SplitConfig(3, 20_000, hands, seen),
        }
