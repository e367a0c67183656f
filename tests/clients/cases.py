"""The real models with their requests and answers, as numpy arrays; and what a right answer is."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DTYPES = {
    "BOOL": np.bool_,
    "INT8": np.int8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "UINT8": np.uint8,
    "UINT16": np.uint16,
    "UINT32": np.uint32,
    "UINT64": np.uint64,
    "FP16": np.float16,
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": np.object_,
}

# An answer would not follow from the shapes, and zero-size axes never reach the runtime.
REFUSED_BY_DESIGN = {("vector-stats", "no values"), ("pair-distance", "no dimensions: distance 0")}


@dataclass
class Tensor:
    name: str
    datatype: str
    shape: list
    array: np.ndarray

    @property
    def is_finite(self):
        return self.datatype not in ("FP16", "FP32", "FP64") or bool(np.isfinite(self.array).all())


@dataclass
class Case:
    model: str
    note: str
    inputs: list
    outputs: list
    tolerance: dict

    @property
    def is_refused(self):
        """By design, with a 400."""
        return (self.model, self.note) in REFUSED_BY_DESIGN

    @property
    def is_finite(self):
        return all(tensor.is_finite for tensor in [*self.inputs, *self.outputs])

    @property
    def has_infinity(self):
        """In the request."""
        return any(t.datatype.startswith("FP") and bool(np.isinf(t.array).any()) for t in self.inputs)

    @property
    def is_empty(self):
        return any(0 in tensor.shape for tensor in self.inputs)

    @property
    def rows(self):
        """How many items the request is for the statistics of a model whose first dimension is free."""
        return self.inputs[0].shape[0]


@dataclass
class Model:
    name: str
    signature: dict
    features: list
    batchable: bool
    cases: list
    errors: list

    @property
    def outputs(self):
        """Those that are tensors."""
        return [output for output in self.signature["outputs"] if output["datatype"] in DTYPES]

    @property
    def is_fp16(self):
        return any(spec["datatype"] == "FP16" for spec in self.signature["inputs"])

    @property
    def cases_of_rows(self):
        """The cases in which each input and output has a row for each instance, as the row form of v1 wants it."""
        return [
            case
            for case in self.cases
            if all(t.shape and t.shape[0] == case.rows for t in [*case.inputs, *case.outputs]) and case.rows > 0
        ]


def load(path):
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    return [_model(entry) for entry in document["good"]]


def _model(entry):
    name = entry["name"]
    return Model(
        name=name,
        signature=entry["signature"],
        features=entry["features"],
        batchable=entry["batchable"],
        cases=[_case(name, case) for case in entry["cases"]],
        errors=[_case(name, case) for case in entry.get("errors", [])],
    )


def _case(model, entry):
    return Case(
        model=model,
        note=entry["note"],
        inputs=[_tensor(tensor) for tensor in entry["request"]["inputs"]],
        outputs=[_tensor(tensor) for tensor in entry.get("response_outputs", [])],
        tolerance=entry.get("tolerance", {"abs": 0, "rel": 0}),
    )


def _tensor(entry):
    """Values may be nested; NaN and the infinities stand there as strings."""
    datatype = entry["datatype"]
    flat = list(_flatten(entry["data"]))
    if datatype == "BYTES":
        array = np.empty(len(flat), dtype=np.object_)
        array[:] = [value.encode("utf-8") for value in flat]
    elif datatype.startswith("FP"):
        array = np.array([float(value) for value in flat], dtype=np.float64).astype(DTYPES[datatype])
    else:
        array = np.array(flat, dtype=DTYPES[datatype])
    return Tensor(entry["name"], datatype, entry["shape"], array.reshape(entry["shape"]))


def _flatten(data):
    for value in data:
        if isinstance(value, list):
            yield from _flatten(value)
        else:
            yield value


def check_array(want, got, tolerance):
    """Raises AssertionError with the first difference. Strings may come as str or bytes."""
    assert got is not None, f"{want.name} is missing"
    got = np.asarray(got)
    assert list(got.shape) == want.shape, f"{want.name} has shape {list(got.shape)} for {want.shape}"
    if want.datatype == "BYTES":
        wanted = want.array.reshape(-1).tolist()
        texts = [item.encode("utf-8") if isinstance(item, str) else item for item in got.reshape(-1).tolist()]
        assert texts == wanted, f"{want.name}: {texts} for {wanted}"
    elif want.datatype.startswith("FP"):
        a, b = want.array.astype(np.float64), got.astype(np.float64)
        with np.errstate(invalid="ignore"):
            near = np.abs(b - a) <= tolerance["abs"] + tolerance["rel"] * np.abs(a)
        right = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(a) & np.isfinite(b) & near)
        assert right.all(), f"{want.name}: {got[~right][:3]} for {want.array[~right][:3]}"
    else:
        assert np.array_equal(want.array, got), f"{want.name}: {got.tolist()} for {want.array.tolist()}"


def check_outputs(case, read):
    """`read` answers the array of an output by its name."""
    for want in case.outputs:
        check_array(want, read(want.name), case.tolerance)
