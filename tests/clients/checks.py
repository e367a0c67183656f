"""Named checks, counted; what failed is printed as it happens. The report has the counters of vitest's JSON reporter."""

import argparse
import asyncio
import fnmatch
import inspect
import json
import sys
import time
import traceback
from contextlib import contextmanager

# What the client cannot say: pydantic and the codec write null for the infinities as they do for NaN, which null is read as; and
# requests refuses to write them.
NULL = "the client writes null for the infinities as for NaN"
UNWRITABLE = "the client refuses to write the infinities"

# Checks that fail for a reason that is known, by client and pattern of the name. Each is counted as left out, and as failed once
# it passes.
KNOWN_DIFFERENCES = {
    "MLServer's codecs": {
        "requests json= bike-gbdt: large magnitudes, negative zero, infinities": UNWRITABLE,
        "requests json= iris-logreg: NaN and infinity come through": UNWRITABLE,
        "requests json= log-ratio: infinities and NaN in the request": UNWRITABLE,
        "requests* bike-gbdt: large magnitudes, negative zero, infinities": NULL,
        "httpx bike-gbdt: large magnitudes, negative zero, infinities": NULL,
        "aiohttp bike-gbdt: large magnitudes, negative zero, infinities": NULL,
        "requests* iris-logreg: NaN and infinity come through": NULL,
        "httpx iris-logreg: NaN and infinity come through": NULL,
        "aiohttp iris-logreg: NaN and infinity come through": NULL,
        "requests* log-ratio: infinities and NaN in the request": NULL,
        "httpx log-ratio: infinities and NaN in the request": NULL,
        "aiohttp log-ratio: infinities and NaN in the request": NULL,
    }
}


class Checks:
    def __init__(self, client):
        self.client = client
        self.passed = 0
        self.failed = []
        self.left_out = []
        self.started = time.monotonic()

    def run(self, name, work, *args):
        """Runs `work`; it passes if nothing is raised."""
        try:
            work(*args)
        except Exception as error:  # noqa: BLE001 whatever a client raises is a failed check
            self._failed(name, error)
        else:
            self._passed(name)

    async def run_async(self, name, work, *args):
        try:
            result = work(*args)
            if inspect.isawaitable(result):
                await asyncio.wait_for(result, 60)
        except Exception as error:  # noqa: BLE001
            self._failed(name, error)
        else:
            self._passed(name)

    def _passed(self, name):
        if self._known(name):
            self.failed.append(name)
            print(f"  FAILED {self.client}: {name}: it passes now: take it off the known differences", flush=True)
        else:
            self.passed += 1

    def _failed(self, name, error):
        text = " ".join(str(error).split())[:400] or type(error).__name__
        if not isinstance(error, AssertionError):
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {text} ({where.name})"
        reason = self._known(name)
        if reason:
            self.left_out.append(reason)
            return
        self.failed.append(name)
        print(f"  FAILED {self.client}: {name}: {text}", flush=True)

    def _known(self, name):
        patterns = KNOWN_DIFFERENCES.get(self.client, {}).items()
        return next((reason for pattern, reason in patterns if fnmatch.fnmatchcase(name, pattern)), None)

    def finish(self, path):
        """Writes the report, prints the sum, and ends the program."""
        report = {
            "numPassedTests": self.passed,
            "numFailedTests": len(self.failed),
            "numPendingTests": len(self.left_out),
            "numTodoTests": 0,
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(report, file)
        for reason in sorted(set(self.left_out)):
            print(f"  left out {self.client}: {self.left_out.count(reason)} checks: {reason}")
        seconds = time.monotonic() - self.started
        print(f"{self.client}: {self.passed} passed, {len(self.failed)} failed, {len(self.left_out)} left out, {seconds:.1f} s")
        sys.exit(1 if self.failed else 0)


@contextmanager
def raises(kind, *words, status=None):
    """Expects an error of this kind whose text has all of the words."""
    try:
        yield
    except kind as error:
        text = str(error)
        for word in [*words, *([str(status)] if status else [])]:
            assert word in text, f"{word!r} is not in: {text}"
        return
    raise AssertionError(f"no {kind.__name__} was raised")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="of the prediction port, http://host:port")
    parser.add_argument("--admin", required=True, help="of the admin port")
    parser.add_argument("--cases", required=True, help="cases.json of the shared models")
    parser.add_argument("--report", required=True, help="where the counters go")
    return parser.parse_args()


def host(url):
    return url.removeprefix("http://")
