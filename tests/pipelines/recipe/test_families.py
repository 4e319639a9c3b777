"""Which network a run trains, and what is asked of the wrong one."""

import pytest

from commands.cli import InputError
from pipelines.recipe import families
from pipelines.run.config import TrainConfig


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"target_size": 14_000}, "--target-size 14000"),
        ({"target_latency_ratio": 0.1}, "--target-latency-ratio 0.1"),
        ({"kernel_size": 5}, "--kernel-size 5"),
    ],
)
def test_what_the_paper_s_network_alone_has(asked, words):
    config = TrainConfig(dataset="hands", **asked)
    with pytest.raises(InputError, match=words):
        families.of(128, config)
    assert families.of(100, config) is families.PAPER


def test_each_network_takes_pictures_of_its_size():
    for size in (100, 128):
        family = families.of(size, TrainConfig())
        network = family.build(TrainConfig(), 0.1, 3)
        assert network.input_shape == (None, size, size, 1)
        assert network.output_shape == (None, 3)
