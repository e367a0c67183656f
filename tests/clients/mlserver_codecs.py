"""MLServer's codecs over httpx, requests and aiohttp; and what MLServer's own tests of its endpoints ask."""

import asyncio
import json

import aiohttp
import httpx
import numpy as np
import pandas as pd
import requests
from mlserver.codecs import NumpyCodec, PandasCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, RepositoryIndexResponse, ResponseOutput

from cases import check_array, check_outputs, load
from checks import Checks, arguments

MODEL = "iris-logreg"


def request_of(case):
    return InferenceRequest(id="a-1", inputs=[encode(tensor) for tensor in case.inputs])


def encode(tensor):
    """The codecs make [n, 1] of a shape [n]; who has a model of one dimension puts that right."""
    if tensor.datatype == "BYTES":
        texts = [text.decode("utf-8") for text in tensor.array.reshape(-1)]
        entry = StringCodec.encode_input(tensor.name, texts, use_bytes=False)
    else:
        entry = NumpyCodec.encode_input(tensor.name, tensor.array)
    entry.shape = tensor.shape
    return entry


def check(case, status, text):
    if case.is_refused:
        assert status == 400, f"status {status}"
        assert json.loads(text)["error"]
        return
    assert status == 200, text
    response = InferenceResponse.model_validate_json(text)
    assert (response.model_name, response.model_version, response.id) == (case.model, "1", "a-1")
    outputs = {output.name: output for output in response.outputs}
    check_outputs(case, lambda name: decode(outputs[name]))


def decode(output: ResponseOutput):
    if output.datatype == "BYTES":
        texts = np.empty(len(output.data.root), dtype=np.object_)
        texts[:] = StringCodec.decode_output(output)
        return texts.reshape(output.shape)
    return NumpyCodec.decode_output(output)


def infer_url(url, case, version=""):
    return f"{url}/v2/models/{case.model}{version}/infer"


class Requests:
    def __init__(self, url):
        self.url = url
        self.session = requests.Session()

    def body(self, case):
        response = self.session.post(infer_url(self.url, case), data=request_of(case).model_dump_json(), timeout=60)
        check(case, response.status_code, response.text)

    def json(self, case):
        response = self.session.post(infer_url(self.url, case), json=request_of(case).model_dump(), timeout=60)
        check(case, response.status_code, response.text)

    def chunked(self, case):
        """A body in pieces, without a length."""
        body = request_of(case).model_dump_json().encode()
        pieces = (body[at : at + 1000] for at in range(0, len(body), 1000))
        response = self.session.post(infer_url(self.url, case, "/versions/1"), data=pieces, timeout=60)
        check(case, response.status_code, response.text)


class Httpx:
    def __init__(self, url):
        self.url = url
        self.client = httpx.Client(timeout=60)

    def body(self, case):
        headers = {"content-type": "application/json; charset=utf-8"}
        content = request_of(case).model_dump_json(exclude_none=True)
        response = self.client.post(infer_url(self.url, case), content=content, headers=headers)
        check(case, response.status_code, response.text)

    def frame(self, case):
        """A data frame: a column for each input of shape [n, 1]."""
        columns = {t.name: decoded(t) for t in case.inputs}
        request = PandasCodec.encode_request(pd.DataFrame(columns), use_bytes=False)
        response = self.client.post(infer_url(self.url, case), content=request.model_dump_json())
        assert response.status_code == 200, response.text
        answer = InferenceResponse.model_validate_json(response.text)
        if any(output.shape != [case.rows] and output.shape != [case.rows, 1] for output in answer.outputs):
            # What has more than one column is no series; the others are read as a frame all the same.
            answer.outputs = [output for output in answer.outputs if np.prod(output.shape) == case.rows]
        got = PandasCodec.decode_response(answer)
        for want in case.outputs:
            if want.name in got:
                values = got[want.name].to_numpy()
                check_array(want, values.reshape(want.shape), case.tolerance)


def decoded(tensor):
    values = tensor.array.reshape(-1)
    return [text.decode("utf-8") for text in values] if tensor.datatype == "BYTES" else values


class Endpoints:
    """MLServer's tests/rest/test_endpoints.py, asked of this server."""

    def __init__(self, url, admin, case):
        self.client = httpx.Client(timeout=60, base_url=url)
        self.admin = httpx.Client(timeout=60, base_url=admin)
        self.case = case

    def live(self):
        assert self.client.get("/v2/health/live").status_code == 200

    def ready(self):
        assert self.client.get("/v2/health/ready").status_code == 200
        assert self.client.get(f"/v2/models/{MODEL}/ready").status_code == 200
        assert self.client.get(f"/v2/models/{MODEL}/versions/1/ready").status_code == 200

    def metadata(self):
        about = self.client.get("/v2").json()
        assert isinstance(about["name"], str) and isinstance(about["version"], str)
        assert isinstance(about["extensions"], list)
        for path in (f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/versions/1"):
            model = self.client.get(path).json()
            assert model["name"] == MODEL and model["platform"]
            assert model["inputs"][0]["name"] == "X"

    def versioned(self):
        content = request_of(self.case).model_dump_json()
        for version in ("", "/versions/1"):
            response = self.client.post(f"/v2/models/{MODEL}{version}/infer", content=content)
            check(self.case, response.status_code, response.text)

    def unknown(self):
        content = request_of(self.case).model_dump_json()
        for path in ("/v2/models/my-model/infer", f"/v2/models/{MODEL}/versions/v1.2.3/infer"):
            response = self.client.post(path, content=content)
            assert response.status_code == 404
            assert "my-model" in response.json()["error"] or "v1.2.3" in response.json()["error"]
        for path in ("/v2/models/my-model", "/v2/models/my-model/ready", f"/v2/models/{MODEL}/versions/v3"):
            assert self.client.get(path).status_code == 404

    def invalid(self):
        for content in ("", "null", "[]", '"x"', "{", '{"inputs": 5}', '{"inputs": [{"name": "X"}]}'):
            response = self.client.post(f"/v2/models/{MODEL}/infer", content=content)
            assert response.status_code == 400, content
            assert isinstance(response.json()["error"], str)

    def index(self):
        for body in ({}, {"ready": True}, {"ready": False}):
            for client in (self.client, self.admin):
                response = client.post("/v2/repository/index", json=body)
                assert response.status_code == 200, response.text
                listed = RepositoryIndexResponse.model_validate_json(response.text)
                assert MODEL in [entry.name for entry in listed.root]

    def unload_and_load(self):
        assert self.admin.post(f"/v2/repository/models/{MODEL}/unload").status_code == 200
        try:
            assert self.client.get(f"/v2/models/{MODEL}/ready").status_code != 200
        finally:
            assert self.admin.post(f"/v2/repository/models/{MODEL}/load").status_code == 200
        assert self.client.get(f"/v2/models/{MODEL}/ready").status_code == 200

    def load_unknown(self):
        response = self.admin.post("/v2/repository/models/my-model/load")
        assert response.status_code == 404
        assert "my-model" in response.json()["error"]

    def checks(self):
        works = (self.live, self.ready, self.metadata, self.versioned, self.unknown, self.invalid)
        return [*works, self.index, self.unload_and_load, self.load_unknown]


async def over_aiohttp(session, url, case):
    async with session.post(infer_url(url, case), data=request_of(case).model_dump_json()) as response:
        check(case, response.status, await response.text())


async def json_over_aiohttp(session, url, case):
    async with session.post(infer_url(url, case), json=request_of(case).model_dump(exclude_none=True)) as response:
        check(case, response.status, await response.text())


async def together(session, url, cases):
    """All at once, a few times: what is merged must not meet other rows."""
    await asyncio.gather(*(over_aiohttp(session, url, case) for case in cases * 4))


async def run_aiohttp(checks, models, url):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        for model in models:
            for case in model.cases:
                name = f"{model.name}: {case.note}"
                await checks.run_async(f"aiohttp {name}", over_aiohttp, session, url, case)
                await checks.run_async(f"aiohttp json= {name}", json_over_aiohttp, session, url, case)
            exact = [case for case in model.cases if not case.has_infinity]
            await checks.run_async(f"aiohttp together {model.name}", together, session, url, exact)


def run(checks, models, url, admin):
    over_requests, over_httpx = Requests(url), Httpx(url)
    for model in models:
        for case in model.cases:
            name = f"{model.name}: {case.note}"
            checks.run(f"requests {name}", over_requests.body, case)
            checks.run(f"requests json= {name}", over_requests.json, case)
            checks.run(f"requests chunked {name}", over_requests.chunked, case)
            checks.run(f"httpx {name}", over_httpx.body, case)
            if all(t.shape[1:] == [1] and t.shape[0] > 0 for t in case.inputs):
                checks.run(f"httpx, data frame {name}", over_httpx.frame, case)
    [iris] = [model for model in models if model.name == MODEL]
    for work in Endpoints(url, admin, iris.cases[0]).checks():
        checks.run(f"endpoints: {work.__name__}", work)


def main():
    options = arguments()
    models = load(options.cases)
    checks = Checks("MLServer's codecs")
    run(checks, models, options.url, options.admin)
    asyncio.run(run_aiohttp(checks, models, options.url))
    checks.finish(options.report)


if __name__ == "__main__":
    main()
