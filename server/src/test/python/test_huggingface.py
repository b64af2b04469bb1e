"""huggingface_hub.InferenceClient."""

import asyncio

import numpy as np
import pytest
from huggingface_hub import AsyncInferenceClient, InferenceClient
from huggingface_hub.errors import HfHubHTTPError

from running import RESOURCES, TEXT, gatun


@pytest.fixture(autouse=True)
def no_token(monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.mark.parametrize("path", ["", "/", "/predict", "/models/default"])
def test_text_classification(server, path):
    scores = InferenceClient(server.url + path).text_classification(TEXT)
    assert [score.label for score in scores] == ["POSITIVE", "NEGATIVE"]
    assert sum(score.score for score in scores) == pytest.approx(1, abs=1e-6)


def test_text_classification_of_another_model(server):
    scores = InferenceClient(server.url + "/models/small").text_classification(TEXT)
    _, _, info = server.ask("/predict", {"inputs": TEXT, "model": "small"})
    assert [(score.label, score.score) for score in scores] == [(entry["label"], entry["score"]) for entry in info]


def test_parameters_of_text_classification(server):
    client = InferenceClient(server.url + "/models/default")
    best = client.text_classification(TEXT, top_k=1)
    assert [score.label for score in best] == ["POSITIVE"]
    raw = client.text_classification(TEXT, function_to_apply="none")
    assert raw[0].score > 1 and raw[1].score < 0
    sigmoid = client.text_classification(TEXT, function_to_apply="sigmoid")
    assert [score.score for score in sigmoid] == pytest.approx(
        [1 / (1 + np.exp(-score.score)) for score in raw], abs=1e-6
    )


@pytest.mark.parametrize("path", ["", "/embed", "/models/default/pipeline/feature-extraction"])
def test_feature_extraction(server, path):
    client = InferenceClient(server.url + path)
    one = client.feature_extraction(TEXT)
    assert one.shape == (1, 768) and one.dtype == np.float32
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    many = client.feature_extraction([TEXT, "no"], normalize=True, truncate=True, truncation_direction="left")
    assert many.shape == (2, 768)
    assert np.array_equal(many[0], one[0])
    assert client.feature_extraction(TEXT, dimensions=32).shape == (1, 32)
    raw = client.feature_extraction(TEXT, normalize=False)
    assert np.linalg.norm(raw) > 1.1


@pytest.mark.parametrize("path", ["", "/similarity", "/models/default", "/models/default/pipeline/sentence-similarity"])
def test_sentence_similarity(server, path):
    similar = InferenceClient(server.url + path).sentence_similarity(
        "What a lovely day", ["What a lovely day", "It is sunny and nice", "The bank collapsed"]
    )
    assert similar[0] == pytest.approx(1, abs=1e-5)
    assert similar[0] > similar[1] > similar[2]


NAMES = "Angela Merkel met Tim Cook of Apple in Berlin 🎉"


@pytest.mark.parametrize("path", ["", "/ner", "/models/default", "/models/default/pipeline/token-classification"])
def test_token_classification(server, path):
    found = InferenceClient(server.url + path).token_classification(NAMES, aggregation_strategy="simple")
    assert [(entity.entity_group, NAMES[entity.start : entity.end]) for entity in found] == [
        ("PER", "Angela Merkel"),
        ("PER", "Tim Cook"),
        ("ORG", "Apple"),
        ("LOC", "Berlin"),
    ]
    assert all(0.5 < entity.score <= 1 for entity in found)


def test_token_classification_in_windows(server):
    text = "We met nobody there. " * 2000 + NAMES
    client = InferenceClient(server.url + "/ner")
    found = client.token_classification(text, aggregation_strategy="max", stride=64, ignore_labels=["O", "ORG"])
    assert [text[entity.start : entity.end] for entity in found] == ["Angela Merkel", "Tim Cook", "Berlin"]


def test_token_classification_of_tokens(server):
    found = InferenceClient(server.url + "/ner").token_classification("Berlin")
    assert [(entity.entity, entity.word, entity.start, entity.end) for entity in found] == [("B-LOC", "berlin", 0, 6)]


def golden(task, folder):
    """A small model of a task, as it is given to a server."""
    file = folder / f"{task}.gguf"
    gatun("convert", RESOURCES.parent / "golden/bert-uncased" / task, file, "--type", "f32")
    return f"{task}={file}"


def test_fill_mask_and_zero_shot_classification(serve, tmp_path):
    server = serve("--model", golden("fill-mask", tmp_path), "--model", golden("pair", tmp_path))
    client = InferenceClient(server.url)
    fills = client.fill_mask("The plot was [MASK] and the acting worse.", targets=["film", "train"], top_k=5)
    assert {fill.token_str for fill in fills} == {"film", "train"}
    assert fills[0].score >= fills[1].score
    assert fills[0].sequence == f"the plot was {fills[0].token_str} and the acting worse."
    labels = ["travel", "food", "sport"]
    for path in ("/models/pair", "/models/pair/pipeline/zero-shot-classification"):
        scores = InferenceClient(server.url + path).zero_shot_classification(
            "Anna flew to Berlin.", labels, hypothesis_template="It is about {}."
        )
        assert sorted(score.label for score in scores) == sorted(labels)
        assert sum(score.score for score in scores) == pytest.approx(1, abs=1e-6)
    several = InferenceClient(server.url + "/models/pair").zero_shot_classification(TEXT, labels, multi_label=True)
    assert all(0 < score.score < 1 for score in several)


def test_info_and_health(server):
    client = InferenceClient(server.url, provider="hf-inference")
    assert client.get_endpoint_info()["max_input_length"] == 512
    assert client.health_check()


def test_async(server):
    async def classify():
        return await AsyncInferenceClient(server.url).text_classification(TEXT)

    assert asyncio.run(classify()) == InferenceClient(server.url).text_classification(TEXT)


@pytest.mark.parametrize(
    "task, call",
    [
        ("fill-mask", lambda client: client.fill_mask("a [MASK] day", targets=["good"])),
        ("question-answering", lambda client: client.question_answering("who?", "I did.")),
        ("zero-shot-classification", lambda client: client.zero_shot_classification(TEXT, ["a", "b"])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("path", ["", "/models/default", "/models/default/pipeline/{task}"])
def test_tasks_that_the_model_is_not_served_for_are_refused_with_a_word(server, path, task, call):
    with pytest.raises(HfHubHTTPError) as refused:
        call(InferenceClient(server.url + path.format(task=task)))
    assert 400 <= refused.value.response.status_code < 500
    error = refused.value.response.json()["error"]
    assert task in error and "text-classification" in error


def test_unknown_model(server):
    with pytest.raises(HfHubHTTPError) as refused:
        InferenceClient(server.url + "/models/absent").text_classification(TEXT)
    assert refused.value.response.status_code == 404
    assert "no model of that name" in str(refused.value)


def test_token(serve, small_model):
    server = serve("--model", f"small={small_model}", "--api-key", "secret")
    assert InferenceClient(server.url, token="secret").text_classification(TEXT)
    for client in (InferenceClient(server.url, token="wrong"), InferenceClient(server.url)):
        with pytest.raises(HfHubHTTPError) as refused:
            client.text_classification(TEXT)
        assert refused.value.response.status_code == 401
