import json

import pytest

from running import DEFAULT_MODEL, RESOURCES, Server, gatun


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A model of four heads that is loaded and computed within milliseconds."""
    file = tmp_path_factory.mktemp("models") / "small.gguf"
    gatun("convert", RESOURCES / "distilbert-heads-small", file, "--type", "f32")
    return file


@pytest.fixture(scope="session")
def texts():
    """Texts of all lengths, each with its logits by head as Hugging Face's code computes them in fp32."""
    with open(RESOURCES / "reference.jsonl") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def server(small_model, tmp_path_factory):
    """The server that clients talk to: the default model and, as 'small', a small one. They leave it as it was."""
    server = Server(
        "--model",
        f"default={DEFAULT_MODEL}",
        "--model",
        f"small={small_model}",
        log=tmp_path_factory.mktemp("server") / "log",
    )
    yield server
    assert server.stop() == 0, server.errors()


@pytest.fixture
def serve(tmp_path):
    """Starts servers that a test may break."""
    servers = []

    def start(*arguments, **options):
        server = Server(*arguments, **{"log": tmp_path / f"log{len(servers)}"} | options)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.kill()
