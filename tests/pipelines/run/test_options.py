"""A configuration's fields are the options of the command that trains."""

import dataclasses
import pathlib

import click
import pytest

from commands.cli import InputError
from pipelines import train
from pipelines.run import committed
from pipelines.run.config import TrainConfig
from pipelines.run.folder import read_config
from pipelines.run.options import options

FIELDS = [field.name for field in dataclasses.fields(TrainConfig)]


def parsed(*arguments):
    """The values that the command line passes on, of the fields alone."""
    values = train.main.make_context("train", list(arguments)).params
    return {name: values[name] for name in FIELDS}


def test_nothing_given_is_the_configuration_by_default():
    assert TrainConfig.given(parsed()) == TrainConfig()
    # As README and docs/results have it.
    assert TrainConfig() == TrainConfig(
        *("rvsm", "tl1", 0.1, 5e-4, 0.1, None, "magnitude"),
        *(None, None, None, None, "adam"),
        *(
            None,
            False,
            20,
            32,
            0,
            None,
            False,
            3,
            "letters",
            "auto",
            None,
            "all",
            None,
            None,
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--penalty", "scad"], "penalty", "scad"),
        (["--a", "2"], "a", 2.0),
        (["--target-size", "14kB"], "target_size", 14_000),
        (["--split-layers", "conv*,dense"], "split_layers", "conv*,dense"),
        (["--constant-rate"], "constant_rate", True),
        (["--from", "runs/one"], "from_", "runs/one"),
        (["--epochs", "20"], "epochs", 20),
        (["--seed", "7"], "seed", 7),
    ],
)
def test_an_option_sets_its_field_alone(arguments, name, value):
    changed = {k: v for k, v in parsed(*arguments).items() if v != parsed()[k]}
    assert changed == {name: value}


def test_a_structure_has_epochs_of_its_own_unless_they_are_given():
    target = "--target-latency-ratio", "0.1"
    assert TrainConfig.given(parsed(*target)).epochs == 60
    assert TrainConfig.given(parsed(*target, "--epochs", "20")).epochs == 20


def test_the_set_hands_has_epochs_of_its_own_unless_they_are_given():
    hands = "--dataset", "hands"
    assert TrainConfig.given(parsed(*hands)).epochs == 12
    assert TrainConfig.given(parsed(*hands, "--epochs", "20")).epochs == 20


def test_what_zeros_of_hands_are_chosen_by():
    def chosen(*options):
        return TrainConfig.given(parsed(*options)).saliency

    hands = "--dataset", "hands", "--target-sparsity", "0.9"
    assert chosen(*hands) == chosen(*hands, "--optimizer", "adamw") == "fisher"
    assert chosen(*hands, "--saliency", "magnitude") == "magnitude"
    assert chosen(*hands, "--optimizer", "sgd") == "magnitude"
    assert chosen(*hands, "--method", "magnitude") == "magnitude"
    assert chosen(*hands[:2]) == chosen(*hands[2:]) == "magnitude"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--optimizer", "sgd"), "which sgd keeps no mean of: choose adam or adamw"),
        (("--method", "loss"), "--method loss has none: leave it out"),
    ],
)
def test_squared_gradients_that_are_not_there(options, said):
    config = TrainConfig.given(parsed("--saliency", "fisher", *options))
    with pytest.raises(InputError, match=said):
        config.check()


def test_drawings_of_ones_own_start_from_the_committed_network(tmp_path):
    own = "--dataset", str(tmp_path)
    assert TrainConfig.given(parsed(*own)).origin == committed.RUN
    assert TrainConfig.given(parsed(*own, "--from", "none")).origin is None
    run = TrainConfig.given(parsed(*own, "--from", "runs/one")).origin
    assert run == pathlib.Path("runs/one")
    assert TrainConfig.given(parsed()).origin is None


def test_zeros_stay_as_many_as_the_run_to_start_from_was_to_have(tmp_path):
    own = "--dataset", str(tmp_path)
    target = read_config(committed.RUN)["target_sparsity"]
    assert 0.5 < target < 1

    def asked(*options):
        return TrainConfig.given(parsed(*own, *options)).target_sparsity

    assert asked("--epochs", "3") == asked("--tune", "all") == target
    assert asked("--epochs", "3", "--target-sparsity", "0.5") == 0.5
    assert asked() is None  # the last layers alone are fitted
    for said in (("--lam", "1e-4"), ("--penalty", "none"), ("--from", "none")):
        assert asked("--epochs", "3", *said) is None


def test_every_field_has_an_option_of_its_own_name():
    assert list(options(TrainConfig)) == FIELDS
    dashed = {name: option.opts for name, option in options(TrainConfig).items()}
    assert dashed["from_"] == ["--from"]
    assert dashed["target_latency_ratio"] == ["--target-latency-ratio"]
    given = {p.name for p in train.main.params if isinstance(p, click.Option)}
    others = {"on_error", "output", "distribute", "resume", "quiet"}
    assert given == {*FIELDS, *others}
