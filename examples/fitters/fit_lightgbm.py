"""LightGBM for kedge's command fitter: `settings` are those of LGBMRegressor and LGBMClassifier."""

import lightgbm as lgb
import onnx
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from kedge_fit import main, rename


def fit(task):
    settings = {"random_state": task.seed, "verbose": -1, "n_jobs": 1, **task.settings}
    categories = [at for at, column in enumerate(task.columns) if column["kind"] == "categorical"]
    classify = task.objective == "logistic"
    kind = lgb.LGBMClassifier if classify else lgb.LGBMRegressor
    objective = {"logistic": "binary", "poisson": "poisson", "squared-error": "regression"}[task.objective]
    model = kind(objective=objective, **settings)
    held = task.validation
    model.fit(
        task.train.x,
        task.train.y,
        sample_weight=task.train.weights,
        categorical_feature=categories or "auto",
        eval_set=[(held.x, held.y)] if held else None,
        callbacks=[lgb.early_stopping(20, verbose=False)] if held else None,
    )
    types = [(task.input, FloatTensorType([None, len(task.columns)]))]
    exported = convert_lightgbm(model, initial_types=types, target_opset=15, zipmap=False)
    if classify:
        return rename(exported, "probabilities", task.output), model.predict_proba(task.check)[:, 1]
    return rename(exported, "variable", task.output), model.predict(task.check)


main(fit)
