"""Fits one task with scikit-learn or LightGBM on one thread, and writes scores and times as one line of JSON.

    python peers.py sklearn|lightgbm FOLDER

FOLDER holds what bench/fit/task.ts wrote.
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

kind, folder = sys.argv[1:]
with open(f"{folder}/task.json") as file:
    task = json.load(file)
rows, columns = task["rows"], len(task["columns"])
features = np.fromfile(f"{folder}/features.f32", np.float32).reshape(columns, rows).T
target = np.fromfile(f"{folder}/target.f64", np.float64)


def sklearn(x, y):
    """HistGradientBoostingRegressor with its defaults, but for the loss."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(loss="poisson" if task["objective"] == "poisson" else "squared_error")
    return lambda: model.fit(x, y).predict


def lightgbm(x, y):
    """The same trees as ours: 31 leaves, 20 rows in each, 255 bins, a learning rate of 0.1."""
    import lightgbm as lgb

    parameters = {"objective": "regression", "num_leaves": 31, "num_threads": 1, "verbose": -1}

    def fit():
        data = lgb.Dataset(x, y, params={"verbose": -1, "num_threads": 1})
        return lgb.train(parameters, data, task["trees"]).predict

    return fit


splits = []
for train_start, train_end, test_start, test_end in task["splits"]:
    train, test = slice(train_start, train_end), slice(test_start, test_end)
    fit = {"sklearn": sklearn, "lightgbm": lightgbm}[kind](features[train], target[train])
    cpu, wall = time.process_time(), time.perf_counter()
    predict = fit()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    errors = predict(features[test]) - target[test]
    splits.append({"mae": float(np.abs(errors).mean()), "rmse": float((errors**2).mean() ** 0.5), "cpuSeconds": cpu, "seconds": wall})
print(json.dumps({"splits": splits}))
