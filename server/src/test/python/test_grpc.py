"""gRPC as tools without stubs use it: reflection, health, and text-embeddings-inference's services by reflection."""

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

from reflected import Reflected
from running import TEXT


@pytest.fixture
def reflected(server):
    reflected = Reflected(server.grpc_address)
    yield reflected
    reflected.close()


def test_services_are_listed(reflected):
    assert reflected.services() >= {
        "inference.GRPCInferenceService",
        "tei.v1.Info",
        "tei.v1.Embed",
        "tei.v1.Predict",
        "tei.v1.Rerank",
        "tei.v1.Tokenize",
        "grpc.health.v1.Health",
    }
    assert {"ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer"} <= (
        reflected.methods("inference.GRPCInferenceService")
    )


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_both_versions_of_reflection(server, version):
    # The messages of both are the same; the client library knows the older service only.
    with grpc.insecure_channel(server.grpc_address) as channel:
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        requests = [
            reflection_pb2.ServerReflectionRequest(list_services=""),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="tei.v1.Predict"),
            reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.such.Symbol"),
        ]
        services, file, absent = call(iter(requests), timeout=30)
    assert "tei.v1.Predict" in {service.name for service in services.list_services_response.service}
    assert file.file_descriptor_response.file_descriptor_proto
    assert absent.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_health(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("", "inference.GRPCInferenceService", "tei.v1.Predict"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as unknown:
            health.Check(health_pb2.HealthCheckRequest(service="absent"), timeout=30)
        assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
        watch = health.Watch(health_pb2.HealthCheckRequest(), timeout=30)
        assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()


def test_info(server, reflected):
    info = reflected.call("tei.v1.Info/Info")
    assert info["max_input_length"] == 512
    assert info["version"] == server.get("/info")[2]["version"]
    assert info["model_type"] == "MODEL_TYPE_CLASSIFIER"


def test_predict(server, reflected):
    answer = reflected.message("tei.v1.Predict/Predict", {"inputs": TEXT})
    _, _, expected = server.ask("/predict", {"inputs": TEXT})
    assert [(entry.label, np.float32(entry.score)) for entry in answer.predictions] == [
        (entry["label"], np.float32(entry["score"])) for entry in expected
    ]
    assert answer.metadata.compute_tokens == 9 and answer.metadata.total_time_ns > 0
    pair = reflected.message("tei.v1.Predict/PredictPair", {"inputs": ["a good day", "it rained"], "raw_scores": True})
    _, _, expected = server.ask("/predict", {"inputs": ["a good day", "it rained"], "raw_scores": True})
    assert [np.float32(entry.score) for entry in pair.predictions] == [
        np.float32(entry["score"]) for entry in expected
    ]


def test_embed(server, reflected):
    answer = reflected.message("tei.v1.Embed/Embed", {"inputs": TEXT})
    assert np.array_equal(np.float32(answer.embeddings), np.float32(server.ask("/embed", {"inputs": TEXT})[2][0]))
    raw = reflected.message("tei.v1.Embed/Embed", {"inputs": TEXT, "normalize": False, "dimensions": 16})
    assert len(raw.embeddings) == 16
    every = reflected.message("tei.v1.Embed/EmbedAll", {"inputs": TEXT})
    expected = np.float32(server.ask("/embed_all", {"inputs": TEXT})[2][0])
    assert np.array_equal(np.float32([token.embeddings for token in every.token_embeddings]), expected)


def test_rerank_is_the_same_as_over_http(server, reflected):
    texts = ["a fine day", "the stock market", "rain and wind"]
    status, _, answer = server.ask("/rerank", {"query": "weather", "texts": texts})
    if status == 200:
        ranks = reflected.message("tei.v1.Rerank/Rerank", {"query": "weather", "texts": texts}).ranks
        assert [(rank.index, np.float32(rank.score)) for rank in ranks] == [
            (entry["index"], np.float32(entry["score"])) for entry in answer
        ]
    else:
        with pytest.raises(grpc.RpcError) as refused:
            reflected.call("tei.v1.Rerank/Rerank", {"query": "weather", "texts": texts})
        assert 400 <= status < 500 and refused.value.details() == answer["error"]


def test_tokenize_and_decode(server, reflected):
    answer = reflected.message("tei.v1.Tokenize/Tokenize", {"inputs": TEXT, "add_special_tokens": True})
    _, _, expected = server.ask("/tokenize", {"inputs": TEXT})
    assert [(token.id, token.text, token.special) for token in answer.tokens] == [
        (token["id"], token["text"], token["special"]) for token in expected[0]
    ]
    ids = [token.id for token in answer.tokens]
    decoded = reflected.call("tei.v1.Tokenize/Decode", {"ids": ids, "skip_special_tokens": True})
    assert [decoded["text"]] == server.ask("/decode", {"ids": ids})[2]


def test_streams_answer_in_order(reflected, texts):
    requests = [{"inputs": entry["text"], "truncate": True, "raw_scores": True} for entry in texts[:64]]
    streamed = reflected.stream("tei.v1.Predict/PredictStream", requests)
    alone = [reflected.message("tei.v1.Predict/Predict", request) for request in requests]
    assert [list(answer.predictions) for answer in streamed] == [list(answer.predictions) for answer in alone]
    embedded = reflected.stream("tei.v1.Embed/EmbedStream", requests_without(requests, "raw_scores"))
    assert len(embedded) == 64 and all(len(answer.embeddings) == 768 for answer in embedded)


def requests_without(requests, field):
    return [{name: value for name, value in request.items() if name != field} for request in requests]


@pytest.mark.parametrize(
    "path, request_, code",
    [
        ("tei.v1.Predict/Predict", {"inputs": "word " * 600}, grpc.StatusCode.INVALID_ARGUMENT),
        ("tei.v1.Predict/PredictPair", {"inputs": ["one", "two", "three"]}, grpc.StatusCode.INVALID_ARGUMENT),
        ("tei.v1.Tokenize/Decode", {"ids": [4_000_000_000]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_wrong_requests_have_a_code_and_a_word(reflected, path, request_, code):
    with pytest.raises(grpc.RpcError) as refused:
        reflected.call(path, request_)
    assert refused.value.code() == code and refused.value.details()


def test_an_unknown_method_is_unimplemented(server):
    with grpc.insecure_channel(server.grpc_address) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary("/tei.v1.Predict/Guess")(b"", timeout=30)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
