"""The report of an export as a table for people."""

from collections.abc import Sequence
from typing import Any

from rvsm_tf.tables import aligned

from . import runtimes


def table(
    rows: list[dict[str, Any]], where: Sequence[runtimes.Runtime] = runtimes.ALL
) -> str:
    """Returns the report as a table.

    Args:
        rows: of report.json.
        where: the runtimes that were looked for.
    """
    head = ("file", "bytes", "zipped", "ms", "ratio", "max diff", "labels", "accuracy")
    lines = [(*head, "zeros kept", "memory")]
    for row in rows:
        if not row["file"]:
            continue
        found = [z for z in row["zeros"] if z["kept"] is not None]
        zeros, kept = (sum(z[k] for z in found) for k in ("zeros", "kept"))
        lines.append(
            (
                row["file"],
                f"{row['bytes']:,}",
                f"{row['zip_bytes']:,}",
                f"{row['latency_ms']:.3f}",
                f"{row['latency_ratio']:.2f}",
                f"{row['max_abs_diff']:.1e}",
                f"{100 * row['label_agreement']:.2f} %",
                "-"
                if row["test_accuracy"] is None
                else f"{100 * row['test_accuracy']:.2f} %",
                f"{100 * kept / zeros:.2f} %" if zeros else "-",
                f"{row['memory_bytes'] / 2**20:.1f} MiB",
            )
        )
    text = [aligned(lines)]
    text += [
        f"not written: {row['format']}: {row['refused']}"
        for row in rows
        if row["refused"]
    ]
    text += [f"note: {row['file']}: {row['note']}" for row in rows if row["note"]]
    ran = next(row["runs_on"] for row in rows if row["file"])
    text.append(f"each was run in: {', '.join(ran)}")
    lacking = runtimes.lacking(where)
    if lacking:
        text.append(f"not run in: {lacking}")
    for what in ("smallest", "fastest"):
        (name,) = (row["file"] for row in rows if what in row["best"])
        text.append(f"{what}: {name}")
    accuracy = rows[0]["keras_test_accuracy"]
    if accuracy is not None:
        text.append(f"accuracy of the Keras model: {100 * accuracy:.2f} %")
    return "\n".join(text)
