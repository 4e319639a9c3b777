"""What the tablet's networks say of drawings that no set has."""

import cv2
import numpy as np
import pytest

from benchmarks import outside
from commands.cli import InputError


def stroke(size, thick):
    """A slanted line, ink bright."""
    picture = np.zeros((size, size), "uint8")
    ends = (int(0.3 * size), int(0.75 * size)), (int(0.6 * size), int(0.25 * size))
    return cv2.line(picture, *ends, 255, thick, cv2.LINE_AA)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    file = tmp_path_factory.mktemp("digits") / "mnist.npz"
    np.savez(file, x_test=np.stack([stroke(28, 2)] * 30))
    return file


@pytest.fixture(scope="module")
def rows(mnist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people") / "lines"
    for kind in ("calm", "shaky"):
        (folder / kind).mkdir(parents=True)
        for person in range(3):
            file = folder / kind / f"{kind}{person}.png"
            cv2.imwrite(str(file), 255 - stroke(300, 5 + person))
    return list(outside.measured(2, mnist, (folder,)))


def test_what_is_no_mnist_is_refused_by_name(tmp_path):
    file = tmp_path / "other.npz"
    with pytest.raises(InputError, match=r"other\.npz.* is not MNIST"):
        outside.digits(file, 5)
    np.savez(file, something=np.zeros(3))
    with pytest.raises(InputError, match=r"other\.npz.* is not MNIST"):
        outside.digits(file, 5)


def test_a_digit_is_the_same_as_raster_and_as_file(mnist):
    grey = outside.digits(mnist, 4)
    assert grey.shape == (4, 100, 100)
    raster, file = outside.as_rasters(grey), outside.as_files(grey)
    assert raster.shape == file.shape == (4, 128, 128, 1)
    away = cv2.distanceTransform((raster[0] == 0).astype("uint8"), cv2.DIST_L2, 5)
    assert np.mean(away[file[0, ..., 0] > 0] < 3) > 0.9


def test_each_kind_is_counted_by_each_network(rows):
    letters = [row for row in rows if row["drawings"] == "letters"]
    assert {(r["pen_width"], r["amplitude"], r["method"]) for r in letters} == {
        (pen, amplitude, method)
        for pen in outside.PENS
        for amplitude in outside.AMPLITUDES
        for method in ("dense", "sparse")
    }
    counts = {row["drawings"]: row["n"] for row in rows}
    assert counts["letters"] == 2
    assert counts["digits, as rasters"] == counts["digits, as files"] == 10
    assert counts["lines, calm"] == counts["lines, shaky"] == 3
    assert counts["lines"] == 6
    # A straight line shakes nowhere; the areas are of both classes together.
    calm = [r["called_shaky"] for r in rows if r["drawings"] == "digits, as rasters"]
    assert calm == [0, 0]
    assert [r["auc"] is not None for r in rows if r["drawings"] == "lines"] == [
        True
    ] * 2


def test_larger_tremors_are_found_more_often_and_calm_letters_left_alone():
    network = outside.Classifier(outside.committed.file())
    shares = [
        (network(outside.letters(30, 3.0, amplitude))[:, 1] > 0.5).mean()
        for amplitude in (None, 2.0)
    ]
    assert shares[0] < 0.1
    assert shares[1] > 0.8


def test_the_page_has_a_table_for_each_network(rows):
    text = outside.text(rows)
    for heading in ("## Letters, dense", "## Letters, sparse", "## Real hands"):
        assert heading in text
    assert "| lines | 6 | AUC" in text
