"""The usual server of an ONNX model in Python: FastAPI, uvicorn and onnxruntime, in one process and with one thread.

Arguments: the file of the model, its name. Prints its port.
"""

import socket
import sys

import numpy
import onnxruntime
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

file, name = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
NAMES = [output.name for output in session.get_outputs()]
TYPES = {"BOOL": "bool", "INT32": "int32", "INT64": "int64", "FP32": "float32", "FP64": "float64"}
DATATYPES = {numpy_type: datatype for datatype, numpy_type in TYPES.items()}

app = FastAPI()


@app.post(f"/v2/models/{name}/infer")
async def infer(request: Request) -> Response:
    inputs = orjson.loads(await request.body())["inputs"]
    feeds = {one["name"]: numpy.asarray(one["data"], TYPES[one["datatype"]]).reshape(one["shape"]) for one in inputs}
    outputs = [
        {"name": output, "datatype": DATATYPES[str(value.dtype)], "shape": value.shape, "data": value.ravel()}
        for output, value in zip(NAMES, session.run(None, feeds))
    ]
    answer = {"model_name": name, "model_version": "1", "outputs": outputs}
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(1024)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
