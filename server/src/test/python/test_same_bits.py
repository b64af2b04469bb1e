"""A row's answer is the same bits through every door, whatever else is being served."""

import base64
import random
import threading

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http

from reflected import Reflected
HEADS = ("sentiment", "emotion")


@pytest.fixture(scope="module")
def some(texts):
    """Short and long texts, in no order."""
    return random.Random(6).sample([entry["text"] for entry in texts], 24)


@pytest.fixture(scope="module", params=["quiet", "under load"])
def load(request, server, texts):
    """Nobody else, or others who ask for other things as fast as they are answered."""
    ended = threading.Event()
    problems = []

    def run(seed):
        random_ = random.Random(seed)
        while not ended.is_set():
            batch = [[entry["text"]] for entry in random_.sample(texts, random_.randint(1, 12))]
            body = {"inputs": batch, "head": random_.choice(HEADS), "truncate": True}
            if random_.random() < 0.3:
                path, body = "/embed", {"inputs": [text for (text,) in batch], "truncate": True}
            else:
                path = "/predict"
            try:
                status, _, answer = server.ask(path, body)
                if status not in (200, 429):
                    problems.append((status, answer))
            except Exception as problem:
                problems.append(problem)

    threads = [threading.Thread(target=run, args=[seed]) for seed in range(4 if request.param == "under load" else 0)]
    for thread in threads:
        thread.start()
    yield
    ended.set()
    for thread in threads:
        thread.join(60)
    assert not problems, problems[:3]


@pytest.fixture(scope="module")
def reference(server, some):
    """Each text's logits by head, best first, each text asked for alone while nobody else is served."""
    return {
        head: [
            descending(server.ask("/predict", {"inputs": text, "head": head, "raw_scores": True, "truncate": True})[2])
            for text in some
        ]
        for head in HEADS
    }


@pytest.fixture(scope="module")
def vectors(server, some):
    return [np.float32(server.ask("/embed", {"inputs": text, "truncate": True})[2][0]) for text in some]


def descending(scores):
    return np.float32([entry["score"] for entry in scores])


def same(found, expected):
    assert len(found) == len(expected)
    for index, (row, right) in enumerate(zip(found, expected)):
        assert np.array_equal(row.view(np.uint32), right.view(np.uint32)), f"text {index}: {row} and not {right}"


def sorted_rows(logits):
    return [np.ascontiguousarray(np.sort(row)[::-1]) for row in logits]


@pytest.mark.parametrize("head", HEADS)
def test_predict_in_a_batch(load, server, some, reference, head):
    body = {"inputs": [[text] for text in some], "head": head, "raw_scores": True, "truncate": True}
    status, _, answer = server.ask("/predict", body)
    assert status == 200, answer
    same([descending(scores) for scores in answer], reference[head])


def test_models_route(load, server, some, reference):
    for text, expected in zip(some[:8], reference["sentiment"]):
        body = {"inputs": text, "parameters": {"function_to_apply": "none", "top_k": None}, "truncate": True}
        status, _, answer = server.ask("/models/default", body)
        assert status == 200, answer
        same([descending(answer)], [expected])


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("binary", [True, False])
def test_open_inference_over_http(load, server, some, reference, head, binary):
    tensor = triton_http.InferInput("text", [len(some)], "BYTES")
    tensor.set_data_from_numpy(np.array(some, dtype=object), binary_data=binary)
    outputs = [triton_http.InferRequestedOutput("logits", binary_data=binary)]
    with triton_http.InferenceServerClient(server.address) as client:
        parameters = {"head": head, "truncate": True}
        logits = client.infer("default", [tensor], outputs=outputs, parameters=parameters).as_numpy("logits")
    same(sorted_rows(logits), reference[head])


@pytest.mark.parametrize("head", HEADS)
def test_open_inference_over_grpc(load, server, some, reference, head):
    tensor = triton_grpc.InferInput("text", [len(some)], "BYTES")
    tensor.set_data_from_numpy(np.array(some, dtype=object))
    with triton_grpc.InferenceServerClient(server.grpc_address) as client:
        logits = client.infer("default", [tensor], parameters={"head": head, "truncate": True}).as_numpy("logits")
    same(sorted_rows(logits), reference[head])


def test_text_embeddings_inference_over_grpc(load, server, some, reference, vectors):
    reflected = Reflected(server.grpc_address)
    requests = [{"inputs": text, "truncate": True, "raw_scores": True} for text in some]
    predicted = reflected.stream("tei.v1.Predict/PredictStream", requests)
    same(
        [np.float32([entry.score for entry in answer.predictions]) for answer in predicted], reference["sentiment"]
    )
    for request in requests:
        del request["raw_scores"]
    embedded = reflected.stream("tei.v1.Embed/EmbedStream", requests)
    same([np.float32(answer.embeddings) for answer in embedded], vectors)
    reflected.close()


def test_embeddings(load, server, some, vectors):
    status, _, answer = server.ask("/embed", {"inputs": some, "truncate": True})
    assert status == 200, answer
    same([np.float32(vector) for vector in answer], vectors)
    short = [index for index, text in enumerate(some) if len(text) < 300]
    for encoding in ("float", "base64"):
        body = {"input": [some[index] for index in short], "model": "default", "encoding_format": encoding}
        status, _, answer = server.ask("/v1/embeddings", body)
        assert status == 200, answer
        found = [entry["embedding"] for entry in answer["data"]]
        if encoding == "base64":
            found = [np.frombuffer(base64.b64decode(text), "<f4") for text in found]
        same([np.float32(vector) for vector in found], [vectors[index] for index in short])


def test_vllm_classify(load, server, some):
    for text in [text for text in some if len(text) < 300][:8]:
        _, _, predicted = server.ask("/predict", {"inputs": text, "truncate": True})
        status, _, answer = server.ask("/classify", {"input": text, "model": "default"})
        assert status == 200, answer
        entry = answer["data"][0]
        assert entry["label"] == predicted[0]["label"] and entry["num_classes"] == len(predicted)
        same([np.float32(sorted(entry["probs"], reverse=True))], [descending(predicted)])
