"""The set `hands`: twins that differ in tremor alone, and no shortcut to it."""

import cv2
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from shaky_letters.config import ShakyLettersConfig
from shaky_letters.examples import example
from shaky_letters.hands import motion, strangers, subjects, tremor, twins, writers

CONFIG = ShakyLettersConfig(name="hands", subject="hands")
SPLITS = CONFIG.splits()
PAIRS = 600


@pytest.fixture(scope="module")
def drawings():
    return [example(CONFIG, SPLITS["test"], i) for i in range(2 * PAIRS)]


def test_an_example_depends_on_its_number_alone():
    split = SPLITS["train"]
    forward = [example(CONFIG, split, i) for i in range(6)]
    backward = [example(CONFIG, split, i) for i in reversed(range(6))][::-1]
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_array_equal(one.pop("image"), other.pop("image"))
        assert one == other


def test_twins_share_all_but_the_tremor(drawings):
    regular, shaky = drawings[::2], drawings[1::2]
    for one, other in zip(regular, shaky, strict=True):
        assert (one["label"], other["label"]) == (0, 1)
        same = {k: v for k, v in one.items() if k not in ("image", "label")}
        assert same == {k: v for k, v in other.items() if k not in ("image", "label")}
    # Half of the line or more stays near its twin's: it is the same drawing.
    for one, other in zip(regular[:100], shaky[:100], strict=True):
        away = cv2.distanceTransform((other["image"] == 0).astype("uint8"), 2, 5)
        assert np.median(away[one["image"][..., 0] > 0]) < 8


def test_everything_comes_in_both_classes_and_often(drawings):
    for name, values in (("kind", twins.SHARES), ("renderer", twins.RENDERERS)):
        seen = {made[name] for made in drawings}
        assert seen == set(values)
    amplitude = np.array([made["tremor_amplitude"] for made in drawings])
    assert 0.8 <= amplitude.min() < 0.9
    assert 4.5 < amplitude.max() <= 5
    # Log-uniform: half lies below the geometric mean. What is drawn slowly shakes less,
    # and tiny scans more.
    assert np.mean(amplitude < 2) == pytest.approx(0.5, abs=0.08)


def features(image):
    """Ink share, height, width, strokes, their mean and largest width, outlines."""
    ink = (image[..., 0] > 0).astype("uint8")
    count, _ = cv2.connectedComponents(ink)
    outlines, _ = cv2.findContours(ink, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    inside = cv2.distanceTransform(ink, cv2.DIST_L2, 5)[ink > 0]
    rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
    length = sum(cv2.arcLength(outline, True) for outline in outlines)
    return [
        ink.mean(),
        np.ptp(rows),
        np.ptp(columns),
        count - 1,
        inside.mean(),
        inside.max(),
        length,
    ]


def test_there_is_no_shortcut(drawings):
    """Gradient boosting on what is not the line's course, twins in one fold."""
    label = np.array([made["label"] for made in drawings])
    looks = np.array([features(made["image"]) for made in drawings])
    folds = GroupKFold(5).split(looks, label, np.arange(len(label)) // 2)
    model = HistGradientBoostingClassifier(random_state=0)
    said = cross_val_predict(model, looks, label, cv=list(folds))
    assert np.mean(said == label) <= 0.60
    share = looks[:, 0]
    best = max(
        np.mean((share > edge) == label)
        for edge in np.quantile(share, np.linspace(0, 1, 200))
    )
    assert best <= 0.60


def test_the_unseen_split_shares_no_code_for_tremor_and_ink():
    with open(strangers.__file__, encoding="utf-8") as file:
        imports = [line for line in file if line.startswith(("import", "from"))]
    assert not any(
        name in line for line in imports for name in ("motion", "tremor", "rendering")
    )
    made = [example(CONFIG, SPLITS["test_unseen"], i) for i in range(40)]
    assert {m["renderer"] for m in made} == set(strangers.RENDERERS)


def test_a_tremor_has_its_amplitude_and_frequency():
    """A calm line of twenty seconds, shaken: its deviation's peaks and its waves."""
    rng = np.random.default_rng(0)
    n = 20 * motion.RATE
    calm = motion.Motion(np.linspace(0, 500, n), np.zeros(n), np.ones(n, bool))
    shaking = tremor.Tremor(2.0, 5.0, "across", "steady", 0.0, 0.02)
    off = tremor.shake(calm, shaking, rng).y
    assert np.quantile(np.abs(off), 0.99) == pytest.approx(2.0, rel=0.1)
    spectrum = np.abs(np.fft.rfft(off))
    assert np.argmax(spectrum) / 20 == pytest.approx(5.0, abs=0.3)


def test_large_tremors_are_slow_enough_to_be_waves():
    rng = np.random.default_rng(0)
    for pace in (20, 40, 90):
        for _ in range(300):
            drawn = tremor.tremor(rng, pace)
            assert tremor.HZ[0] <= drawn.hz <= tremor.HZ[1]
            assert pace / drawn.hz >= 3.99 * drawn.amplitude


def test_the_jitter_of_every_hand_is_small():
    rng = np.random.default_rng(1)
    for _ in range(50):
        who = writers.writer(rng)
        assert 0 < who.jitter <= 0.3
        path = subjects.SUBJECTS["spiral"](rng, ())
        way = motion.follow(path, who, rng)
        off = tremor.jitter(way, who.jitter, rng)
        assert np.quantile(np.abs(off), 0.95) < 0.5
