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
FREE = 2
ENOUGH_MS = "60000"
LENGTH = "Inference-Header-Content-Length"
ANSWERED = defaultdict(Counter)
# A deadline of the request's own may be too short, and is then told with one of these.
LATE = ("overloaded", "engine-timeout")
# In an array, whether of elements or of predictions.
TOKEN = re.compile(rb"(?<=[\[,])(NaN|-?Infinity)(?=[,\]])")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    is_json = case.media_type == "application/json"
    # A right length is that of a body with binary tensors; here 0 would make the only input of the JSON.
    if is_json and str((case.headers or {}).get(LENGTH, "")).isdigit():
        del case.headers[LENGTH]
    is_right = case.meta and case.meta.generation.mode == GenerationMode.POSITIVE
    if not is_right or not is_json or not isinstance(case.body, dict):
        return
    if "kedge-timeout-ms" in (case.headers or {}):
        case.headers["kedge-timeout-ms"] = ENOUGH_MS
    path = case.operation.path
    if path.endswith("/infer"):
        fit(case.body, specs_of(case.operation.schema.raw_schema, path.split("/")[3]))
    elif path.endswith(":predict") and case.body.get("instances"):
        case.body["instances"] = [alike(case.body["instances"][0])] * ROWS


def specs_of(document, model):
    """The schema of each input."""
    items = document["components"]["schemas"][f"{model}.InferRequest"]["properties"]["inputs"]["items"]
    return items.get("oneOf", [items])


def fit(body, specs):
    """Each input once, few rows, and as many elements as the shape wants; all outputs; time enough."""
    body.pop("outputs", None)
    body.pop("parameters", None)
    given = {tensor["name"]: tensor for tensor in body["inputs"]}
    shapes = [tensor["shape"] for tensor in given.values()]
    rows = min([int(shape[0]) for shape in shapes if shape] + [ROWS])
    body["inputs"] = [
        fitted(given.get(spec["title"]), spec, rows) for spec in specs if spec["title"] in given or not is_optional(spec)
    ]


def is_optional(spec):
    return "default" in spec.get("description", "")


def fitted(tensor, spec, rows):
    name, datatype, shape = (spec["properties"][key] for key in ("name", "datatype", "shape"))
    dims = [dim.get("const", rows if at == 0 else FREE) for at, dim in enumerate(shape.get("prefixItems", []))]
    flat = list(flattened(tensor["data"])) if tensor else []
    flat = flat or [{"BYTES": "", "BOOL": False}.get(datatype["const"], 0)]
    data = [flat[at % len(flat)] for at in range(math.prod(dims))]
    return {"name": name["const"], "datatype": datatype["const"], "shape": dims, "data": data}


def alike(row):
    """Values of several inputs, each as long as the shortest of them, and none of them empty."""
    if not isinstance(row, dict) or not all(isinstance(value, list) for value in row.values()):
        return row
    length = min(map(len, row.values()), default=0) or 1
    return {name: (value or [0])[:length] for name, value in row.items()}


def flattened(data):
    for value in data:
        if isinstance(value, list):
            yield from flattened(value)
        else:
            yield value


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
