"""kill -9, at random moments, of everything that writes files."""

import random

import pytest

from testing.faults import kills

pytestmark = pytest.mark.slow

SEED = 20251125
KILLS = {"building": 20, "training": 18, "exporting": 16}


def test_there_are_enough():
    assert sum(KILLS.values()) >= 50


@pytest.mark.parametrize("stage", KILLS)
def test_a_kill_at_any_moment_leaves_whole_files_and_the_same_result(
    stage, place, request
):
    made = request.getfixturevalue(stage)
    moments = list(kills.run(made, place, KILLS[stage], random.Random(SEED)))
    assert len(moments) == KILLS[stage]
