"""What kedge's command fitter puts into a folder, and what it wants to find there. Needs numpy and onnx."""

import csv
import json
import sys
from types import SimpleNamespace

import numpy as np
import onnx


def read(folder):
    """The task: settings, `train`, `validation` (or None) with x, y and weights, and `check`, rows to answer."""
    with open(f"{folder}/settings.json") as file:
        task = SimpleNamespace(**json.load(file))
    task.folder = folder
    task.train = _part(task, "train.csv")
    task.validation = _part(task, "validation.csv") if task.validation else None
    task.check = _part(task, "check.csv").x
    return task


def _part(task, name):
    """A missing value is an empty field, and becomes NaN."""
    with open(f"{task.folder}/{name}", newline="") as file:
        lines = csv.reader(file)
        head = next(lines)
        table = np.array([[float(cell or "nan") for cell in line] for line in lines], np.float64)
    columns = [at for at, title in enumerate(head) if title not in (task.target, task.weight)]
    column = lambda title: table[:, head.index(title)] if title in head else None  # noqa: E731
    return SimpleNamespace(x=table[:, columns].astype(np.float32), y=column(task.target), weights=column(task.weight))


def leave(task, model, predictions):
    """Leaves the model and its own answers to `check`, which kedge holds the exported model against."""
    onnx.checker.check_model(model)
    onnx.save(model, f"{task.folder}/output/model.onnx")
    with open(f"{task.folder}/output/predictions.csv", "w") as file:
        file.write("prediction\n")
        file.writelines(f"{float(value)!r}\n" for value in np.ravel(predictions))


def rename(model, output, name):
    """Gives an output of the graph another name."""
    for node in model.graph.node:
        for names in (node.input, node.output):
            for at, old in enumerate(names):
                if old == output:
                    names[at] = name
    for value in model.graph.output:
        if value.name == output:
            value.name = name
    return model


def main(fit):
    """Runs `fit`, which gets the task and returns the model and its answers, on the folder of the command line."""
    task = read(sys.argv[-1])
    leave(task, *fit(task))
