"""The letters dataset with its splits cut down to a few images."""

import dataclasses

from shaky_letters import shaky_letters_dataset_builder as dataset


def builder(folder, train=160, test=40, test_unseen=20, test_large=60):
    """Returns the builder of a small dataset in a folder."""
    sizes = {
        "train": train,
        "test": test,
        "test_unseen": test_unseen,
        "test_large": test_large,
    }

    class Small(dataset.ShakyLettersConfig):
        def splits(self):
            whole = super().splits()
            return {
                name: dataclasses.replace(whole[name], size=size)
                for name, size in sizes.items()
            }

    config = Small(name="few_letters", description="A few letters.")
    return dataset.Builder(config=config, data_dir=folder)
