"""Small checkpoints with random weights, made by transformers' own classes, each with its ONNX form and its logits."""

import json
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
import transformers
from safetensors.torch import save_file

from testdata.tokens import make_vocabulary, save_tokenizer, write_lines

MAX_POSITIONS = 128
VOCABULARY = 600
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TEXTS = [
    "",
    "?",
    "I loved every minute of this film.",
    "The plot was dull and the acting worse.",
    "Anna Smith flew to Berlin.",
    "[MASK] is not a word",
    "1999 was 42% better than 2nd place, $20!",
    "caf\u00e9 na\u00efve \u4e2d\u6587 \U0001f600",
    "a",
    "good bad good bad",
    "Why would anyone say that? Really, why?",
    "  spaces   everywhere  ",
    "It's the best phone; don't buy another.",
    "no",
]
PAIRS = [("Who came?", "Anna came."), ("", "only the second"), ("only the first", ""), ("a b c", "a b c")]


class Heads(torch.nn.Module):
    """A DistilBERT sequence classifier and further heads over the same encoder, as heads.json lists them."""

    def __init__(self, classifier: torch.nn.Module, heads: list[dict]):
        super().__init__()
        self.classifier = classifier
        self.heads = heads
        width = classifier.config.dim
        self.linears = torch.nn.ModuleDict()
        for head in heads[1:]:
            inner = width * len(head["reads"]["layers"])
            *dense, output = head["tensors"]
            if dense:
                # Narrower than the encoder on purpose: nothing says that a head's own layer is square.
                self.linears[dense[0].replace(".", "/")] = torch.nn.Linear(inner, 48)
                inner = 48
            self.linears[output.replace(".", "/")] = torch.nn.Linear(inner, len(head["labels"]))

    def linear(self, name: str) -> torch.nn.Module:
        return getattr(self.classifier, name) if "." not in name else self.linears[name.replace(".", "/")]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        states = self.classifier.distilbert(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states
        outputs = []
        for head in self.heads:
            rows = torch.cat([states[layer] for layer in head["reads"]["layers"]], dim=-1)
            if head["reads"]["rows"] == "first":
                rows = rows[:, 0]
            *dense, output = head["tensors"]
            if dense:
                rows = torch.relu(self.linear(dense[0])(rows))
            outputs.append(self.linear(output)(rows))
        return tuple(outputs)


class Logits(torch.nn.Module):
    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        return (self.model(input_ids=input_ids, attention_mask=attention_mask, **types).logits,)


def randomize(module: torch.nn.Module, seed: int) -> None:
    """Fresh weights have zero biases and plain norms, which would hide a kernel that forgets them."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(module.named_parameters()):
        spread = 0.3 if name.split(".")[-2] in ("classifier", "entities/classifier") else 0.15
        mean = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
        parameter.data = mean + spread * torch.randn(parameter.shape, generator=generator)


def inputs_of(tokenizer, first: str, second: str | None, with_types: bool) -> dict[str, torch.Tensor]:
    encoding = tokenizer.encode(first) if second is None else tokenizer.encode(first, second)
    names = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask}
    if with_types:
        names["token_type_ids"] = encoding.type_ids
    return {name: torch.tensor([values]) for name, values in names.items()}


def export_onnx(module: torch.nn.Module, outputs: dict[str, bool], sample: dict[str, torch.Tensor], file: Path) -> None:
    """outputs: name, and whether it has a row a token."""
    axes = {name: {0: "batch", 1: "sequence"} for name in sample}
    axes |= {name: {0: "batch", 1: "sequence"} if per_token else {0: "batch"} for name, per_token in outputs.items()}
    torch.onnx.export(
        module,
        tuple(sample.values()),
        str(file),
        input_names=list(sample),
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(file)
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, file)


def check_onnx(file: Path, module: torch.nn.Module, batches: list[dict[str, torch.Tensor]]) -> None:
    assert not any(part.training for part in module.modules())
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for batch in batches:
        expected = module(**batch)
        actual = session.run(None, {name: values.numpy() for name, values in batch.items()})
        for left, right in zip(expected, actual, strict=True):
            difference = numpy.abs(left.numpy() - right).max()
            assert difference < 1e-5, f"{file}: differs by {difference}"


def padded(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.nn.utils.rnn.pad_sequence([row[name][0] for row in rows], batch_first=True) for name in rows[0]}


def write_reference(
    folder: Path, tokenizer, module: torch.nn.Module, outputs: dict[str, bool], english: list[str], with_types: bool
) -> None:
    longest = " ".join(["word"] * 300)
    while len(tokenizer.encode(longest).ids) > MAX_POSITIONS:
        longest = longest[:-1]
    assert len(tokenizer.encode(longest).ids) == MAX_POSITIONS
    fitting = [text for text in english[60:] if 20 <= len(tokenizer.encode(text).ids) <= 100]
    texts = [(text, None) for text in TEXTS + [longest]]
    texts += PAIRS if with_types else []
    texts += [(text, None) for text in fitting[: 20 - len(texts)]]
    rows, batch = [], []
    for first, second in texts:
        inputs = inputs_of(tokenizer, first, second, with_types)
        encoding = tokenizer.encode(first) if second is None else tokenizer.encode(first, second)
        row = {"text": first} | ({} if second is None else {"pair": second}) | {"ids": encoding.ids}
        row |= {"type_ids": encoding.type_ids} if with_types else {}
        row["offsets"] = encoding.offsets
        for name, logits in zip(outputs, module(**inputs), strict=True):
            row[name] = [round(value, 6) for value in logits.flatten().tolist()]
        rows.append(row)
        batch.append(inputs)
    write_lines(folder / "reference.jsonl", rows)
    export_onnx(module, outputs, batch[2], folder / "model.onnx")
    check_onnx(folder / "model.onnx", module, batch + [padded(batch[:5])])


def labelled(names: list[str], problem_type: str | None) -> dict:
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: i for i, name in enumerate(names)},
        "problem_type": problem_type,
    }


def distilbert_config(labels: dict, layers: int, **more) -> transformers.DistilBertConfig:
    return transformers.DistilBertConfig(
        vocab_size=VOCABULARY,
        max_position_embeddings=MAX_POSITIONS,
        n_layers=layers,
        n_heads=4,
        dim=64,
        hidden_dim=128,
        initializer_range=0.15,
        **labels,
        **more,
    )


def bert_config(labels: dict, **more) -> transformers.BertConfig:
    return transformers.BertConfig(
        vocab_size=VOCABULARY,
        max_position_embeddings=MAX_POSITIONS,
        num_hidden_layers=2,
        num_attention_heads=4,
        hidden_size=64,
        intermediate_size=128,
        type_vocab_size=2,
        initializer_range=0.15,
        **labels,
        **more,
    )


def text_head(name: str, problem_type: str, labels: list[str], layers: list[int], prefix: str, file: str) -> dict:
    return {
        "name": name,
        "task": "text-classification",
        "problem_type": problem_type,
        "labels": labels,
        "file": file,
        "tensors": [prefix + "pre_classifier", prefix + "classifier"],
        "reads": {"layers": layers, "rows": "first"},
        "activation": "relu",
    }


def token_head(name: str, labels: list[str], layers: list[int]) -> dict:
    reads = {"layers": layers, "rows": "all"} | ({"join": "concatenate"} if len(layers) > 1 else {})
    return {
        "name": name,
        "task": "token-classification",
        "labels": labels,
        "file": "heads.safetensors",
        "tensors": [name + ".classifier"],
        "reads": reads,
    }


def write_heads(
    folder: Path, config: transformers.DistilBertConfig, seed: int
) -> tuple[torch.nn.Module, dict[str, bool]]:
    heads = [
        text_head("tone", "single_label_classification", list(config.id2label.values()), [3], "", "model.safetensors"),
        text_head(
            "topics",
            "multi_label_classification",
            ["art", "sport", "food", "travel"],
            [3],
            "topics.",
            "heads.safetensors",
        )
        | {"threshold": 0.4},
        token_head("spans", ["O", "SPAN"], [1, 2]),
        token_head("entities", TAGS, [3]),
    ]
    module = Heads(
        transformers.DistilBertForSequenceClassification._from_config(config, attn_implementation="eager"), heads
    )
    module.eval()
    randomize(module, seed)
    module.classifier.save_pretrained(folder)
    save_file(
        {name.replace("/", "."): tensor.contiguous() for name, tensor in module.linears.state_dict().items()},
        folder / "heads.safetensors",
    )
    (folder / "heads.json").write_text(
        json.dumps({"default": "tone", "heads": heads}, indent=1) + "\n", encoding="utf-8"
    )
    return module, {head["name"]: head["task"] == "token-classification" for head in heads}


def write_all(corpus: list[str], english: list[str], resources: Path) -> None:
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    vocabulary = make_vocabulary(corpus, VOCABULARY, lowercase=True, letters=110)
    three = labelled(["NEGATIVE", "NEUTRAL", "POSITIVE"], "single_label_classification")
    four = labelled(["anger", "fear", "joy", "love"], "multi_label_classification")
    tags = labelled(TAGS, None)
    plain = [
        ("distilbert-small", transformers.DistilBertForSequenceClassification, distilbert_config(three, 2)),
        ("bert-small", transformers.BertForSequenceClassification, bert_config(four)),
        (
            "distilbert-token-small",
            transformers.DistilBertForTokenClassification,
            distilbert_config(tags, 2, activation="relu"),
        ),
        ("bert-token-small", transformers.BertForTokenClassification, bert_config(tags, hidden_act="gelu_new")),
    ]
    for seed, (name, kind, config) in enumerate(plain, start=1):
        folder = resources / name
        tokenizer = save_tokenizer(vocabulary, True, MAX_POSITIONS, folder)
        model = kind._from_config(config, attn_implementation="eager").eval()
        randomize(model, seed)
        model.save_pretrained(folder)
        outputs = {"logits": "token" in name}
        write_reference(folder, tokenizer, Logits(model).eval(), outputs, english, name.startswith("bert"))
    folder = resources / "distilbert-heads-small"
    tokenizer = save_tokenizer(vocabulary, True, MAX_POSITIONS, folder)
    module, outputs = write_heads(folder, distilbert_config(three, 3), len(plain) + 1)
    write_reference(folder, tokenizer, module, outputs, english, False)
