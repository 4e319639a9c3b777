"""What export makes of sparse models, and of a peer's.

python -m benchmarks.export --output docs/results

Trains on letters with the defaults (`--penalty tl1 --a 0.1`), with
`--target-sparsity 0.97`, and with tensorflow-model-optimization's magnitude pruning
to 97 %, the same network from the same initial weights on the same batches for as
many steps. The first two are exported by `export.convert`, the peer's as its guide
says: `strip_pruning`, then TensorFlow's converter. All files of a seed are run on the
20,000 images of test_large, since methods lie closer than 1,000 could tell apart, and
timed in turns within one run. Finished runs in --runs are kept.
"""

import dataclasses
import pathlib
import statistics
from typing import Any

import click

from commands.cli import Command, Number, quietly
from commands.files import read_json, write_json
from pipelines.run.config import TrainConfig

from . import page
from .runs import accuracy, finished

SPARSITY = 0.97
METHODS = {
    "rvsm, defaults": ("defaults", TrainConfig()),
    "rvsm, target 97 %": ("target", TrainConfig(target_sparsity=SPARSITY)),
}
"""By method the name of its folders, and its configuration."""
PEER = "tfmot, 97 %"
PRUNED = TrainConfig(method="magnitude", target_sparsity=SPARSITY)
GUIDE = {
    "float32": (),
    "dynamic range": ("DEFAULT",),
    "float32, sparse": ("EXPERIMENTAL_SPARSITY",),
    "dynamic range, sparse": ("DEFAULT", "EXPERIMENTAL_SPARSITY"),
}
"""The converter's optimizations that the peer's guides name."""


def prune(config: TrainConfig, folder: pathlib.Path) -> None:
    """Trains the paper's network with magnitude pruning, and converts it.

    Leaves, beside the run, a .tflite file for each way of the guide, and peer.json
    with the accuracy and what a file's answers differ by.
    """
    with quietly():
        import tensorflow as tf

        from export.runtimes import ALL
        from pipelines.images import data
        from pipelines.run.model import read_model
        from pipelines.training import magnitude
        from rvsm_tf.litert.runtimes import there
        from rvsm_tf.litert.source import Examples
        from rvsm_tf.litert.verify import verify

    sparsity = finished(config, folder)["sparsity"]
    stored = data.prepare(config.dataset)
    test, large = data.load(stored, "test"), data.load(stored, "test_large")
    model, _ = magnitude.twin(read_model(folder / "model.keras"))
    given = Examples({model.input.name: test.image.astype("float32") / 255})
    expected = model.predict(*given.inputs.values(), verbose=0)
    answers = model.predict(large.image.astype("float32") / 255, verbose=0)
    found: dict[str, Any] = {
        "keras_test_accuracy": float((answers.argmax(-1) == large.label).mean()),
        "sparsity": sparsity,
        "files": {},
    }
    for name, optimizations in GUIDE.items():
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [getattr(tf.lite.Optimize, o) for o in optimizations]
        path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.tflite"
        with quietly():
            path.write_bytes(converter.convert())
        kind = "int8" if "DEFAULT" in optimizations else "float32"
        verdict = verify(path, given, expected, kind, there(ALL))
        found["files"][name] = {
            "file": path.name,
            "refused": verdict.refused,
            "max_abs_diff": verdict.max_abs_diff,
            "test_accuracy": None
            if verdict.refused
            else accuracy(path, large, model.input.name),
        }
    write_json(folder / "peer.json", found)


def exported(
    method: str, config: TrainConfig, folder: pathlib.Path
) -> list[dict[str, Any]]:
    """Trains and exports one of `METHODS`; returns a row for each file."""
    from export import convert
    from pipelines.images import data

    trained = finished(config, folder)
    large = data.load(data.prepare(config.dataset), "test_large")
    rows = []
    for row in convert.run(folder):
        file = folder / "export" / row["file"] if row["file"] else None
        rows.append(
            {
                "path": file,
                "method": method,
                "format": row["format"],
                "sparsity": round(trained["sparsity"], 4),
                **{k: row[k] for k in ("bytes", "zip_bytes", "max_abs_diff")},
                "test_accuracy": file and accuracy(file, large),
                "keras_test_accuracy": trained["test_large_accuracy"],
                **{k: row[k] for k in ("memory_bytes", "refused")},
            }
        )
    return rows


def peer(config: TrainConfig, folder: pathlib.Path) -> list[dict[str, Any]]:
    """Trains and converts the peer; returns a row for each file."""
    from export.size import zip_bytes

    if not (folder / "peer.json").exists():
        prune(config, folder)
    found = read_json(folder / "peer.json")
    return [
        {
            "path": None if row["refused"] else folder / row["file"],
            "method": PEER,
            "format": name,
            "sparsity": round(found["sparsity"], 4),
            "bytes": (folder / row["file"]).stat().st_size,
            "zip_bytes": zip_bytes(folder / row["file"]),
            "max_abs_diff": row["max_abs_diff"],
            "test_accuracy": row["test_accuracy"],
            "keras_test_accuracy": found["keras_test_accuracy"],
            "memory_bytes": None,
            "refused": row["refused"],
        }
        for name, row in found["files"].items()
    ]


def timed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds latencies, all files in turns; the first row's file is the reference."""
    from export import timing

    files = [row["path"] for row in rows if row["path"]]
    timings = timing.in_turns(files)
    ratios = timing.ratios(timings, files[0])
    found = {t.file: (t.warm, r) for t, r in zip(timings, ratios, strict=True)}
    for row in rows:
        warm, ratio = found.get(row.pop("path"), (None, None))
        row["latency_ms"] = warm and round(warm.median, 4)
        row["latency_ratio"] = ratio and round(ratio.median, 3)
    return rows


def summary(rows: list[dict[str, Any]]) -> str:
    """Returns a table with a line for each method and format, over the seeds."""
    lines = [
        "| method | format | zeros | bytes | zipped | latency ratio | accuracy, Keras "
        "| accuracy, file | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for method, name in dict.fromkeys((r["method"], r["format"]) for r in rows):
        some = [r for r in rows if (r["method"], r["format"]) == (method, name)]
        refused = next((r["refused"] for r in some if r["refused"]), None)
        cells = [
            over(some, "sparsity", lambda x: f"{100 * x:.1f} %"),
            over(some, "bytes", lambda x: f"{x:,.0f}"),
            over(some, "zip_bytes", lambda x: f"{x:,.0f}"),
            over(some, "latency_ratio", lambda x: f"{x:.2f}"),
            over(some, "keras_test_accuracy", lambda x: f"{100 * x:.3f} %"),
            over(some, "test_accuracy", lambda x: f"{100 * x:.3f} %"),
            f"**refused**: {refused}" if refused else "",
        ]
        lines.append(f"| {method} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def over(rows: list[dict[str, Any]], key: str, write: Any) -> str:
    """Returns the mean over the rows that have a value, and lowest to highest."""
    values = [row[key] for row in rows if row[key] is not None]
    if not values:
        return ""
    low, high = write(min(values)), write(max(values))
    mean = write(statistics.mean(values))
    return mean if low == high else f"{mean} ({low} to {high})"


@click.command(cls=Command, context_settings={"show_default": True})
@click.option("--seeds", type=Number(1, whole=True), default=3)
@click.option("--runs", type=click.Path(path_type=pathlib.Path), default="runs/export")
@click.option("--output", type=click.Path(path_type=pathlib.Path), metavar="DIR")
def main(seeds: int, runs: pathlib.Path, output: pathlib.Path | None) -> None:
    """Train, export and compare, several seeds."""
    rows = []
    for seed in range(seeds):
        found = []
        for method, (name, config) in METHODS.items():
            print(f"{method}, seed {seed}", flush=True)
            config = dataclasses.replace(config, seed=seed)
            found += exported(method, config, runs / f"{name}-{seed}")
        print(f"{PEER}, seed {seed}", flush=True)
        found += peer(dataclasses.replace(PRUNED, seed=seed), runs / f"tfmot-{seed}")
        rows += [{"seed": seed, **row} for row in timed(found)]
    table = summary(rows)
    print(table)
    if output:
        page.write(
            output,
            "export",
            "Exported files",
            f"python -m benchmarks.export --seeds {seeds} --output {output}",
            f"Letters; accuracy on the 20,000 images of test_large; mean over {seeds} "
            "seeds, lowest and highest in brackets. Latency: one thread, all files of "
            "a seed in turns in one run, ratio to the dense float32 file of the first "
            "method. The peer is trained from the same initial weights on the same "
            "batches, and converted as its guide says; what is refused was run and "
            "found wrong, or did not run.\n\n"
            f"{table}\n\nEvery file:",
            rows,
        )


if __name__ == "__main__":
    main()
