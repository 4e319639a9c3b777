import pytest

from testing.faults import kills


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Where processes do work, and are killed."""
    return kills.Workplace(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="session")
def building(place):
    return kills.Building(place)


@pytest.fixture(scope="session")
def training(place, building):
    return kills.Trained(place, building.made)


@pytest.fixture(scope="session")
def exporting(place, training):
    return kills.Exporting(place, training.run)


@pytest.fixture(scope="session")
def tflite(exporting):
    """A file that the export wrote."""
    return exporting.made / "float32-sparse.tflite"
