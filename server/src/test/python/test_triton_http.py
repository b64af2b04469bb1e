"""Triton's client over HTTP: the Open Inference Protocol with binary tensors and the repository extension."""

import asyncio

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_async
from tritonclient.utils import InferenceServerException

from running import TEXT

BATCH = ["I loved every minute of it.", "What a waste of time!", "naïve café ☕"]


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.address) as client:
        yield client


def tensor(texts, name="text", binary=True):
    tensor = triton.InferInput(name, [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, dtype=object), binary_data=binary)
    return tensor


@pytest.fixture(scope="module")
def expected(server):
    """What /predict answers: label and score, the best first."""
    status, _, answer = server.ask("/predict", {"inputs": [[text] for text in BATCH], "raw_scores": True})
    assert status == 200
    return answer


def check(result, expected):
    logits, labels = result.as_numpy("logits"), result.as_numpy("label")
    assert logits.dtype == np.float32 and logits.shape == (len(expected), len(expected[0]))
    best = [scores[0]["label"] for scores in expected]
    assert [label.decode() if isinstance(label, bytes) else label for label in labels] == best
    for row, scores in zip(logits, expected):
        assert np.array_equal(np.sort(row)[::-1], np.float32([score["score"] for score in scores]))


def test_live_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("default") and client.is_model_ready("small", "1")
    assert not client.is_model_ready("absent")


def test_metadata(client):
    assert {"name", "version", "extensions"} <= client.get_server_metadata().keys()
    metadata = client.get_model_metadata("default")
    assert metadata["name"] == "default" and metadata["versions"] == ["1"]
    inputs = {tensor["name"]: tensor for tensor in metadata["inputs"]}
    assert inputs["text"]["datatype"] == "BYTES" and inputs["text"]["shape"] == [-1]
    outputs = {tensor["name"]: tensor for tensor in metadata["outputs"]}
    assert outputs["logits"]["datatype"] == "FP32" and outputs["logits"]["shape"] == [-1, 2]
    assert outputs["label"]["datatype"] == "BYTES" and outputs["label"]["shape"] == [-1]
    assert client.get_model_metadata("default", "1") == metadata
    with pytest.raises(InferenceServerException) as unknown:
        client.get_model_metadata("absent")
    assert "no model of that name" in unknown.value.message()


def test_binary_tensors(client, expected):
    check(client.infer("default", [tensor(BATCH)]), expected)


def test_json_tensors(client, expected):
    outputs = [triton.InferRequestedOutput(name, binary_data=False) for name in ("label", "logits")]
    result = client.infer("default", [tensor(BATCH, binary=False)], outputs=outputs, request_id="seven")
    check(result, expected)
    assert result.get_response()["id"] == "seven"
    assert [output["name"] for output in result.get_response()["outputs"]] == ["label", "logits"]


@pytest.mark.parametrize("binary", [True, False])
def test_json_in_and_binary_out_and_the_reverse(client, expected, binary):
    outputs = [triton.InferRequestedOutput(name, binary_data=not binary) for name in ("logits", "label")]
    check(client.infer("default", [tensor(BATCH, binary=binary)], outputs=outputs), expected)


def test_only_the_outputs_that_are_asked_for(client):
    outputs = [triton.InferRequestedOutput("label")]
    result = client.infer("default", [tensor(BATCH)], outputs=outputs)
    assert [output["name"] for output in result.get_response()["outputs"]] == ["label"]


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compression(client, expected, algorithm):
    result = client.infer(
        "default",
        [tensor(BATCH)],
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    check(result, expected)


def test_pairs(server, client):
    _, _, answer = server.ask("/predict", {"inputs": ["a good day", "it rained"], "raw_scores": True})
    result = client.infer("default", [tensor(["a good day"]), tensor(["it rained"], name="text_pair")])
    check(result, [answer])


def test_parameters(server, client):
    _, _, answer = server.ask("/predict", {"inputs": TEXT, "head": "emotion", "raw_scores": True})
    result = client.infer("default", [tensor([TEXT])], parameters={"head": "emotion"}, priority=1, timeout=20_000_000)
    check(result, [answer])
    with pytest.raises(InferenceServerException) as refused:
        client.infer("default", [tensor(["word " * 600])], parameters={"truncate": False})
    assert refused.value.status().startswith("4")
    assert client.infer("default", [tensor(["word " * 600])], parameters={"truncate": True})


def test_many_at_once(server, expected):
    with triton.InferenceServerClient(server.address, concurrency=8) as client:
        requests = [client.async_infer("default", [tensor(BATCH)]) for _ in range(32)]
        for request in requests:
            check(request.get_result(), expected)


def test_asynchronous_client(server, expected):
    async def infer():
        async with triton_async.InferenceServerClient(server.address) as client:
            assert await client.is_server_ready() and await client.is_model_ready("default")
            results = await asyncio.gather(
                *(client.infer("default", [tensor(BATCH, binary=index % 2 == 0)]) for index in range(8)),
                client.infer("default", [tensor(BATCH)], request_compression_algorithm="gzip"),
                client.infer("default", [tensor(BATCH)], response_compression_algorithm="deflate"),
            )
            return results, await client.get_model_repository_index()

    results, index = asyncio.run(infer())
    for result in results:
        check(result, expected)
    assert {model["name"] for model in index} == {"default", "small"}


def test_a_raw_body(server, expected):
    body, length = triton.InferenceServerClient.generate_request_body([tensor(BATCH)])
    # curl and others send any content type with it
    import http.client

    connection = http.client.HTTPConnection(server.host, server.port, timeout=30)
    headers = {"Inference-Header-Content-Length": str(length), "Content-Type": "application/octet-stream"}
    connection.request("POST", "/v2/models/default/versions/1/infer", body, headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    result = triton.InferenceServerClient.parse_response_body(
        content, header_length=int(response.headers["Inference-Header-Content-Length"])
    )
    check(result, expected)


def test_statistics(client):
    def successes():
        statistics = client.get_inference_statistics("small")["model_stats"]
        assert [model["name"] for model in statistics] == ["small"]
        assert statistics[0]["inference_stats"]["success"]["ns"] >= 0
        return statistics[0]["inference_count"]

    before = successes()
    client.infer("small", [tensor(BATCH)])
    assert successes() == before + len(BATCH)
    assert {model["name"] for model in client.get_inference_statistics()["model_stats"]} == {"default", "small"}


def test_repository(client):
    def states():
        return {model["name"]: model["state"] for model in client.get_model_repository_index()}

    assert states() == {"default": "READY", "small": "READY"}
    client.unload_model("small")
    assert states() == {"default": "READY", "small": "UNAVAILABLE"}
    assert not client.is_model_ready("small") and client.is_server_ready()
    with pytest.raises(InferenceServerException) as unloaded:
        client.infer("small", [tensor([TEXT])])
    assert unloaded.value.message()
    client.load_model("small")
    assert states() == {"default": "READY", "small": "READY"}
    assert client.infer("small", [tensor([TEXT])]).as_numpy("logits") is not None
    for change in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException) as unknown:
            change("absent")
        assert unknown.value.message() and unknown.value.status().startswith("4")


@pytest.mark.parametrize(
    "inputs, word",
    [
        ([], "text"),
        ([tensor([TEXT], name="other")], "other"),
        ([tensor([TEXT]), tensor([TEXT, TEXT], name="text_pair")], "text_pair"),
    ],
)
def test_wrong_tensors_are_refused_with_a_word(client, inputs, word):
    with pytest.raises(InferenceServerException) as refused:
        client.infer("default", inputs)
    assert refused.value.status().startswith("4") and word in refused.value.message()


def test_unknown_names_are_refused_with_a_word(client):
    with pytest.raises(InferenceServerException) as model:
        client.infer("absent", [tensor([TEXT])])
    assert "no model of that name" in model.value.message()
    with pytest.raises(InferenceServerException) as version:
        client.infer("default", [tensor([TEXT])], model_version="7")
    assert "7" in version.value.message()
    with pytest.raises(InferenceServerException) as output:
        client.infer("default", [tensor([TEXT])], outputs=[triton.InferRequestedOutput("boxes")])
    assert "boxes" in output.value.message()
