"""scikit-learn for kedge's command fitter: `settings` are those of a random forest. Its exporter to ONNX does not know all that scikit-learn has; kedge notices where it drops a step."""

from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from kedge_fit import main, rename


def fit(task):
    settings = {"n_estimators": 50, "min_samples_leaf": 5, "random_state": task.seed, **task.settings}
    classify = task.objective == "logistic"
    if classify:
        forest = RandomForestClassifier(**settings)
    else:
        forest = RandomForestRegressor(criterion="poisson" if task.objective == "poisson" else "squared_error", **settings)
    model = Pipeline([("missing", SimpleImputer(strategy="median", keep_empty_features=True)), ("forest", forest)])
    model.fit(task.train.x, task.train.y, forest__sample_weight=task.train.weights)
    exported = to_onnx(
        model,
        initial_types=[(task.input, FloatTensorType([None, len(task.columns)]))],
        target_opset={"": 15, "ai.onnx.ml": 3},
        options={"zipmap": False} if classify else None,
    )
    if classify:
        return rename(exported, "probabilities", task.output), model.predict_proba(task.check)[:, 1]
    return rename(exported, "variable", task.output), model.predict(task.check)


main(fit)
