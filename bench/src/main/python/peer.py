"""One engine that is used from Python, as a child of `scripts/bench peers`.

    peer.py ENGINE THREADS MODEL.onnx CALIBRATION.jsonl FOLDER

ENGINE is openvino-int8, openvino-bf16 or ctranslate2-int8. MODEL.onnx is the model in fp32, as PlainGraph writes it.
What an engine makes of it is kept in FOLDER.

Talks in lines of JSON. At the start it says {"versions": ...}. Then it answers
    {"shape": NAME, "ids": [[...], ...]}                          {"logits": [[...], ...]}, and keeps the inputs ready
    {"shape": NAME, "milliseconds": M, "least": L, "most": N}     {"times": [...]}, a turn: see Turn.java
until its input ends.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np

os.environ.update(NNCF_CI="1", CI="true")  # NNCF and OpenVINO do not report their use then


def padded(sequences):
    """The ids, padded with 0 to the longest sequence, and the mask: int64 [sequence][token] both."""
    ids = np.zeros((len(sequences), max(map(len, sequences))), np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask


def keep(path, make):
    """Makes a file or folder unless it is there; it appears under its name when it is whole."""
    if not path.exists():
        part = path.with_name(f"part-{os.getpid()}-{path.name}")
        try:
            make(part)
            part.rename(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return path


class OpenVino:
    """OpenVINO's CPU plugin. Its int8 form is NNCF's static quantization for transformers."""

    def __init__(self, precision, threads, model, calibration, folder):
        import openvino

        self.versions = {"openvino": openvino.__version__.split("-")[0]}
        core = openvino.Core()
        if precision == "int8":
            import nncf

            self.versions["nncf"] = nncf.__version__
            model = keep(folder / "openvino-int8", lambda part: self.quantize(core, model, calibration, part)) / "model.xml"
        self.compiled = core.compile_model(
            core.read_model(model),
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            },
        )
        self.request = self.compiled.create_infer_request()

    @staticmethod
    def quantize(core, model, calibration, folder):
        import nncf
        import openvino

        examples = [padded([json.loads(line)]) for line in calibration.read_text().splitlines()]
        dataset = nncf.Dataset(examples, lambda example: {"input_ids": example[0], "attention_mask": example[1]})
        quantized = nncf.quantize(
            core.read_model(model), dataset, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(examples)
        )
        folder.mkdir()
        openvino.save_model(quantized, folder / "model.xml", compress_to_fp16=False)

    def prepare(self, sequences):
        ids, mask = padded(sequences)
        return {"input_ids": ids, "attention_mask": mask}

    def run(self, inputs):
        return self.request.infer(inputs, share_inputs=True)[0]


class CTranslate2:
    """CTranslate2's encoder with its pooling layer, which is DistilBERT's layer before the classifier."""

    def __init__(self, threads, model, folder):
        import ctranslate2

        self.versions = {"ctranslate2": ctranslate2.__version__}
        self.ctranslate2 = ctranslate2
        converted = keep(folder / "ctranslate2-int8", lambda part: self.convert(model, part))
        classifier = np.load(converted / "classifier.npz")
        self.weight, self.bias = classifier["weight"], classifier["bias"]
        self.encoder = ctranslate2.Encoder(
            str(converted), device="cpu", compute_type="int8", inter_threads=1, intra_threads=threads
        )

    @staticmethod
    def convert(model, folder):
        import onnx
        from ctranslate2.specs import common_spec, transformer_spec

        graph = onnx.load(model).graph
        tensors = {tensor.name: np.array(onnx.numpy_helper.to_array(tensor)) for tensor in graph.initializer}

        def norm(spec, name):
            spec.gamma, spec.beta = tensors[name + ".weight"], tensors[name + ".bias"]

        def linear(spec, *names):
            spec.weight = np.concatenate([tensors[name + ".weight"].T for name in names])  # stored as [in][out]
            spec.bias = np.concatenate([tensors[name + ".bias"] for name in names])

        layers = sum(name.endswith(".ffn_up.bias") for name in tensors)
        by_head = [node.input[1] for node in graph.node if node.op_type == "Reshape" and tensors[node.input[1]].size == 4]
        heads = int(tensors[by_head[0]][2])
        spec = transformer_spec.TransformerEncoderModelSpec(
            transformer_spec.TransformerEncoderSpec(
                layers,
                heads,
                pre_norm=False,
                activation=common_spec.Activation.GELU,
                layernorm_embedding=True,
            ),
            pooling_layer=True,
            pooling_activation=common_spec.Activation.RELU,
        )
        encoder = spec.encoder
        encoder.scale_embeddings = False
        encoder.embeddings[0].weight = tensors["words"]
        encoder.position_encodings.encodings = tensors["positions"]
        norm(encoder.layernorm_embedding, "token_embd_norm")
        for index, layer in enumerate(encoder.layer):
            block = f"blk.{index}."
            linear(layer.self_attention.linear[0], block + "attn_q", block + "attn_k", block + "attn_v")
            linear(layer.self_attention.linear[1], block + "attn_output")
            norm(layer.self_attention.layer_norm, block + "attn_output_norm")
            linear(layer.ffn.linear_0, block + "ffn_up")
            linear(layer.ffn.linear_1, block + "ffn_down")
            norm(layer.ffn.layer_norm, block + "layer_output_norm")
        spec.pooler_dense.weight, spec.pooler_dense.bias = tensors["cls.weight"], tensors["cls.bias"]
        spec.register_vocabulary([f"token-{token}" for token in range(len(tensors["words"]))])
        spec.config.unk_token = "token-0"
        spec.config.layer_norm_epsilon = 1e-12
        spec.validate()
        spec.optimize(quantization="int8")
        folder.mkdir()
        spec.save(str(folder))
        np.savez(folder / "classifier.npz", weight=tensors["cls.output.weight"], bias=tensors["cls.output.bias"])

    def prepare(self, sequences):
        ids, mask = padded(sequences)
        view = self.ctranslate2.StorageView.from_array
        return view(ids.astype(np.int32)), view(mask.sum(1).astype(np.int32))

    def run(self, inputs):
        pooled = np.array(self.encoder.forward_batch(*inputs).pooler_output)
        return pooled @ self.weight.T + self.bias


def turn(engine, inputs, milliseconds, least, most):
    times, spent = [], 0.0
    engine.run(inputs)
    while len(times) < least or (len(times) < most and spent < milliseconds):
        start = time.perf_counter()
        engine.run(inputs)
        times.append((time.perf_counter() - start) * 1e3)
        spent += times[-1]
    return times


def main():
    name, threads, model, calibration, folder = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(**fields):
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    if name.startswith("openvino-"):
        precision = name.removeprefix("openvino-")
        engine = OpenVino(precision, int(threads), Path(model), Path(calibration), Path(folder))
    else:
        engine = CTranslate2(int(threads), Path(model), Path(folder))
    answer(versions=engine.versions)
    ready = {}
    for line in sys.stdin:
        request = json.loads(line)
        shape = request["shape"]
        if "ids" in request:
            ready[shape] = engine.prepare(request["ids"])
            answer(logits=np.asarray(engine.run(ready[shape])).tolist())
        else:
            answer(times=turn(engine, ready[shape], request["milliseconds"], request["least"], request["most"]))


if __name__ == "__main__":
    main()
