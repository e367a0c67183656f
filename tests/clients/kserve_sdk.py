"""The REST client of the KServe SDK: v1 and v2 over every case, as dict, as InferRequest in JSON, and in binary."""

import asyncio
import copy

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from cases import DTYPES, check_array, check_outputs, load
from checks import Checks, arguments, raises

MODEL = "iris-logreg"
ROW = [[5.1, 3.5, 1.4, 0.2]]


def plain(tensor):
    """Nested lists of Python's own values, as JSON has them."""
    values = tensor.array.tolist()
    return decoded(values) if tensor.datatype == "BYTES" else values


def decoded(values):
    if isinstance(values, list):
        return [decoded(value) for value in values]
    return values.decode("utf-8")


class V2:
    def __init__(self, url):
        self.url = url
        self.client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))

    async def infer(self, case, data):
        try:
            response = await self.client.infer(self.url, data, model_name=case.model)
        except httpx.HTTPStatusError as error:
            if not case.is_refused:
                raise
            check_refused(error)
            return None
        assert not case.is_refused, "it is answered, though its answer does not follow from the shapes"
        assert response.model_name == case.model
        by_name = {output.name: output for output in response.outputs}
        check_outputs(case, lambda name: by_name[name].as_numpy())
        return response

    async def dictionary(self, case):
        """A dict, its data nested; that of a scalar is a list of one. The client writes it with orjson."""
        inputs = [
            {"name": t.name, "shape": t.shape, "datatype": t.datatype, "data": plain(t) if t.shape else [plain(t)]}
            for t in case.inputs
        ]
        await self.infer(case, {"inputs": inputs})

    async def json(self, case):
        await self.infer(case, InferRequest(case.model, inputs_of(case, False)))

    async def binary(self, case):
        """Binary both ways."""
        request = InferRequest(case.model, inputs_of(case, True), parameters={"binary_data_output": True})
        await self.infer(case, request)

    async def binary_in(self, case):
        await self.infer(case, InferRequest(case.model, inputs_of(case, True)))

    async def outputs(self, case):
        """Each output asked for by name, the first in binary."""
        wanted = [RequestedOutput(t.name, {"binary_data": index == 0}) for index, t in enumerate(case.outputs)]
        request = InferRequest(case.model, inputs_of(case, True), request_id="a-1", request_outputs=wanted)
        response = await self.infer(case, request)
        if response is not None:
            assert response.id == "a-1"
            assert [output.name for output in response.outputs] == [t.name for t in case.outputs]

    async def together(self, model):
        """All cases at once, a few times, in binary and in JSON: what is merged must not meet other rows."""
        finite = [case for case in model.cases if case.is_finite]
        work = [self.binary(case) for case in model.cases]
        work += [self.binary_in(case) if model.is_fp16 or case.is_empty else self.json(case) for case in finite * 3]
        await asyncio.gather(*work)

    async def ready(self, model):
        assert await self.client.is_model_ready(self.url, model.name) is True

    async def health(self):
        assert await self.client.is_server_live(self.url) is True
        assert await self.client.is_server_ready(self.url) is True
        assert await self.client.is_model_ready(self.url, "no-such-model") is False

    async def errors(self):
        """The sentence of the server is in the error; only an exact application/json lets it through."""
        data = {"inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP32", "data": ROW}]}
        with raises(httpx.HTTPStatusError, "no-such-model", "404"):
            await self.client.infer(self.url, data, model_name="no-such-model")
        wrong = copy.deepcopy(data)
        wrong["inputs"][0]["name"] = "Y"
        with raises(httpx.HTTPStatusError, "'Y'", "400"):
            await self.client.infer(self.url, wrong, model_name=MODEL)
        with raises(httpx.HTTPStatusError, "inputs", "400"):
            await self.client.infer(self.url, {}, model_name=MODEL)
        short = InferRequest(MODEL, [InferInput("X", [2, 4], "FP32", data=[1.0])])
        with raises(httpx.HTTPStatusError, "'X'", "400"):
            await self.client.infer(self.url, short, model_name=MODEL)
        response = await self.client.infer(self.url, data, model_name=MODEL)
        assert response.outputs[0].as_numpy().tolist() == [0]

    async def path(self):
        """A base URL with a path of its own is joined to, not replaced; there is nothing there."""
        with raises(httpx.HTTPStatusError, "404"):
            await self.client.is_server_live(f"{self.url}/serving")


class V1:
    def __init__(self, url):
        self.url = url
        self.client = InferenceRESTClient(RESTConfig(protocol="v1", timeout=60))

    async def rows(self, case):
        """Instances: rows of the only input, or objects of all. Predictions likewise."""
        names = [tensor.name for tensor in case.inputs]
        columns = [plain(tensor) for tensor in case.inputs]
        rows = list(zip(*columns, strict=True))
        instances = [row[0] for row in rows] if len(names) == 1 else [dict(zip(names, row, strict=True)) for row in rows]
        answer = await self.client.infer(self.url, {"instances": instances}, model_name=case.model)
        predictions = answer["predictions"]
        assert len(predictions) == len(instances)
        for want in case.outputs:
            got = predictions if len(case.outputs) == 1 else [row[want.name] for row in predictions]
            check_array(want, typed(want, got), case.tolerance)

    async def columns(self, case):
        """The column form: whole tensors by name, the answer likewise; without the name where there is only one."""
        inputs = {tensor.name: plain(tensor) for tensor in case.inputs}
        data = {"inputs": next(iter(inputs.values())) if len(inputs) == 1 else inputs}
        outputs = (await self.client.infer(self.url, data, model_name=case.model))["outputs"]
        for want in case.outputs:
            got = outputs if len(case.outputs) == 1 else outputs[want.name]
            check_array(want, typed(want, got), case.tolerance)

    async def ready(self, model):
        assert await self.client.is_model_ready(self.url, model.name) is True

    async def health(self):
        assert await self.client.is_server_live(self.url) is True

    async def errors(self):
        with raises(httpx.HTTPStatusError, "no-such-model", "404"):
            await self.client.infer(self.url, {"instances": ROW}, model_name="no-such-model")
        with raises(httpx.HTTPStatusError, "no-such-model", "404"):
            await self.client.is_model_ready(self.url, "no-such-model")
        with raises(httpx.HTTPStatusError, "instances", "400"):
            await self.client.infer(self.url, {"instances": 5}, model_name=MODEL)
        with raises(httpx.HTTPStatusError, "400"):
            await self.client.infer(self.url, {"instances": ROW, "inputs": ROW}, model_name=MODEL)
        answer = await self.client.infer(self.url, {"instances": ROW}, model_name=MODEL)
        assert answer["predictions"][0]["label"] == 0


def typed(want, values):
    """JSON values as an array of the datatype wanted."""
    if want.datatype == "BYTES":
        array = np.empty(len(values), dtype=np.object_)
        array[:] = values
        return array.reshape(want.shape)
    return np.array(values, dtype=DTYPES[want.datatype])


def check_refused(error):
    assert error.response.status_code == 400, error.response.status_code
    assert error.response.json()["error"] in str(error)


def inputs_of(case, binary):
    inputs = []
    for tensor in case.inputs:
        entry = InferInput(tensor.name, tensor.shape, tensor.datatype)
        entry.set_data_from_numpy(tensor.array, binary_data=binary)
        inputs.append(entry)
    return inputs


async def run(checks, models, url):
    v1, v2 = V1(url), V2(url)
    for client, version in ((v1, "v1"), (v2, "v2")):
        await checks.run_async(f"{version} health", client.health)
        await checks.run_async(f"{version} errors", client.errors)
        for model in models:
            await checks.run_async(f"{version} ready {model.name}", client.ready, model)
    await checks.run_async("v2 path", v2.path)
    for model in models:
        for case in model.cases:
            await run_case(checks, v1, v2, model, case)
        await checks.run_async(f"v2 together {model.name}", v2.together, model)
    await v1.client.close()
    await v2.client.close()


async def run_case(checks, v1, v2, model, case):
    """What the client cannot write (NaN as JSON: orjson makes null of it; FP16 as JSON) or read is asked in binary alone."""
    name = f"{model.name}: {case.note}"
    await checks.run_async(f"v2 binary {name}", v2.binary, case)
    if case.is_finite:
        await checks.run_async(f"v2 binary in, JSON out {name}", v2.binary_in, case)
        await checks.run_async(f"v2 outputs {name}", v2.outputs, case)
        await checks.run_async(f"v2 dict {name}", v2.dictionary, case)
        if not model.is_fp16 or case.is_empty:
            await checks.run_async(f"v2 JSON {name}", v2.json, case)
        if not case.is_refused and not case.is_empty:
            await checks.run_async(f"v1 columns {name}", v1.columns, case)
        if case in model.cases_of_rows and not case.is_refused:
            await checks.run_async(f"v1 rows {name}", v1.rows, case)


def main():
    options = arguments()
    checks = Checks("KServe SDK")
    asyncio.run(run(checks, load(options.cases), options.url))
    checks.finish(options.report)


if __name__ == "__main__":
    main()
