"""Two runs at once that want to write to one folder."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from commands.folder import alone
from export import benchmark, convert
from pipelines import train
from pipelines.reproduce.__main__ import main as reproduce
from shaky_letters.turn import turn
from testing.faults import kills, work
from tests.commands.refusal import refused
from tests.processes import until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("program", ["train", "resume", "convert", "reproduce", "time"])
def test_the_second_one_is_refused(program, training, tflite, tmp_path):
    folder = tmp_path / "out"
    command, *arguments = {
        "train": (train.main, "--dataset", training.data),
        "resume": (train.main, "--dataset", training.data, "--resume"),
        "convert": (convert.main, training.run, "--quiet"),
        "reproduce": (reproduce, "--quick"),
        "time": (benchmark.main, tflite),
    }[program]
    with alone(folder):
        (folder / "file").write_text("of the first one")
        line = refused(command, *arguments, "--output", folder)
        assert line == (
            f"Error: another run is writing to {str(folder)!r}: wait for it, or name "
            "another folder"
        )
        assert [path.name for path in folder.iterdir()] == ["file"]


def test_of_two_that_need_a_dataset_one_makes_it_and_the_other_takes_it(
    building, tmp_path
):
    folder = tmp_path / "data"
    parent = folder / "shaky_letters" / "few_letters"
    parent.mkdir(parents=True)
    places = [tmp_path / name for name in ("one", "two")]
    for path in places:
        path.mkdir()
    with ThreadPoolExecutor() as pool:
        # Both are at the door before either may go in.
        with turn(parent):
            both = [
                pool.submit(kills.Workplace(path).do, work.build, folder)
                for path in places
            ]
            printed = [path / "scratch" / "printed" for path in places]
            until(lambda: all(map(_waits, printed)), seconds=120)
        for one in both:
            one.result()
    building.finished(folder)
    built = [
        "Dataset shaky_letters downloaded" in file.read_text("utf-8")
        for file in printed
    ]
    assert sorted(built) == [False, True]


def _waits(file):
    return file.exists() and "waiting for another process" in file.read_text()
