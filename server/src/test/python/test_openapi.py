"""schemathesis: no request that the document allows or forbids meets a 500, or an answer that it does not tell."""

import subprocess
import sys
from pathlib import Path

import pytest


LOADING = "/v2/repository/models/.*"


@pytest.mark.parametrize(
    "phases, seconds, paths",
    [
        # Who unloads the models would find little else, so that it has its own turn.
        ("examples,coverage", 60, ["--exclude-path-regex", LOADING]),
        ("fuzzing,stateful", 25, ["--exclude-path-regex", LOADING]),
        ("examples,coverage,fuzzing,stateful", 15, ["--include-path-regex", "/v2.*"]),
    ],
    ids=["coverage", "fuzzing", "while models come and go"],
)
def test_openapi(serve, small_model, tmp_path, phases, seconds, paths):
    server = serve("--model", f"small={small_model}", "--model", f"other={small_model}")
    # A header that nobody knows is no reason to refuse a request.
    (tmp_path / "schemathesis.toml").write_text("[generation]\nallow-extra-parameters = false\n")
    program = Path(sys.executable).with_name("schemathesis")
    run = subprocess.run(
        [
            program,
            "run",
            server.url + "/openapi",
            f"--phases={phases}",
            f"--max-time={seconds}",
            "--checks=all",
            # which models there are, how many ids a vocabulary has and how long a text may be, no schema tells
            "--exclude-checks=positive_data_acceptance",
            "--seed=6",
            "--generation-database=none",
            "--continue-on-failure",
            "--max-failures=40",
            "--request-timeout=20",
            "--no-color",
            "--warnings=off",
            *paths,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-2_000:]
    assert server.get("/health")[0] == 200
    assert server.stop() == 0
    assert not server.errors()


def test_every_route_is_in_the_document(server):
    _, _, document = server.get("/openapi")
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    tasks = ["predict", "embed", "embed_all", "rerank", "similarity", "tokenize", "decode", "v1/embeddings", "classify"]
    looks = ["info", "health", "metrics", "v1/models", "v2", "v2/health/live", "v2/health/ready"]
    expected = {("POST", f"/{path}") for path in tasks} | {("GET", f"/{path}") for path in looks}
    assert expected <= routes, expected - routes
    templates = {(method, path.split("{")[0], path.rpartition("}")[2]) for method, path in routes}
    for entry in [
        ("POST", "/models/", ""),
        ("POST", "/v2/models/", "/infer"),
        ("GET", "/v2/models/", "/ready"),
        ("GET", "/v2/models/", "/stats"),
        ("POST", "/v2/repository/models/", "/load"),
        ("POST", "/v2/repository/models/", "/unload"),
    ]:
        assert entry in templates
