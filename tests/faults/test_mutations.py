"""Damaged files: a clear line, or the right answer."""

import collections

import pytest

from testing.faults import mutations

pytestmark = pytest.mark.slow

SEED = 20251125
MUTATIONS = 1200


@pytest.fixture(scope="module")
def damage(tmp_path_factory):
    made = mutations.kinds(tmp_path_factory.mktemp("files"))
    return mutations.Damage(made, tmp_path_factory.mktemp("damaged"))


@pytest.mark.parametrize("part", range(12))
def test_damage_is_answered_in_a_line_or_does_no_harm(damage, part):
    each = MUTATIONS // 12
    seeds = (f"{SEED}-{part * each + i}" for i in range(each))
    found = collections.Counter(damage.mutate(seed) for seed in seeds)
    assert found.total() == each
    same = sum(n for (_, said), n in found.items() if said == mutations.SAME)
    assert same < each / 4
