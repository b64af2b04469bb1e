"""Asks as KServe's clients do and prints what they understood. In a process of its own: KServe's and Triton's stubs
register the same names."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

TEXTS = ["I loved every minute of it.", "What a waste of time!"]


def request(binary):
    tensor = InferInput("text", [len(TEXTS)], "BYTES")
    tensor.set_data_from_numpy(np.array(TEXTS, dtype=object), binary_data=binary)
    return InferRequest("default", [tensor])


def read(answer):
    outputs = {output.name: output.as_numpy() for output in answer.outputs}
    labels = [label.decode() if isinstance(label, bytes) else label for label in outputs["label"].tolist()]
    return {"logits": outputs["logits"].astype(np.float64).tolist(), "label": labels}


async def main(url, grpc_address):
    found = {}
    async with InferenceRESTClient(RESTConfig(protocol="v2", timeout=30)) as client:
        found["rest live"] = await client.is_server_live(url)
        found["rest ready"] = await client.is_server_ready(url)
        found["rest model ready"] = await client.is_model_ready(url, "default")
        found["rest absent model ready"] = await client.is_model_ready(url, "absent")
        for binary in (True, False):
            found[f"rest binary={binary}"] = read(await client.infer(url, request(binary), model_name="default"))
        try:
            await client.infer(url, request(False), model_name="absent")
        except Exception as refused:
            found["rest refused"] = str(refused)
    async with InferenceGRPCClient(grpc_address, timeout=30) as client:
        found["grpc live"] = await client.is_server_live()
        found["grpc ready"] = await client.is_server_ready()
        found["grpc model ready"] = await client.is_model_ready("default")
        for binary in (True, False):
            found[f"grpc binary={binary}"] = read(await client.infer(request(binary)))
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
