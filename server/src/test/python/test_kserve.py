"""The clients of KServe's Python SDK."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def found(server):
    client = Path(__file__).with_name("kserve_client.py")
    run = subprocess.run(
        [sys.executable, client, server.url, server.grpc_address], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr.splitlines()[-1:]
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "question", ["rest live", "rest ready", "rest model ready", "grpc live", "grpc ready", "grpc model ready"]
)
def test_ready(found, question):
    assert found[question] is True


def test_an_unknown_model(found):
    assert found["rest absent model ready"] is False
    assert "no model of that name" in found["rest refused"] and "404" in found["rest refused"]


@pytest.mark.parametrize("door", ["rest binary=True", "rest binary=False", "grpc binary=True", "grpc binary=False"])
def test_infer(server, found, door):
    texts = [["I loved every minute of it."], ["What a waste of time!"]]
    _, _, expected = server.ask("/predict", {"inputs": texts, "raw_scores": True})
    assert found[door]["label"] == [scores[0]["label"] for scores in expected] == ["POSITIVE", "NEGATIVE"]
    for row, scores in zip(found[door]["logits"], expected):
        assert np.array_equal(np.float32(sorted(row, reverse=True)), np.float32([score["score"] for score in scores]))
