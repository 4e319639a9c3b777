import dataclasses

import pytest

from shaky_letters import shaky_letters_dataset_builder as dataset


@pytest.fixture(scope="session")
def letters(tmp_path_factory):
    """A folder with the letters dataset, its splits cut down to a few images."""
    sizes = {"train": 160, "test": 40, "test_unseen": 20, "test_large": 60}

    class Small(dataset.ShakyLettersConfig):
        def splits(self):
            whole = super().splits()
            return {
                name: dataclasses.replace(whole[name], size=size)
                for name, size in sizes.items()
            }

    folder = tmp_path_factory.mktemp("data")
    config = Small(name="few_letters", description="A few letters.")
    builder = dataset.Builder(config=config, data_dir=folder)
    builder.download_and_prepare()
    return builder.data_path
