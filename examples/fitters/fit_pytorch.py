"""PyTorch for kedge's command fitter: a small network whose scaling and missing values are part of the graph. `settings`: hidden, epochs, rate."""

import io

import numpy as np
import onnx
import torch
from torch import nn

from kedge_fit import main


class Network(nn.Module):
    def __init__(self, x, objective, hidden):
        super().__init__()
        mean = np.nan_to_num(np.nanmean(x, axis=0))
        deviation = np.nan_to_num(np.nanstd(x, axis=0))
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.tensor(1 / np.where(deviation > 1e-9, deviation, 1), dtype=torch.float32))
        # Whether a value is missing is a feature of its own.
        self.layers = nn.Sequential(nn.Linear(2 * x.shape[1], hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.link = {"logistic": torch.sigmoid, "poisson": torch.exp, "squared-error": nn.Identity()}[objective]

    def score(self, x):
        missing = torch.isnan(x)
        known = torch.where(missing, self.mean, x)
        return self.layers(torch.cat([(known - self.mean) * self.scale, missing.to(torch.float32)], dim=1))

    def forward(self, x):
        return self.link(self.score(x))


LOSSES = {
    "logistic": nn.BCEWithLogitsLoss(reduction="none"),
    "poisson": nn.PoissonNLLLoss(log_input=True, reduction="none"),
    "squared-error": nn.MSELoss(reduction="none"),
}


def fit(task):
    torch.manual_seed(task.seed)
    torch.set_num_threads(1)
    hidden, epochs, rate = (task.settings.get(name, value) for name, value in (("hidden", 64), ("epochs", 60), ("rate", 1e-2)))
    x = torch.tensor(task.train.x)
    y = torch.tensor(task.train.y, dtype=torch.float32)[:, None]
    weights = torch.ones_like(y) if task.train.weights is None else torch.tensor(task.train.weights, dtype=torch.float32)[:, None]
    network = Network(task.train.x, task.objective, hidden)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    loss = LOSSES[task.objective]
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(512):
            optimiser.zero_grad()
            (weights[batch] * loss(network.score(x[batch]), y[batch])).mean().backward()
            optimiser.step()
    network.eval()
    file = io.BytesIO()
    torch.onnx.export(
        network,
        (x[:2],),
        file,
        input_names=[task.input],
        output_names=[task.output],
        dynamic_axes={task.input: {0: "rows"}, task.output: {0: "rows"}},
        opset_version=17,
        dynamo=False,
    )
    with torch.no_grad():
        return onnx.load_from_string(file.getvalue()), network(torch.tensor(task.check)).numpy()


main(fit)
