import numpy as np
import pytest

from pipelines.collection.drawn import Path
from pipelines.images import augmentation
from pipelines.images.images import Images
from shaky_letters.fit import PEN, fit
from shaky_letters.raster import rasterize
from shaky_letters.shaky_letters_dataset_builder import ShakyLettersConfig, example

CONFIG = ShakyLettersConfig(name="letters")


def letters(n):
    """Pictures and paths of the same letters."""
    made = [example(CONFIG, CONFIG.splits()["test"], i) for i in range(n)]
    paths = []
    for one in made:
        pen = one["strokes"]
        paths.append(Path(*(np.asarray(pen[k]) for k in ("x", "y", "pen_down"))))
    image = np.stack([one["image"] for one in made])
    return image, np.array([one["label"] for one in made]), tuple(paths)


def taken(images, batch_size, seed, epochs):
    batches = augmentation.training_batches(images, batch_size, seed, epochs)
    return [(x, y) for x, y in batches.as_numpy_iterator()]


@pytest.mark.parametrize("with_paths", [False, True])
def test_an_epoch_shows_each_drawing_equally_often_each_time_another_way(
    monkeypatch, with_paths
):
    monkeypatch.setattr(augmentation, "SHOWN", 30)
    image, _, paths = letters(5)
    # The label is the drawing's number: what is seen of it can be told.
    images = Images(image, np.arange(5), path=paths if with_paths else ())
    assert augmentation.shown(5) == 30
    found = taken(images, 10, 0, range(1))
    assert [x.shape for x, _ in found] == [(10, 100, 100, 1)] * 3
    x, y = (np.concatenate(part) for part in zip(*found))
    assert np.bincount(y).tolist() == [6] * 5
    assert set(np.unique(x)) == {0.0, 1.0}
    for number in range(5):
        seen = {picture.tobytes() for picture in x[y == number]}
        assert len(seen) == 6
        # A sheet that is turned and stretched has about as much ink as before.
        ink = x[y == number].sum((1, 2, 3)) / (image[number] > 0).sum()
        assert (ink > 0.4).all()
        assert (ink < 2.5).all()


def test_an_epoch_depends_on_the_seed_and_its_number_alone(monkeypatch):
    monkeypatch.setattr(augmentation, "SHOWN", 12)
    image, label, paths = letters(4)
    images = Images(image, label, path=(paths[0], None, paths[2], None))
    both = taken(images, 4, 7, range(3))
    later = taken(images, 4, 7, range(1, 3))
    for (x, y), (a, b) in zip(both[3:], later, strict=True):
        np.testing.assert_array_equal(x, a)
        np.testing.assert_array_equal(y, b)
    other = taken(images, 4, 8, range(3))
    assert any((x != a).any() for (x, _), (a, _) in zip(both, other))


def test_a_distortion_that_moves_nothing_changes_no_pixel(monkeypatch):
    monkeypatch.setattr(augmentation, "distort", lambda x, y, rng: (x, y))
    image, _, paths = letters(3)
    rng = np.random.default_rng(0)
    for picture in image:
        np.testing.assert_array_equal(augmentation.distorted(picture, rng), picture)
    monkeypatch.setattr(augmentation, "_PEN", (PEN, PEN))
    images = Images(image, np.zeros(3, int), path=paths)
    x, y, _ = fit(paths[0].x, paths[0].y, paths[0].pen_down)
    expected = rasterize(x, y, paths[0].pen_down, PEN)
    found = augmentation._distorted(images, 0, rng)
    np.testing.assert_array_equal(found, expected)


def test_a_shift_of_the_sheet_shifts_the_picture(monkeypatch):
    """Where a pixel comes from is told: what comes from the right moves left."""
    monkeypatch.setattr(augmentation, "distort", lambda x, y, rng: (x + 4, y + 8))
    image, _, _ = letters(1)
    found = augmentation.distorted(image[0], np.random.default_rng(0))
    np.testing.assert_array_equal(found[:-8, :-4], image[0][8:, 4:])
