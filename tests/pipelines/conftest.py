import pytest

from testing import small


@pytest.fixture(scope="session")
def letters(tmp_path_factory):
    """A folder with the letters dataset, its splits cut down to a few images."""
    builder = small.builder(tmp_path_factory.mktemp("data"))
    builder.download_and_prepare()
    return builder.data_path
