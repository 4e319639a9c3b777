import json

import cv2
import keras
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import photos
from pipelines.collection.photo import ink
from rvsm_tf.networks import paper_cnn
from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example
from shaky_letters.fit import PEN, SIDE, fit
from shaky_letters.raster import SIZE, rasterize
from testing import camera
from tests.commands.refusal import refused

pytestmark = pytest.mark.slow


def drawn(i):
    config = ShakyLettersConfig(name="letters")
    return camera.Strokes.of(example(config, config.splits()["test"], i))


def fitted(strokes):
    x, y, _ = fit(strokes.x, strokes.y, strokes.pen_down)
    return rasterize(x, y, strokes.pen_down, PEN)


def agreement(found, expected):
    found, expected = found > 0, expected > 0
    return (found & expected).sum() / (found | expected).sum()


def by_one_threshold(photo):
    """What there is without any of it: Otsu's threshold, crop, scale."""
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    _, dark = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    x, y, width, height = cv2.boundingRect(dark)
    scale = (SIDE + PEN) / max(width, height)
    size = [max(1, round(n * scale)) for n in (width, height)]
    part = cv2.resize(dark[y : y + height, x : x + width], size)
    picture = np.zeros((SIZE, SIZE, 1), "uint8")
    left, up = (SIZE - size[0]) // 2, (SIZE - size[1]) // 2
    picture[up : up + size[1], left : left + size[0], 0] = part
    return picture


def test_one_threshold_for_all_of_a_photo_does_not_do():
    extracted, simple = [], []
    for i in range(12):
        strokes, rng = drawn(i), np.random.default_rng(i)
        photo = camera.photograph(strokes, rng, camera.PAPERS[i % 3])
        extracted.append(agreement(ink.picture(photo), fitted(strokes)))
        simple.append(agreement(by_one_threshold(photo), fitted(strokes)))
    # Where neither sheet nor lines are seen, the camera's angle stays in the picture.
    assert np.median(extracted) > 0.7
    assert min(extracted) > 0.3
    assert np.mean(np.array(simple) < 0.3) > 0.7


def test_a_photo_depends_on_its_random_numbers_alone():
    one, same, other = (
        camera.photograph(drawn(0), np.random.default_rng(seed), "squared")
        for seed in (1, 1, 2)
    )
    assert one.shape == (900, 1200, 3)
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5


def test_a_jpeg_file_is_the_photo(tmp_path):
    photo = camera.photograph(drawn(0), np.random.default_rng(1), "plain")
    (tmp_path / "photo.jpg").write_bytes(camera.jpeg(photo, 90))
    with Image.open(tmp_path / "photo.jpg") as image:
        assert image.format == "JPEG"
        difference = np.asarray(image).astype(int) - photo
    assert np.abs(difference).mean() < 8


def photo_of(paper, label):
    nothing = np.zeros((SIZE, SIZE, 1), "uint8")
    before = np.zeros((150, 200, 3), "uint8")
    return photos.Photo(paper, label, nothing, nothing, before)


def test_the_rows_by_hand():
    papers = ["plain", "plain", "ruled", "squared"]
    some = [photo_of(paper, label) for paper, label in zip(papers, [0, 1, 0, 1])]
    rows = photos.rows_of("test", some, np.array([0, 1, 0, 0]), np.array([0, 0, -1, 1]))
    assert [
        (r["paper"], r["images"], r["without_ink"], r["raster_accuracy"]) for r in rows
    ] == [
        ("plain", 2, 0, 1),
        ("ruled", 1, 1, 1),
        ("squared", 1, 0, 0),
        ("all", 4, 1, 0.75),
    ]
    assert [r["photo_accuracy"] for r in rows] == [0.5, 0, 1, 0.5]
    assert [r["ratio"] for r in rows] == [0.5, 0, None, round(2 / 3, 5)]


def test_the_contact_sheet_frames_what_was_wrong():
    sheet = photos.sheet([photo_of("plain", 0)] * 6, np.array([1, 0, 0, 0, 0, 1], bool))
    red = (sheet == (214, 40, 40)).all(2)
    half = sheet.shape[0] // 2
    quarter = sheet.shape[1] // 4
    assert red[:half, :quarter].any()
    assert red[half:, quarter : 2 * quarter].any()
    assert not red[:half, quarter:].any()


@pytest.fixture(scope="module")
def run_folders(tmp_path_factory):
    folders = []
    for seed in (0, 1):
        folders.append(tmp_path_factory.mktemp("run"))
        keras.utils.set_random_seed(seed)
        paper_cnn().save(folders[-1] / "model.keras")
    return folders


def test_the_page(run_folders, tmp_path):
    runs = [part for folder in run_folders for part in ("--run", str(folder))]
    arguments = [*runs, "--images", "3", "--output", str(tmp_path)]
    result = CliRunner().invoke(photos.main, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads((tmp_path / "photos.json").read_text("utf-8"))
    assert [(r["split"], r["run"]) for r in rows if r["paper"] == "all"] == [
        (split, str(folder)) for split in photos.SPLITS for folder in run_folders
    ]
    assert {r["images"] for r in rows if r["paper"] == "all"} == {3}
    assert "![" in (tmp_path / "photos.md").read_text("utf-8")
    with Image.open(tmp_path / "photos.png") as image:
        assert image.mode == "RGB"


def test_the_accuracy_that_is_kept_by_hand():
    rows = [
        {"split": split, "paper": paper, "ratio": ratio}
        for split, paper, ratio in [
            ("test", "all", 0.99),
            ("test", "plain", 0.1),
            ("test", "all", 0.97),
            ("other", "all", 0.5),
        ]
    ]
    assert photos.kept(rows, "test") == "98.0 % (97.0 to 99.0 %)"
    assert photos.kept(rows, "other") == "50.0 %"


def test_a_run_that_is_not_there(tmp_path):
    assert "no model" in refused(photos.main, "--run", tmp_path / "none")
