"""Triton's client over gRPC."""

import asyncio
import queue

import numpy as np
import pytest
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_async
from tritonclient.utils import InferenceServerException

from running import TEXT, eventually

BATCH = ["I loved every minute of it.", "What a waste of time!", "naïve café ☕"]


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.grpc_address) as client:
        yield client


def tensor(texts, name="text"):
    tensor = triton.InferInput(name, [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, dtype=object))
    return tensor


@pytest.fixture(scope="module")
def expected(server):
    status, _, answer = server.ask("/predict", {"inputs": [[text] for text in BATCH], "raw_scores": True})
    assert status == 200
    return answer


def check(result, expected):
    logits, labels = result.as_numpy("logits"), result.as_numpy("label")
    assert logits.dtype == np.float32 and logits.shape == (len(expected), len(expected[0]))
    assert [label.decode() for label in labels] == [scores[0]["label"] for scores in expected]
    for row, scores in zip(logits, expected):
        assert np.array_equal(np.sort(row)[::-1], np.float32([score["score"] for score in scores]))


def test_live_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("default") and client.is_model_ready("small", "1")
    assert not client.is_model_ready("absent")


def test_metadata(client):
    metadata = client.get_model_metadata("default", as_json=True)
    assert metadata["name"] == "default" and metadata["versions"] == ["1"]
    assert {"name": "text", "datatype": "BYTES", "shape": ["-1"]} in metadata["inputs"]
    assert {"name": "logits", "datatype": "FP32", "shape": ["-1", "2"]} in metadata["outputs"]
    assert client.get_server_metadata().name
    with pytest.raises(InferenceServerException) as unknown:
        client.get_model_metadata("absent")
    assert unknown.value.status() == "StatusCode.NOT_FOUND" and unknown.value.message()


@pytest.mark.parametrize("algorithm", [None, "gzip", "deflate"])
def test_infer(client, expected, algorithm):
    result = client.infer("default", [tensor(BATCH)], request_id="seven", compression_algorithm=algorithm)
    check(result, expected)
    assert result.get_response().id == "seven" and result.get_response().model_name == "default"


def test_only_the_outputs_that_are_asked_for(client):
    result = client.infer("default", [tensor(BATCH)], outputs=[triton.InferRequestedOutput("label")])
    assert [output.name for output in result.get_response().outputs] == ["label"]
    assert result.as_numpy("label").shape == (3,)


def test_pairs_and_parameters(server, client):
    _, _, pair = server.ask("/predict", {"inputs": ["a good day", "it rained"], "raw_scores": True})
    check(client.infer("default", [tensor(["a good day"]), tensor(["it rained"], name="text_pair")]), [pair])
    _, _, emotion = server.ask("/predict", {"inputs": TEXT, "head": "emotion", "raw_scores": True})
    check(client.infer("default", [tensor([TEXT])], parameters={"head": "emotion"}, priority=1), [emotion])


def test_callbacks(client, expected):
    answers = queue.Queue()
    for _ in range(32):
        client.async_infer("default", [tensor(BATCH)], lambda result, error: answers.put((result, error)))
    for _ in range(32):
        result, error = answers.get(timeout=60)
        assert error is None
        check(result, expected)


def test_a_stream_answers_in_order_and_outlives_a_wrong_request(client, expected):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    for index in range(8):
        client.async_stream_infer("default", [tensor(BATCH)], request_id=str(index))
    client.async_stream_infer("absent", [tensor(BATCH)])
    client.async_stream_infer("default", [tensor(BATCH)], request_id="after")
    client.stop_stream()
    for index in range(8):
        result, error = answers.get(timeout=60)
        assert error is None and result.get_response().id == str(index)
        check(result, expected)
    result, error = answers.get(timeout=60)
    assert result is None and "no model of that name" in error.message()
    result, error = answers.get(timeout=60)
    assert error is None and result.get_response().id == "after"


def test_asynchronous_client(server, expected):
    async def infer():
        async with triton_async.InferenceServerClient(server.grpc_address) as client:
            assert await client.is_server_ready()

            async def requests():
                for index in range(4):
                    yield {"model_name": "default", "inputs": [tensor(BATCH)], "request_id": str(index)}

            streamed = [answer async for answer in client.stream_infer(requests())]
            results = await asyncio.gather(*(client.infer("default", [tensor(BATCH)]) for _ in range(16)))
            return streamed, results

    streamed, results = asyncio.run(infer())
    assert len(streamed) == 4
    for result, error in streamed:
        assert error is None
        check(result, expected)
    for result in results:
        check(result, expected)


def test_a_deadline(client):
    with pytest.raises(InferenceServerException) as late:
        client.infer("default", [tensor(["a long day " * 150] * 16)], client_timeout=0.01)
    assert late.value.status() == "StatusCode.DEADLINE_EXCEEDED"


def test_cancelled(client):
    answers = queue.Queue()
    texts = tensor(["a long day " * 150] * 16)
    call = client.async_infer("default", [texts], lambda result, error: answers.put(error))
    call.cancel()
    assert answers.get(timeout=30).status() == "StatusCode.CANCELLED"


def test_statistics_and_configuration(client):
    before = client.get_inference_statistics("small").model_stats[0].inference_count
    client.infer("small", [tensor(BATCH)])
    assert client.get_inference_statistics("small").model_stats[0].inference_count == before + len(BATCH)
    assert client.get_model_config("default").config.name == "default"


def test_repository(client):
    def states():
        return {model.name: model.state for model in client.get_model_repository_index().models}

    client.unload_model("small")
    assert states() == {"default": "READY", "small": "UNAVAILABLE"}
    with pytest.raises(InferenceServerException) as unloaded:
        client.infer("small", [tensor([TEXT])])
    assert unloaded.value.message()
    client.load_model("small")
    eventually(lambda: states() == {"default": "READY", "small": "READY"})
    assert client.infer("small", [tensor([TEXT])]).as_numpy("logits") is not None
    for change in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException) as unknown:
            change("absent")
        assert unknown.value.status() == "StatusCode.NOT_FOUND"


@pytest.mark.parametrize("inputs", [[], [tensor([TEXT], name="other")], [tensor([TEXT]), tensor([TEXT] * 2, "text_pair")]])
def test_wrong_tensors_are_refused(client, inputs):
    with pytest.raises(InferenceServerException) as refused:
        client.infer("default", inputs)
    assert refused.value.status() == "StatusCode.INVALID_ARGUMENT" and refused.value.message()


def test_api_key(serve, small_model):
    server = serve("--model", f"small={small_model}", "--api-key", "secret")
    with triton.InferenceServerClient(server.grpc_address) as client:
        assert client.infer("small", [tensor([TEXT])], headers={"authorization": "Bearer secret"})
        for headers in (None, {"authorization": "Bearer wrong"}):
            with pytest.raises(InferenceServerException) as refused:
                client.infer("small", [tensor([TEXT])], headers=headers)
            assert refused.value.status() == "StatusCode.UNAUTHENTICATED"


def test_pings_of_an_idle_client_are_borne(server):
    options = triton.KeepAliveOptions(
        keepalive_time_ms=10_000, keepalive_timeout_ms=5_000, keepalive_permit_without_calls=True
    )
    with triton.InferenceServerClient(server.grpc_address, keepalive_options=options) as client:
        assert client.is_server_live()
