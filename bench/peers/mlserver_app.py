"""MLServer over one ONNX model: its own REST server, with a runtime of a few lines, as it brings none for ONNX.

Arguments: the file of the model, its name. Prints its port.
"""

import asyncio
import socket
import sys

import onnxruntime
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        providers = ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=providers)
        self.names = [output.name for output in self.session.get_outputs()]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {one.name: NumpyCodec.decode_input(one) for one in payload.inputs}
        values = self.session.run(None, feeds)
        outputs = [NumpyCodec.encode_output(name, value) for name, value in zip(self.names, values)]
        return InferenceResponse(model_name=self.name, model_version="1", outputs=outputs)


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


async def main(file: str, name: str) -> None:
    http, grpc, metrics = free_ports(3)
    # No workers: the model runs where requests are read, as in the others.
    server = MLServer(
        Settings(
            host="127.0.0.1", http_port=http, grpc_port=grpc, metrics_port=metrics, parallel_workers=0, debug=False
        )
    )
    print(http, flush=True)
    await server.start([ModelSettings(name=name, implementation=OnnxModel, parameters=ModelParameters(uri=file))])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
