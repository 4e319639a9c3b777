"""Writes what the app's tests compare it with: strokes, and what Python says of them.

    python -m mobile_demo.web.tests.make_vectors

Into mobile_demo/web/build/, for the sparse model in mobile_demo/model:

labels.json: 1,000 recordings, 500 each of `test` and of `test_unseen` (letters).
drawings.json: 100 others of `test_unseen`, with times, for a browser to draw.
zeroed.tflite: the model with its weights zero: a valid file that answers wrongly.
resized.tflite: a valid file, too, with the model's card, for pictures of 100 x 100.

    {"model": the file's name, "drawings": [{"label": the true one, "strokes": [{"x",
     "y", "t"}, …], "ink", "python": {"label", "probability"}}, …]}

x and y are the recording's pixels, 100 to a pad's side; t is in seconds. `ink` is the
canonical picture, written as golden vectors are (docs/reading.md). `python` is what
`pipelines.predict` says of it: the label, and the probability of shaky.
"""

import json
import pathlib

import numpy as np

from export import card, flatbuffer, golden
from pipelines.run.classifier import Classifier
from shaky_letters import canonical, raster
from shaky_letters.shaky_letters_dataset_builder import (
    CLASSES,
    ShakyLettersConfig,
    example,
)

from .recordings import strokes_of

WEB = pathlib.Path(__file__).parents[1]
MODEL = WEB.parent / "model/sparse"
BUILD = WEB / "build"
LETTERS = ShakyLettersConfig(name="letters")


def smallest() -> pathlib.Path:
    """Returns the file that the app takes: the smallest, as the report says."""
    report = json.loads((MODEL / "report.json").read_text("utf-8"))
    return MODEL / next(row["file"] for row in report if "smallest" in row["best"])


def drawing(split: str, i: int, with_times: bool) -> tuple[dict, np.ndarray]:
    """Returns an example's strokes and true label, and its canonical picture."""
    made = example(LETTERS, LETTERS.splits()[split], i)
    columns = {key: made["strokes"][key].astype("float64") for key in ("x", "y", "t")}
    pen_down = made["strokes"]["pen_down"]
    ink = canonical.of_path(columns["x"], columns["y"], pen_down)
    if not with_times:
        del columns["t"]
    columns = {key: values.round(6) for key, values in columns.items()}
    strokes = strokes_of(columns, pen_down)
    label = CLASSES[made["label"]]
    return {"label": label, "strokes": strokes, "ink": golden.encode(ink)}, ink


def answered(examples: list[tuple[dict, np.ndarray]]) -> list[dict]:
    """Returns drawings with the model's answers."""
    answers = Classifier(smallest())(np.stack([ink for _, ink in examples]))
    return [
        {
            **made,
            "python": {
                "label": CLASSES[answer.argmax()],
                "probability": float(answer[CLASSES.index("shaky")]),
            },
        }
        for (made, _), answer in zip(examples, answers)
    ]


def zeroed(file: bytes) -> bytes:
    """Returns a model whose weights are zero; its card and its layout stay."""
    model = flatbuffer.read(file)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            values = flatbuffer.stored(model, tensor)
            # Whole numbers of 32 or 64 bits are shapes: without them it is no model.
            if values is not None and values.dtype not in (np.int32, np.int64):
                buffer = model.buffers[tensor.buffer]
                buffer.data = np.zeros(len(buffer.data), "uint8")
    return card.embed(flatbuffer.write(model), card.read(file))


def resized(file: bytes) -> bytes:
    """Returns a model of another input, which it answers with; its card stays."""
    model = flatbuffer.read(file)
    (graph,) = model.subgraphs
    graph.tensors[graph.inputs[0]].shape = [1, raster.SIZE, raster.SIZE, 1]
    graph.outputs, graph.operators = graph.inputs, []
    model.signatureDefs = None  # they name the former output
    return card.embed(flatbuffer.write(model), card.read(file))


def write(name: str, examples: list[tuple[dict, np.ndarray]]) -> None:
    """Writes a file of drawings."""
    content = {"model": smallest().name, "drawings": answered(examples)}
    (BUILD / name).write_text(json.dumps(content), "utf-8")


def main() -> None:
    """Writes the files."""
    BUILD.mkdir(exist_ok=True)
    splits = "test", "test_unseen"
    write("labels.json", [drawing(s, i, False) for s in splits for i in range(500)])
    write("drawings.json", [drawing(splits[1], i, True) for i in range(500, 600)])
    for name, change in (("zeroed", zeroed), ("resized", resized)):
        made = change(smallest().read_bytes())
        (BUILD / f"{name}.tflite").write_bytes(made)


if __name__ == "__main__":
    main()
