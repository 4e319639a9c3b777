import dataclasses

import numpy as np
import tensorflow as tf

from pipelines.images import data
from pipelines.images.images import Images
from shaky_letters.shaky_letters_dataset_builder import (
    ShakyLettersConfig,
    example,
)


def test_a_split_holds_what_the_generator_made(letters):
    images = data.load(data.prepare(str(letters)), "train")
    assert images.image.shape == (160, 100, 100, 1)
    assert images.image.dtype == np.uint8
    config = ShakyLettersConfig(name="letters")
    made = [example(config, config.splits()["train"], i) for i in range(160)]
    expected = sorted((e["label"], e["image"].tobytes()) for e in made)
    found = sorted(
        (label, image.tobytes())
        for label, image in zip(images.label, images.image, strict=True)
    )
    assert found == expected


def numbered(n):
    """Images that tell which they are by the place of their one ink pixel."""
    image = np.zeros((n, 100, 100, 1), "uint8")
    image[np.arange(n), 0, np.arange(n)] = 255
    return Images(image, np.arange(n) % 2)


def batches_of(epochs, seed=3):
    return list(
        data.training_batches(numbered(50), 8, seed, epochs).as_numpy_iterator()
    )


def test_resumed_epochs_are_those_of_an_uninterrupted_run():
    whole, rest = batches_of(range(4)), batches_of(range(2, 4))
    assert len(whole) == 4 * (50 // 8)
    for (x, y), (resumed_x, resumed_y) in zip(
        whole[len(whole) // 2 :], rest, strict=True
    ):
        np.testing.assert_array_equal(x, resumed_x)
        np.testing.assert_array_equal(y, resumed_y)


def test_epochs_and_seeds_differ():
    first, second = batches_of(range(1)), batches_of(range(1, 2))
    other = batches_of(range(1), seed=4)
    for different in (second, other):
        assert any((a[0] != b[0]).any() for a, b in zip(first, different, strict=True))


def test_an_epoch_shows_every_image_once_with_its_label_in_any_symmetry():
    seen = []
    turned = set()
    for x, y in batches_of(range(1)):
        assert x.dtype == np.float32
        assert set(np.unique(x)) == {0.0, 1.0}
        for picture, label in zip(x[..., 0], y, strict=True):
            ((row, column),) = np.argwhere(picture == 1)
            # Undo the symmetry: which edge is the ink on, and how far along it?
            edge = row if row in (0, 99) else column
            along = column if row in (0, 99) else row
            number = min(along, 99 - along)
            turned.add((bool(row in (0, 99)), bool(edge), bool(along >= 50)))
            assert label == number % 2
            seen.append(number)
    assert len(seen) == len(set(seen)) == 48
    assert len(turned) == 8


def test_each_image_comes_with_what_a_wrong_answer_costs():
    images = dataclasses.replace(numbered(50), cost=np.arange(50, dtype="float32"))
    shown = data.training_batches(images, 8, 3, range(1)).as_numpy_iterator()
    plain = batches_of(range(1))
    for (x, y, cost), (same_x, same_y) in zip(shown, plain, strict=True):
        np.testing.assert_array_equal(x, same_x)
        np.testing.assert_array_equal(y, same_y)
        for picture, number in zip(x[..., 0], cost, strict=True):
            ((row, column),) = np.argwhere(picture == 1)
            along = column if row in (0, 99) else row
            assert number == min(along, 99 - along)


def test_evaluation_batches_keep_order_and_value():
    images = numbered(50)
    x, y = (
        np.concatenate(parts)
        for parts in zip(*data.batches(images, 8).as_numpy_iterator(), strict=True)
    )
    np.testing.assert_array_equal(x, images.image / 255.0)
    np.testing.assert_array_equal(y, images.label)
    assert isinstance(data.batches(images), tf.data.Dataset)
