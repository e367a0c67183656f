"""The extensions through tritonclient: health, metadata, config, statistics, classification, repository, and errors."""

import numpy as np
import tritonclient.http as sync
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

from cases import DTYPES
from checks import host, raises

MODEL = "iris-logreg"
ROW = np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32)


def input_of(array, client=sync, name="X", datatype="FP32"):
    return client.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array)


def run(checks, models, url, admin):
    client = sync.InferenceServerClient(host(url))
    for model in models:
        checks.run(f"metadata {model.name}", metadata, client, model)
        checks.run(f"config {model.name}", config, client, model)
        checks.run(f"model ready {model.name}", model_ready, client, model.name)
        checks.run(f"statistics count {model.name}", statistics_count, client, model)
    for work in (health, server_metadata, statistics_of_all, options, classification, classification_json):
        checks.run(work.__name__, work, client)
    for work in (unknown_names, bad_requests, shared_memory, not_offered):
        checks.run(work.__name__, work, client)
    index(checks, client, models, "prediction port")
    control = sync.InferenceServerClient(host(admin))
    index(checks, control, models, "admin port")
    for work in (unload_and_load, load_unknown, load_with_files, unload_unknown):
        checks.run(work.__name__, work, control, client)
    checks.run("load on the prediction port", no_control, client)


async def run_aio(checks, client):
    for work in (health_aio, metadata_aio, errors_aio, classification_aio):
        await checks.run_async(work.__name__, work, client)


def health(client):
    assert client.is_server_live() is True
    assert client.is_server_ready() is True


def server_metadata(client):
    about = client.get_server_metadata()
    assert about["name"] == "kedge"
    offered = {"binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"}
    assert offered <= set(about["extensions"]), about["extensions"]
    assert not {"system_shared_memory", "cuda_shared_memory", "trace", "logging"} & set(about["extensions"])


def model_ready(client, name):
    assert client.is_model_ready(name) is True
    assert client.is_model_ready(name, model_version="1") is True
    assert client.is_model_ready(name, model_version="2") is False


def metadata(client, model):
    for about in (client.get_model_metadata(model.name), client.get_model_metadata(model.name, model_version="1")):
        assert about["name"] == model.name
        assert about["platform"] == "onnxruntime_onnx"
        assert about["versions"] == ["1"]
        # Initializers that a request may override are inputs too, marked as optional.
        required = [tensor for tensor in about["inputs"] if not tensor.get("optional")]
        assert signature_of(required) == signature_of(model.signature["inputs"])
        assert signature_of(about["outputs"]) == signature_of(model.outputs)


def signature_of(tensors):
    return [(tensor["name"], tensor["datatype"], tensor["shape"]) for tensor in tensors]


def config(client, model):
    about = client.get_model_config(model.name, model_version="1")
    assert about["name"] == model.name
    assert about["backend"] == "onnxruntime"
    batches = about["max_batch_size"] > 0
    assert model.batchable or not batches, "max_batch_size of a model whose rows must not be merged"
    required = [entry for entry in about["input"] if not entry["optional"]]
    for shown, tensors in ((required, model.signature["inputs"]), (about["output"], model.outputs)):
        for entry, tensor in zip(shown, tensors, strict=True):
            assert entry["name"] == tensor["name"]
            datatype = "STRING" if tensor["datatype"] == "BYTES" else tensor["datatype"]
            assert entry["data_type"] == f"TYPE_{datatype}"
            assert entry["dims"] == (tensor["shape"][1:] if batches else tensor["shape"])


def statistics_count(client, model):
    """The counters grow by the items of a request and by its run."""
    case = model.cases[0]
    if any(DTYPES.get(output["datatype"]) is None for output in model.signature["outputs"]):
        outputs = [sync.InferRequestedOutput(output.name) for output in case.outputs]
    else:
        outputs = None
    before = stats_of(client, model.name)
    client.infer(model.name, [input_of(t.array, name=t.name, datatype=t.datatype) for t in case.inputs], outputs=outputs)
    after = stats_of(client, model.name)
    grown = after["inference_count"] - before["inference_count"]
    assert grown in (1, case.rows), f"inference_count grew by {grown}"
    assert after["execution_count"] == before["execution_count"] + 1
    for key in ("success", "queue", "compute_input", "compute_infer", "compute_output"):
        was, now = before["inference_stats"][key], after["inference_stats"][key]
        assert now["count"] == was["count"] + 1, f"{key} counts {now['count']} after {was['count']}"
        assert now["ns"] >= was["ns"]
    assert after["last_inference"] >= before["last_inference"] > 1_600_000_000_000
    assert sum(entry["compute_infer"]["count"] for entry in after["batch_stats"]) == after["execution_count"]


def stats_of(client, name):
    [stats] = client.get_inference_statistics(name, "1")["model_stats"]
    assert (stats["name"], stats["version"]) == (name, "1")
    return stats


def statistics_of_all(client):
    stats = client.get_inference_statistics()["model_stats"]
    assert MODEL in [entry["name"] for entry in stats]
    with raises(InferenceServerException, "no-such-model", status=404):
        client.get_inference_statistics("no-such-model")
    with raises(InferenceServerException, status=404):
        client.get_inference_statistics(MODEL, "9")


def options(client):
    """What a request may say beside its tensors."""
    result = client.infer(
        MODEL,
        [input_of(ROW)],
        model_version="1",
        request_id="ü-1",
        sequence_id=7,
        sequence_start=True,
        sequence_end=True,
        priority=1,
        timeout=30_000_000,
        parameters={"tenant": "a", "weight": 2, "flag": True},
        headers={"x-tenant": "a"},
        query_params={"tenant": "a"},
    )
    assert result.get_response()["id"] == "ü-1"
    assert "id" not in client.infer(MODEL, [input_of(ROW)]).get_response()
    # In the order asked for, and only what is asked for.
    names = ["probabilities", "label"]
    outputs = [sync.InferRequestedOutput(name) for name in names]
    response = client.infer(MODEL, [input_of(ROW)], outputs=outputs).get_response()
    assert [output["name"] for output in response["outputs"]] == names
    response = client.infer(MODEL, [input_of(ROW)], outputs=outputs[:1]).get_response()
    assert [output["name"] for output in response["outputs"]] == names[:1]


def check_classes(classes, probabilities):
    assert list(classes.shape) == [2, 2]
    for row, values in zip(classes, probabilities, strict=True):
        order = np.argsort(-values)[:2]
        for text, index in zip(row, order, strict=True):
            value, at = (text.decode() if isinstance(text, bytes) else text).split(":")
            assert int(at) == index
            assert abs(float(value) - values[index]) < 1e-5


TWO_ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], dtype=np.float32)


def classification(client, binary=True):
    wanted = client.infer(MODEL, [input_of(TWO_ROWS)]).as_numpy("probabilities")
    outputs = [sync.InferRequestedOutput("probabilities", binary_data=binary, class_count=2)]
    result = client.infer(MODEL, [input_of(TWO_ROWS)], outputs=outputs)
    assert result.get_output("probabilities")["datatype"] == "BYTES"
    check_classes(result.as_numpy("probabilities"), wanted)


def classification_json(client):
    classification(client, binary=False)


def unknown_names(client):
    with raises(InferenceServerException, "no-such-model", status=404):
        client.get_model_metadata("no-such-model")
    with raises(InferenceServerException, "no-such-model", status=404):
        client.infer("no-such-model", [input_of(ROW)])
    with raises(InferenceServerException, "9", status=404):
        client.infer(MODEL, [input_of(ROW)], model_version="9")
    with raises(InferenceServerException, status=404):
        client.get_model_metadata("../secrets")
    with raises(InferenceServerException, status=404):
        client.get_model_config("no such model")
    assert client.is_model_ready("no-such-model") is False


def bad_requests(client):
    """Each told with what it is about, on one connection that stays usable."""
    with raises(InferenceServerException, "'Y'", status=400):
        client.infer(MODEL, [input_of(ROW, name="Y")])
    with raises(InferenceServerException, "'X'", status=400):
        client.infer(MODEL, [])
    with raises(InferenceServerException, "'X'", "FP64", status=400):
        client.infer(MODEL, [input_of(ROW.astype(np.float64), datatype="FP64")])
    with raises(InferenceServerException, "'X'", status=400):
        client.infer(MODEL, [input_of(ROW[:, :3])])
    with raises(InferenceServerException, "'X'", status=400):
        client.infer(MODEL, [input_of(ROW[0])])
    with raises(InferenceServerException, "'X'", status=400):
        client.infer(MODEL, [input_of(ROW), input_of(ROW)])
    with raises(InferenceServerException, "'nothing'", status=400):
        client.infer(MODEL, [input_of(ROW)], outputs=[sync.InferRequestedOutput("nothing")])
    with raises(InferenceServerException, "'label'", status=400):
        client.infer(MODEL, [input_of(ROW)], outputs=[sync.InferRequestedOutput("label")] * 2)
    # Bytes that do not fill the shape.
    short = input_of(ROW)
    short.set_shape([2, 4])
    with raises(InferenceServerException, "'X'", status=400):
        client.infer(MODEL, [short])
    assert client.infer(MODEL, [input_of(ROW)]).as_numpy("label").shape == (1,)


def shared_memory(client):
    sentence = "hared memory"
    with raises(InferenceServerException, sentence, status=400):
        client.register_system_shared_memory("region", "/region", 64)
    with raises(InferenceServerException, sentence, status=400):
        client.get_system_shared_memory_status()
    with raises(InferenceServerException, sentence, status=400):
        client.get_cuda_shared_memory_status()
    with raises(InferenceServerException, sentence, status=400):
        client.unregister_system_shared_memory()
    entry = sync.InferInput("X", [1, 4], "FP32").set_shared_memory("region", 16)
    with raises(InferenceServerException, sentence, status=400):
        client.infer(MODEL, [entry])
    wanted = sync.InferRequestedOutput("label")
    wanted.set_shared_memory("region", 16)
    with raises(InferenceServerException, sentence, status=400):
        client.infer(MODEL, [input_of(ROW)], outputs=[wanted])


def not_offered(client):
    """Trace and logging are not among the extensions, and their paths say so as all unknown ones do."""
    for call in (client.get_trace_settings, client.get_log_settings):
        with raises(InferenceServerException, status=404):
            call()


def index(checks, client, models, where):
    def listed():
        entries = {entry["name"]: entry for entry in client.get_model_repository_index()}
        for model in models:
            assert entries[model.name]["version"] == "1"
            assert entries[model.name]["state"] == "READY", entries[model.name]

    checks.run(f"repository index, {where}", listed)


def unload_and_load(control, client):
    control.unload_model(MODEL)
    try:
        assert client.is_model_ready(MODEL) is False
        assert client.is_server_ready() is True
        with raises(InferenceServerException, MODEL):
            client.infer(MODEL, [input_of(ROW)])
        [entry] = [entry for entry in control.get_model_repository_index() if entry["name"] == MODEL]
        assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "unloaded"), entry
    finally:
        control.load_model(MODEL)
    assert client.is_model_ready(MODEL) is True
    assert client.infer(MODEL, [input_of(ROW)]).as_numpy("label").tolist() == [0]
    # One that is loaded may be loaded again.
    control.load_model(MODEL)


def load_unknown(control, _client):
    with raises(InferenceServerException, "no-such-model", status=404):
        control.load_model("no-such-model")


def unload_unknown(control, _client):
    with raises(InferenceServerException, "no-such-model", status=404):
        control.unload_model("no-such-model", unload_dependents=True)


def load_with_files(control, client):
    """Only the loader writes the volume."""
    with raises(InferenceServerException, status=400):
        control.load_model(MODEL, config='{"max_batch_size": 8}')
    with raises(InferenceServerException, status=400):
        control.load_model(MODEL, config="{}", files={"file:../../secret": b"x"})
    assert client.is_model_ready(MODEL) is True


def no_control(client):
    with raises(InferenceServerException, status=404):
        client.unload_model(MODEL)
    assert client.is_model_ready(MODEL) is True


async def health_aio(client):
    assert await client.is_server_live() is True
    assert await client.is_server_ready() is True
    assert await client.is_model_ready(MODEL, model_version="1") is True
    assert await client.is_model_ready("no-such-model") is False


async def metadata_aio(client):
    assert (await client.get_server_metadata())["name"] == "kedge"
    assert (await client.get_model_metadata(MODEL))["name"] == MODEL
    assert (await client.get_model_config(MODEL))["name"] == MODEL
    assert (await client.get_inference_statistics(MODEL))["model_stats"][0]["name"] == MODEL
    assert len(await client.get_model_repository_index()) > 0


async def errors_aio(client):
    with raises(InferenceServerException, "no-such-model", status=404):
        await client.infer("no-such-model", [input_of(ROW, aio)])
    with raises(InferenceServerException, "'Y'", status=400):
        await client.infer(MODEL, [input_of(ROW, aio, name="Y")], request_compression_algorithm="gzip")
    assert (await client.infer(MODEL, [input_of(ROW, aio)])).as_numpy("label").tolist() == [0]


async def classification_aio(client):
    wanted = (await client.infer(MODEL, [input_of(TWO_ROWS, aio)])).as_numpy("probabilities")
    outputs = [aio.InferRequestedOutput("probabilities", class_count=2)]
    result = await client.infer(MODEL, [input_of(TWO_ROWS, aio)], outputs=outputs)
    check_classes(result.as_numpy("probabilities"), wanted)
