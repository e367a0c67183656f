"""tritonclient[http], synchronous and asyncio: every case of every model over JSON and binary, and the extensions."""

import asyncio

import requests
import tritonclient.http as sync
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

import triton_extensions
from cases import check_outputs, load
from checks import Checks, arguments, host


def inputs_of(case, client, binary=True):
    """InferInput belongs to each of the two modules; both take the same arrays."""
    tensors = []
    for tensor in case.inputs:
        entry = client.InferInput(tensor.name, tensor.shape, tensor.datatype)
        entry.set_data_from_numpy(tensor.array, binary_data=binary)
        tensors.append(entry)
    return tensors


def outputs_of(case, client, binary):
    return [client.InferRequestedOutput(output.name, binary_data=binary) for output in case.outputs]


def check(case, result):
    check_outputs(case, result.as_numpy)
    response = result.get_response()
    assert response["model_name"] == case.model
    assert response["model_version"] == "1"


def check_refused(case, error):
    assert error.status() == "400", f"status {error.status()}"
    assert error.message() and "exception occurred" not in error.message(), error.message()


class Sync:
    """One client for all, as a service would keep it: a connection that breaks shows in the next check."""

    def __init__(self, url):
        self.client = sync.InferenceServerClient(url, network_timeout=60)
        # Asked after a refusal.
        self.good = None

    def infer(self, case, inputs, **options):
        try:
            result = self.client.infer(case.model, inputs, **options)
        except InferenceServerException as error:
            if not case.is_refused:
                raise
            check_refused(case, error)
            return
        assert not case.is_refused, "it is answered, though its answer does not follow from the shapes"
        check(case, result)

    def binary(self, case):
        self.infer(case, inputs_of(case, sync), request_id=f"{case.model}-1")

    def json(self, case):
        self.infer(case, inputs_of(case, sync, False), outputs=outputs_of(case, sync, False))

    def json_in(self, case):
        self.infer(case, inputs_of(case, sync, False))

    def json_out(self, case):
        self.infer(case, inputs_of(case, sync), outputs=outputs_of(case, sync, False))

    def mixed(self, case):
        """Every second tensor in binary, the inputs from the first on, the outputs from the second on."""
        inputs = []
        for index, tensor in enumerate(case.inputs):
            entry = sync.InferInput(tensor.name, tensor.shape, tensor.datatype)
            inputs.append(entry.set_data_from_numpy(tensor.array, binary_data=index % 2 == 0))
        outputs = [sync.InferRequestedOutput(o.name, binary_data=i % 2 == 1) for i, o in enumerate(case.outputs)]
        self.infer(case, inputs, outputs=outputs[::-1], model_version="1")

    def compressed(self, case, algorithm, binary):
        self.infer(
            case,
            inputs_of(case, sync, binary),
            outputs=outputs_of(case, sync, binary),
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )

    def greenlet(self, case):
        """Through `async_infer`, which waits in a greenlet."""
        handle = self.client.async_infer(case.model, inputs_of(case, sync))
        check(case, handle.get_result(timeout=60))

    def refused(self, case):
        """What the runtime refuses, or dies of: told as an error, or empty where only empty can be right; the model goes on."""
        try:
            result = self.client.infer(case.model, inputs_of(case, sync))
        except InferenceServerException as error:
            check_refused(case, error)
        else:
            shapes = [output["shape"] for output in result.get_response()["outputs"]]
            assert case.is_empty and all(0 in shape for shape in shapes), f"answered with {shapes}"
        self.infer(self.good, inputs_of(self.good, sync))


def by_hand(url, case):
    """The client's own body, sent by another HTTP client, and the answer read by the client again."""
    body, header_length = sync.InferenceServerClient.generate_request_body(inputs_of(case, sync))
    headers = {"Inference-Header-Content-Length": str(header_length)}
    response = requests.post(f"{url}/v2/models/{case.model}/infer", data=body, headers=headers, timeout=60)
    assert response.status_code == 200, response.text
    length = response.headers.get("Inference-Header-Content-Length")
    result = sync.InferenceServerClient.parse_response_body(
        response.content, header_length=int(length) if length else None
    )
    check(case, result)


async def infer_aio(client, case, binary, algorithm=None):
    try:
        result = await client.infer(
            case.model,
            inputs_of(case, aio, binary),
            outputs=None if binary else outputs_of(case, aio, False),
            request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm,
        )
    except InferenceServerException as error:
        if not case.is_refused:
            raise
        check_refused(case, error)
        return
    assert not case.is_refused
    check(case, result)


class Together:
    """Requests all at once: those that are merged must not meet each other's rows, and those that must not be merged are not."""

    ROUNDS = 4

    def __init__(self, client):
        self.client = client
        self.requests = 0
        self.runs = 0

    async def runs_of(self, model):
        [stats] = (await self.client.get_inference_statistics(model.name))["model_stats"]
        return stats["execution_count"]

    async def infer(self, model):
        cases = model.cases * self.ROUNDS
        before = await self.runs_of(model)
        await asyncio.gather(*(infer_aio(self.client, case, index % 2 == 0) for index, case in enumerate(cases)))
        runs = await self.runs_of(model) - before
        # What is refused or follows from the shapes is never run.
        requests = sum(not case.is_empty and not case.is_refused for case in cases)
        if model.batchable:
            assert runs <= requests, f"{runs} runs for {requests} requests"
            self.requests += requests
            self.runs += runs
        else:
            assert runs == requests, f"{runs} runs for {requests} requests, which must not be merged"

    def merged(self):
        assert self.runs < self.requests, f"{self.runs} runs for {self.requests} requests: none was merged"


async def run_aio(checks, models, url):
    async with aio.InferenceServerClient(host(url), conn_limit=64) as client:
        together = Together(client)
        for model in models:
            for case in model.cases:
                name = f"{model.name}: {case.note}"
                await checks.run_async(f"aio binary {name}", infer_aio, client, case, True)
                await checks.run_async(f"aio JSON {name}", infer_aio, client, case, False)
            for algorithm in ("gzip", "deflate"):
                await checks.run_async(
                    f"aio {algorithm} {model.name}", infer_aio, client, model.cases[0], True, algorithm
                )
            await checks.run_async(f"aio together {model.name}", together.infer, model)
        checks.run("aio together: some were merged", together.merged)
        await triton_extensions.run_aio(checks, client)


def run_sync(checks, models, url):
    client = Sync(host(url))
    for model in models:
        for case in model.cases:
            name = f"{model.name}: {case.note}"
            checks.run(f"binary {name}", client.binary, case)
            checks.run(f"JSON {name}", client.json, case)
            checks.run(f"JSON in, binary out {name}", client.json_in, case)
            checks.run(f"binary in, JSON out {name}", client.json_out, case)
            checks.run(f"mixed {name}", client.mixed, case)
            checks.run(f"gzip, binary {name}", client.compressed, case, "gzip", True)
            checks.run(f"deflate, JSON {name}", client.compressed, case, "deflate", False)
        first = model.cases[0]
        checks.run(f"gzip, JSON {model.name}", client.compressed, first, "gzip", False)
        checks.run(f"deflate, binary {model.name}", client.compressed, first, "deflate", True)
        checks.run(f"async_infer {model.name}", client.greenlet, first)
        checks.run(f"generate_request_body {model.name}", by_hand, url, first)
        client.good = first
        for case in model.errors:
            checks.run(f"refused {model.name}: {case.note}", client.refused, case)


def main():
    options = arguments()
    models = load(options.cases)
    checks = Checks("tritonclient")
    run_sync(checks, models, options.url)
    triton_extensions.run(checks, models, options.url, options.admin)
    asyncio.run(run_aio(checks, models, options.url))
    checks.finish(options.report)


if __name__ == "__main__":
    main()
