"""Data: images a second by processes, memory by images, and what a billion would cost.

Every row is one run of the command that a user types, `tfds build shaky_letters`, start
and end included, into a folder that is deleted afterwards.
"""

import json
import pathlib
import sys
import tempfile
from typing import Any

from .memory import usage

TITLE = "Data"

SIZES = (10_000, 100_000, 1_000_000)
"""Images to train on; the last is that of `letters_xl`."""

CORE_HOUR, GB_HOUR, GB_A_CORE = 0.056, 0.003557, 4
"""Dollars for a batch worker on Google Cloud Dataflow in us-central1, as stated in
Apache Beam 2.77's `testing/load_tests/dataflow_cost_consts.py`."""

TB_MONTH = 0.000027397 * 730 * 1e12 / 2**30
"""Dollars in Cloud Storage there: a GiB and hour is $0.000027397, price list read on
20 September 2026."""


def measure() -> list[dict[str, Any]]:
    """Builds the sets; returns a row for each."""
    runs = [(1, SIZES[-1]), *((2, images) for images in reversed(SIZES)), (0, SIZES[1])]
    rows = []
    for processes, images in runs:
        rows.append(_built(processes, images))
        print(rows[-1], flush=True)
    return rows


def _built(processes: int, images: int) -> dict[str, Any]:
    """Builds a set, without Beam or with some of its worker processes."""
    config = json.dumps({"name": "measured", "images": images})
    with tempfile.TemporaryDirectory() as folder:
        begun = []

        def look(seconds: float) -> None:
            if not begun and any(pathlib.Path(folder).rglob("*tfrecord*")):
                begun.append(seconds)

        command = [
            *(sys.executable, "-m", "tensorflow_datasets.scripts.cli.main"),
            *("build", "shaky_letters", "--config", config, "--data_dir", folder),
        ]
        if processes:
            options = (
                f"direct_num_workers={processes},direct_running_mode=multi_processing"
            )
            command += [f"--beam_pipeline_options=runner=FnApiRunner,{options}"]
        used = usage(command, look)
        (info,) = pathlib.Path(folder).rglob("dataset_info.json")
        splits = json.loads(info.read_text("utf-8"))["splits"]
        made = sum(int(n) for split in splits for n in split["shardLengths"])
        size = sum(file.stat().st_size for file in info.parent.iterdir())
    return {
        "workers": processes,
        "images_to_train_on": images,
        "images": made,
        "seconds": round(used.seconds, 1),
        "start_seconds": round(begun[0], 1),
        "images_per_second": round(made / used.seconds),
        "memory_MB": round(used.memory / 1e6),
        "largest_process_MB": round(used.largest / 1e6),
        "bytes_per_image": round(size / made),
    }


def describe(rows: list[dict[str, Any]]) -> str:
    """Returns what the rows say."""
    parts = _scaling(rows), _memory(rows), _billion(rows), _LEGEND
    return "\n\n".join(parts)


_LEGEND = (
    "`workers` 0 is the build without Beam. `images` has the 22,000 of the test splits "
    "besides. Memory is the proportional set size of all processes together, looked at "
    "every two seconds; `start seconds` is until the first file was begun."
)


def _scaling(rows: list[dict[str, Any]]) -> str:
    one, two = (
        next(r for r in rows if (r["workers"], r["images_to_train_on"]) == wanted)
        for wanted in ((1, SIZES[-1]), (2, SIZES[-1]))
    )
    efficiency = one["seconds"] / two["seconds"] / 2
    begun = one["seconds"] - one["start_seconds"], two["seconds"] - two["start_seconds"]
    return (
        f"`tfds build shaky_letters`, {SIZES[-1]:,} images to train on as in "
        "`letters_xl`, from the command to its end: one process of Apache Beam makes "
        f"{one['images_per_second']:,} images/s, two {two['images_per_second']:,}, "
        f"**scaling efficiency {efficiency:.3f}** (from the first file on "
        f"{begun[0] / begun[1] / 2:.3f}). The start of the programs takes as long for "
        "two as for one, so smaller sets gain less: see the seconds below."
    )


def _memory(rows: list[dict[str, Any]]) -> str:
    two = {r["images_to_train_on"]: r["memory_MB"] for r in rows if r["workers"] == 2}
    sizes = [f"{two[images]:,} MB at {images:,} images" for images in SIZES]
    return (
        f"Memory with two workers: {', '.join(sizes)}; **the last is "
        f"{two[SIZES[-1]] / two[SIZES[0]]:.3f} times the first**."
    )


def _billion(rows: list[dict[str, Any]]) -> str:
    (run,) = (
        r for r in rows if (r["workers"], r["images_to_train_on"]) == (2, SIZES[-1])
    )
    core = run["images"] / run["seconds"] / run["workers"]
    hours, terabytes = 1e9 / core / 3600, run["bytes_per_image"] / 1000
    dollars = hours * (CORE_HOUR + GB_HOUR * GB_A_CORE)
    return (
        f"A billion images, worked out from the run with {SIZES[-1]:,}: {core:,.0f} "
        f"images/s on a core, so **{hours:,.0f} core hours**; "
        f"{run['bytes_per_image']:,} bytes an image, so **{terabytes:.2f} TB**. On "
        "Google Cloud Dataflow, were a vCPU there as fast as a core here, with "
        f"{GB_A_CORE} GB each, **${dollars:.0f}**: ${CORE_HOUR} a vCPU hour and "
        f"${GB_HOUR} a GB hour (us-central1, as in Apache Beam 2.77's "
        "`dataflow_cost_consts.py`). To keep it, "
        f"**${terabytes * TB_MONTH:.0f} a month**: ${TB_MONTH:.2f} a TB and month "
        "(Cloud Storage, standard, us-central1, read on 20 September 2026). Not run."
    )
