"""What schemathesis is told of this server, loaded by it (SCHEMATHESIS_HOOKS).

JSON Schema cannot say that `data` fills `shape`, so that next to no generated request would reach a model: those that are meant to be
right are made to fit. And how often each path was answered, by status, is written down for the script that started this.
"""

import atexit
import json
import math
import os
import re
from collections import Counter, defaultdict

import schemathesis
from schemathesis.generation import GenerationMode

ROWS = 4
ENOUGH_MS = "60000"
ANSWERED = defaultdict(Counter)
# A deadline of the request's own may be too short, and is then told with one of these.
LATE = ("overloaded", "engine-timeout")
# In an array, whether of elements or of predictions.
TOKEN = re.compile(rb"(?<=[\[,])(NaN|-?Infinity)(?=[,\]])")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if not case.meta or case.meta.generation.mode != GenerationMode.POSITIVE or not isinstance(case.body, dict):
        return
    if "kedge-timeout-ms" in (case.headers or {}):
        case.headers["kedge-timeout-ms"] = ENOUGH_MS
    if case.operation.path.endswith("/infer"):
        fit(case.body)
    elif case.operation.path.endswith(":predict") and case.body.get("instances"):
        case.body["instances"] = [alike(case.body["instances"][0])] * ROWS


def fit(body):
    """Few rows, other dimensions alike, and as many elements as the shape wants; all outputs; time enough."""
    body.pop("outputs", None)
    body.pop("parameters", None)
    shapes = {}
    for tensor in body.get("inputs") or []:
        if not isinstance(tensor, dict) or not isinstance(tensor.get("shape"), list):
            continue
        shape = [min(dim, ROWS) if dim > 4096 or at == 0 else dim for at, dim in enumerate(tensor["shape"])]
        tensor["shape"] = shapes.setdefault(len(shape), shape)
        flat = list(flattened(tensor.get("data") or []))
        count = math.prod(tensor["shape"])
        tensor["data"] = [flat[at % len(flat)] for at in range(count)] if flat else [default(tensor)] * count


def alike(row):
    """Values of several inputs, each as long as the shortest of them."""
    if not isinstance(row, dict) or not all(isinstance(value, list) for value in row.values()):
        return row
    length = min(map(len, row.values()), default=0)
    return {name: value[:length] for name, value in row.items()}


def flattened(data):
    for value in data:
        if isinstance(value, list):
            yield from flattened(value)
        else:
            yield value


def default(tensor):
    return {"BYTES": "", "BOOL": False}.get(tensor.get("datatype"), 0)


@schemathesis.check
def no_server_error(_context, response, case):
    """No 5xx at all, but for requests that leave too little time and are told so."""
    if response.status_code < 500:
        return
    parameters = case.body.get("parameters") if isinstance(case.body, dict) else None
    hurried = "kedge-timeout-ms" in (case.headers or {}) or (isinstance(parameters, dict) and "timeout" in parameters)
    code = response.json().get("code")
    assert hurried and response.status_code == 503 and code in LATE, f"{response.status_code} {code}"


@schemathesis.hook
def after_call(_context, case, response):
    if case.method.upper() != case.operation.method.upper():
        return
    # Strict JSON has no such numbers, and the validator takes them for null.
    if response.status_code == 200:
        response.content = TOKEN.sub(b"0", response.content)
    ANSWERED[f"{case.method.upper()} {case.operation.path}"][str(response.status_code)] += 1


@atexit.register
def write_answered():
    with open(os.environ["KEDGE_ANSWERED"], "w", encoding="utf-8") as file:
        json.dump(ANSWERED, file)
