import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.cli import InputError
from pipelines.collection import layout
from pipelines.collection.layout import Item
from pipelines.collection.split import PersonSplit, folds, groups, report, split
from tests.pipelines.collection import folders

CLASSES = ("a", "b", "c")


@st.composite
def collections_of(draw, fewest=3, shared=False):
    """Labels and groups of drawings: 2 or 3 classes, persons of 1 to 6 drawings.

    With `shared`, up to six more persons draw for all classes.
    """
    count = draw(st.integers(2, 3))
    labels, who = [], []
    for label in range(count):
        for person in range(draw(st.integers(fewest, 12))):
            for _ in range(draw(st.integers(1, 6))):
                labels.append(label)
                who.append(f"{CLASSES[label]}{person}")
    for person in range(draw(st.integers(0, 6)) if shared else 0):
        for label in range(count):
            labels.append(label)
            who.append(f"all{person}")
    return labels, who, CLASSES[:count]


seeds = st.integers(0, 1 << 31)


def parts(one):
    return one.train, one.validation, one.test


def check(one, labels, who, classes):
    """Nobody is on two sides, every drawing is on one, each class is everywhere."""
    labels, who = np.array(labels), np.array(who)
    persons = [set(who[part]) for part in parts(one)]
    assert not persons[0] & persons[1]
    assert not persons[0] & persons[2]
    assert not persons[1] & persons[2]
    assert sorted(np.concatenate(parts(one))) == list(range(len(labels)))
    for part in parts(one):
        assert set(labels[part]) == set(range(len(classes)))
        assert (np.diff(part) > 0).all()


@given(
    made=st.one_of(collections_of(), collections_of(fewest=5, shared=True)), seed=seeds
)
@settings(max_examples=60, deadline=None)
def test_nobody_is_on_two_sides(made, seed):
    labels, who, classes = made
    check(split(labels, who, classes, seed), labels, who, classes)


@given(made=collections_of(fewest=5), seed=seeds)
@settings(max_examples=40, deadline=None)
def test_a_fifth_of_each_classs_persons_validates_and_a_fifth_tests(made, seed):
    labels, who, classes = made
    one = split(labels, who, classes, seed)
    labels, who = np.array(labels), np.array(who)
    for label in range(len(classes)):
        n = len(set(who[labels == label]))
        for part in (one.validation, one.test):
            here = len(set(who[part[labels[part] == label]]))
            assert n // 5 <= here <= -(-n // 5)


@given(made=collections_of(fewest=5, shared=True), seed=seeds, data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_files_does_not_matter(made, seed, data):
    labels, who, classes = made
    order = np.array(data.draw(st.permutations(range(len(labels)))))
    one = split(labels, who, classes, seed)
    again = split(labels, who, classes, seed)
    other = split(np.array(labels)[order], np.array(who)[order], classes, seed)
    for part, same, moved in zip(parts(one), parts(again), parts(other)):
        np.testing.assert_array_equal(part, same)
        np.testing.assert_array_equal(part, np.sort(order[moved]))


def test_the_seed_matters():
    labels, who = [0, 1] * 20, [str(i) for i in range(40)]
    tests = {tuple(split(labels, who, "ab", seed).test) for seed in range(10)}
    assert len(tests) > 5


@given(made=collections_of(fewest=4, shared=True), count=st.integers(3, 4), seed=seeds)
@settings(max_examples=40, deadline=None)
def test_each_person_is_tested_on_once(made, count, seed):
    labels, who, classes = made
    every = folds(labels, who, classes, count, seed)
    assert len(every) == count
    for one in every:
        check(one, labels, who, classes)
    tested = np.concatenate([one.test for one in every])
    assert sorted(tested) == list(range(len(labels)))
    persons = [set(np.array(who)[one.test]) for one in every]
    assert sum(map(len, persons)) == len(set(who))
    for one, following in zip(every, [*every[1:], every[0]]):
        np.testing.assert_array_equal(one.validation, following.test)


def test_one_who_left_many_images_counts_as_one():
    # One person of ten left 91 of 100 images of the class; persons are dealt out.
    labels = [0] * 100 + [1] * 10
    who = ["much"] * 91 + [f"a{i}" for i in range(9)] + [f"b{i}" for i in range(10)]
    for seed in range(20):
        one = split(labels, who, "ab", seed)
        persons = [len(set(np.array(who)[part])) for part in parts(one)]
        assert persons == [12, 4, 4]


def test_too_few_persons_are_counted():
    labels, who = [0] * 9 + [1] * 9, ["x", "y"] * 4 + ["y"] + [*"abcdefghi"]
    with pytest.raises(InputError) as error:
        split(labels, who, ("steady", "tremor"), 0)
    assert "2 of 'steady', 9 of 'tremor', and 3 of each are needed" in str(error.value)
    with pytest.raises(
        InputError, match="5 parts with each class in each: there are 4"
    ):
        folds([0] * 4 + [1] * 9, list("abcdefghijklm"), "xy", 5, 0)
    with pytest.raises(InputError, match="2 folds are too few: from 3 on"):
        folds([0, 1] * 9, list(map(str, range(18))), "xy", 2, 0)


def test_writers_who_are_in_all_classes_are_divided_too():
    # As with digits: everybody writes each of them.
    labels, who = [0, 1] * 10, [f"w{i // 2}" for i in range(20)]
    one = split(labels, who, "01", 0)
    check(one, labels, who, "01")
    assert [len(part) for part in parts(one)] == [12, 4, 4]


def test_persons_in_several_classes_may_need_more():
    labels, who = [0, 0, 0, 1, 1, 1, 0, 1], [*"abcdef", "all", "all"]
    with pytest.raises(InputError, match="and more as some are in several classes"):
        folds(labels, who, "xy", 4, 0)
    check(folds(labels, who, "xy", 3, 0)[0], labels, who, "xy")


def items(*subjects):
    return [Item(None, 0, subject, "") for subject in subjects]


def together(names):
    """Which files are in a group, as sets of their indices."""
    found = collections.defaultdict(set)
    for index, name in enumerate(names):
        found[name].add(index)
    return sorted(map(sorted, found.values()))


def test_a_person_is_a_group_and_so_are_files_of_the_same_bytes():
    found = groups(items("A", "A", None, None, None, "B"), "abcdde")
    assert together(found) == [[0, 1], [2], [3, 4], [5]]
    # The same bytes as A's and as B's: both are one group then, with all they drew.
    found = groups(items("A", "A", "B", "B", None, None), "axaycx")
    assert together(found) == [[0, 1, 2, 3, 5], [4]]
    # A person whose name looks like a digest is not that file.
    assert together(groups(items("a", None), "xa")) == [[0], [1]]


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from([None, *"ABCDE"]), st.sampled_from("uvwxyz")),
        min_size=1,
        max_size=12,
    ),
    data=st.data(),
)
@settings(deadline=None)
def test_groups_are_what_can_be_reached_in_any_order(pairs, data):
    subjects, digests = zip(*pairs)
    found = groups(items(*subjects), digests)

    # By brute force: files touch that share a person or bytes, and so on and on.
    n = len(pairs)
    touch = np.array(
        [
            [
                digests[i] == digests[j]
                or (subjects[i] is not None and subjects[i] == subjects[j])
                for j in range(n)
            ]
            for i in range(n)
        ]
    )
    reach = np.linalg.matrix_power(touch.astype(int), n) > 0
    np.testing.assert_array_equal(found[:, None] == found, reach)

    order = data.draw(st.permutations(range(n)))
    moved = groups(items(*(subjects[i] for i in order)), [digests[i] for i in order])
    np.testing.assert_array_equal(moved, found[list(order)])


def test_the_report_counts_images_and_persons():
    labels = [0, 0, 0, 1, 1, 1, 1]
    who = ["a", "a", "b", "c", "d", "d", "e"]
    one = PersonSplit(np.array([0, 1, 3]), np.array([2, 6]), np.array([4, 5]))
    assert report([one], labels, who, ("x", "y")).splitlines() == [
        "|  | x: images | x: persons | y: images | y: persons |",
        "| --- | --- | --- | --- | --- |",
        "| train | 2 | 1 | 1 | 1 |",
        "| validation | 1 | 1 | 1 | 1 |",
        "| test | 0 | 0 | 2 | 1 |",
        "| all | 3 | 2 | 4 | 3 |",
    ]
    text = report([one, one], labels, who, ("x", "y"))
    assert "| fold 2 | 0 | 0 | 2 | 1 |" in text
    assert "the next one to validate" in text


@pytest.mark.parametrize("name", folders.MAKERS)
def test_every_layout_can_be_divided(name, tmp_path):
    folders.MAKERS[name](tmp_path, 5, 1, np.random.default_rng(0))
    found = layout.find(tmp_path)
    labels = [item.label for item in found.items]
    who = groups(found.items, [str(item.file) for item in found.items])
    one = split(labels, who, found.classes, 0)
    check(one, labels, [item.subject for item in found.items], found.classes)
    persons = [len(set(who[part])) for part in parts(one)]
    assert persons == [6, 2, 2]
