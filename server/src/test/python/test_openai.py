"""The client of OpenAI."""

import asyncio

import numpy as np
import openai
import pytest

from running import TEXT


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=server.url + "/v1", api_key="any", max_retries=0) as client:
        yield client


def vectors(answer):
    return np.array([entry.embedding for entry in answer.data], dtype=np.float32)


def test_embeddings(server, client):
    answer = client.embeddings.create(model="default", input=TEXT)
    assert vectors(answer).shape == (1, 768)
    assert answer.model == "default"
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 9
    assert np.array_equal(vectors(answer), np.float32(server.ask("/embed", {"inputs": TEXT})[2]))


def test_floats_are_the_same_as_base64(client):
    batch = [TEXT, "no", "a good day " * 20]
    base64 = client.embeddings.create(model="default", input=batch)
    floats = client.embeddings.create(model="default", input=batch, encoding_format="float")
    assert [entry.index for entry in floats.data] == [0, 1, 2]
    assert np.array_equal(vectors(base64), vectors(floats))


def test_dimensions(client):
    answer = client.embeddings.create(model="default", input=TEXT, dimensions=64, user="someone")
    assert vectors(answer).shape == (1, 64)
    assert np.linalg.norm(vectors(answer)) == pytest.approx(1, abs=1e-5)


def test_token_ids(server, client):
    _, _, tokens = server.ask("/tokenize", {"inputs": TEXT})
    ids = [token["id"] for token in tokens[0]]
    one = client.embeddings.create(model="default", input=ids)
    several = client.embeddings.create(model="default", input=[ids, ids[:3]])
    assert vectors(one).shape == (1, 768) and vectors(several).shape == (2, 768)
    assert np.array_equal(vectors(one)[0], vectors(several)[0])
    with pytest.raises(openai.APIStatusError) as refused:
        client.embeddings.create(model="default", input=[[2_000_000]])
    assert 400 <= refused.value.status_code < 500


def test_async(server, client):
    async def embed():
        async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="any") as asynchronous:
            return await asyncio.gather(
                *(asynchronous.embeddings.create(model="default", input=TEXT) for _ in range(16))
            )

    expected = vectors(client.embeddings.create(model="default", input=TEXT))
    assert all(np.array_equal(vectors(answer), expected) for answer in asyncio.run(embed()))


def test_models(client):
    models = {model.id: model for model in client.models.list()}
    assert set(models) == {"default", "small"}
    assert client.models.retrieve("small") == models["small"]
    assert models["small"].object == "model" and models["small"].created > 1_600_000_000
    assert models["small"].owned_by


def test_errors(client):
    with pytest.raises(openai.NotFoundError) as unknown:
        client.embeddings.create(model="absent", input=TEXT)
    assert "no model of that name" in unknown.value.message and unknown.value.code and unknown.value.type
    assert unknown.value.request_id
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("absent")
    with pytest.raises(openai.APIStatusError) as empty:
        client.embeddings.create(model="default", input=[])
    assert empty.value.status_code in (400, 422)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="default", messages=[{"role": "user", "content": TEXT}])


def test_api_key(serve, small_model, tmp_path):
    file = tmp_path / "key"
    file.write_text("secret\n")
    server = serve("--model", f"small={small_model}", "--api-key-file", file)
    for key in ("secret", "wrong"):
        client = openai.OpenAI(base_url=server.url + "/v1", api_key=key, max_retries=0)
        if key == "secret":
            assert client.embeddings.create(model="small", input=TEXT).data
        else:
            with pytest.raises(openai.AuthenticationError):
                client.embeddings.create(model="small", input=TEXT)
