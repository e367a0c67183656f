"""schemathesis, unmodified, against the served OpenAPI document: no 5xx, and no answer that the document does not tell of.

Bounded and seeded: some models of each kind (those of `KINDS`), a number of examples for each operation.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from checks import Checks, arguments

HERE = Path(__file__).parent
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
SEED = "20261124"
EXAMPLES = "15"
# Far above what it takes, a minute, on a machine that has nothing else to do.
LIMIT_SECONDS = 600

# The paths of the server itself; an estimator with domain rows; and tensors of each kind: one input and several, strings, booleans,
# 64 bits, half precision, scalars, defaults, a fixed batch, several free dimensions, a model in a process of its own.
KINDS = [
    "server",
    "scooter-demand",
    "iris-logreg",
    "bike-pipeline",
    "bytes-echo",
    "bool-gate",
    "int64-echo",
    "digits-mlp-fp16",
    "vector-stats",
    "defaulted-input",
    "fixed-batch-4",
    "pair-distance",
    "log-ratio",
    "collatz-loop",
]

# A version is asked as its model is: of most kinds that is not tried a second time.
VERSIONS_OF = ["iris-logreg", "scooter-demand", "vector-stats"]
OTHER_VERSIONS = ["--exclude-path-regex", f"^/v[12]/models/(?!({'|'.join(VERSIONS_OF)})/)[^/]+/versions/"]

# Left out: JSON Schema cannot say that data fills its shape, so a request may be right by the schema and refused all the same; and
# 5xx are judged by openapi_hooks.py, which knows the one that is right.
CHECKS = [
    "no_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
]


# Load and unload may take models away: they come last, on the port that has them.
CONTROL = ["--include-path-regex", "^/v2/repository/models/"]


def schemathesis(url, folder, selection):
    """How it ended, its words, and how often each operation was answered with each status."""
    answered = folder / "answered.json"
    words = [SCHEMATHESIS, "run", f"{url}/openapi.json", *selection]
    words += ["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED]
    words += ["--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color"]
    env = {
        **os.environ,
        "PYTHONPATH": str(HERE),
        "SCHEMATHESIS_HOOKS": "openapi_hooks",
        "KEDGE_ANSWERED": str(answered),
    }
    result = subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    return result.returncode, result.stdout + result.stderr, json.loads(answered.read_text())


def passed(code, output):
    if code != 0:
        print(output[-20_000:])
    assert code == 0, f"it ended with {code}"


def reached(counts):
    """It was answered rightly at least once, and not only told that nothing of it was right."""
    assert counts.get("200", 0) > 0, counts


def run(checks, url, selection):
    with tempfile.TemporaryDirectory() as folder:
        code, output, answered = schemathesis(url, Path(folder), selection)
    total = sum(sum(counts.values()) for counts in answered.values())
    checks.run(f"the document: {total} requests to {len(answered)} operations", passed, code, output)
    for operation, counts in sorted(answered.items()):
        if selection is not CONTROL:
            checks.run(f"200 of {operation}", reached, counts)
    print(f"  {total} requests to {len(answered)} operations")


def main():
    options = arguments()
    checks = Checks("schemathesis")
    run(checks, options.url, [*OTHER_VERSIONS, *(word for kind in KINDS for word in ("--include-tag", kind))])
    run(checks, options.admin, CONTROL)
    checks.finish(options.report)


if __name__ == "__main__":
    main()
