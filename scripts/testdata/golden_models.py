"""The checkpoints of the golden files: random weights, and heads whose logits are spread over the texts."""

import copy
import json
from pathlib import Path

import torch
import transformers

from testdata import golden_texts
from testdata.tokens import make_vocabulary, save_tokenizer

POSITIONS = 128
VOCABULARY = 720
CLS, MASK = 2, 4
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
FAMILIES = {"distilbert-uncased": True, "distilbert-cased": False, "bert-uncased": True}  # name: lower case?

# Steps on each side of 0 that 8 bits have, and fewer: how one kernel rounds is chance, so an answer has to hold in all.
ROUGHNESS = [127, 108, 92, 78, 64]

# How far apart a head's logits are over many texts: wide enough that answers differ, narrow enough that scores do too.
SPREAD = 2.0

# Of weights, by a part of their name: words count for more than where they stand, and no layer outshouts the others.
SPREADS = {
    "word_embeddings": 0.5,
    "position_embeddings": 0.2,
    "token_type_embeddings": 0.4,
    "pooler": 0.2,
    "q_lin": 0.12,
    "k_lin": 0.12,
    "query": 0.12,
    "key": 0.12,
    "v_lin": 0.25,
    "out_lin": 0.25,
    "value": 0.25,
    "attention.output": 0.25,
}


def labelled(names: list[str], problem: str | None = None) -> dict:
    return {
        "id2label": dict(enumerate(names)),
        "label2id": {name: i for i, name in enumerate(names)},
        "problem_type": problem,
    }


# Folder: the end of the class's name, and what its config says.
TASKS = {
    "token-classification": ("ForTokenClassification", labelled(TAGS)),
    "question-answering": ("ForQuestionAnswering", {}),
    "fill-mask": ("ForMaskedLM", {}),
    "text-classification": (
        "ForSequenceClassification",
        labelled(["NEGATIVE", "NEUTRAL", "POSITIVE"], "single_label_classification"),
    ),
    "text-classification-multi": (
        "ForSequenceClassification",
        labelled(["anger", "fear", "joy", "love"], "multi_label_classification"),
    ),
    "regression": ("ForSequenceClassification", labelled(["LABEL_0"], "regression")),
    "pair": (
        "ForSequenceClassification",
        labelled(["contradiction", "neutral", "entailment"], "single_label_classification"),
    ),
    "feature-extraction": ("Model", {}),
}


def config_of(family: str, more: dict) -> transformers.PretrainedConfig:
    if family.startswith("distilbert"):
        return transformers.DistilBertConfig(
            vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, n_layers=2, n_heads=4, dim=32, hidden_dim=64,
            pad_token_id=0, **more,
        )  # fmt: skip
    return transformers.BertConfig(
        vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, num_hidden_layers=2, num_attention_heads=4,
        hidden_size=32, intermediate_size=64, type_vocab_size=2, pad_token_id=0, **more,
    )  # fmt: skip


def spread_of(name: str) -> float:
    if not name.endswith("weight"):
        return 0.1
    return next((spread for part, spread in SPREADS.items() if part in name), 0.15)


def randomize(module: torch.nn.Module, seed: int) -> None:
    """The same encoder for all heads of a family: what is drawn depends on the order of the names alone."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(module.named_parameters(), key=lambda entry: ("pooler" in entry[0], entry[0])):
        norm = "norm" in name.lower() and name.endswith("weight")
        drawn = torch.randn(parameter.shape, generator=generator)
        parameter.data = 1 + 0.15 * drawn if norm else spread_of(name) * drawn
        if "word_embeddings" in name:  # what stands at [CLS] and [MASK] is to come from the words around
            parameter.data[[CLS, MASK]] *= 0.4


def randomize_head(model: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    encoder = {id(parameter) for parameter in model.base_model.parameters()}
    for name, parameter in sorted(model.named_parameters()):
        if id(parameter) not in encoder:
            norm = "norm" in name.lower() and name.endswith("weight")
            drawn = torch.randn(parameter.shape, generator=generator)
            # The words of the masks are the embeddings' own: the norm before them is all that spreads their logits.
            parameter.data = 0.9 + 0.1 * drawn if norm else (0.25 if name.endswith("weight") else 0.1) * drawn


def spread_logits(model: torch.nn.Module, output: torch.nn.Linear, tokenizer, means: list[float]) -> None:
    """Turns the last layer to where its inputs differ most, so that each label's logits have the spread and the mean."""
    seen = []
    hook = output.register_forward_hook(lambda layer, inputs, _: seen.append(inputs[0].flatten(0, -2)))
    for text in golden_texts.SHORT + [golden_texts.long_text(seed, 6) for seed in range(40, 60)]:
        model(**tokenizer(text, return_tensors="pt", truncation=True))
    hook.remove()
    rows = torch.cat(seen)
    weight = output.weight @ torch.cov(rows.T)
    weight *= (SPREAD / (rows @ weight.T).std(0))[:, None]
    output.weight.data, output.bias.data = weight, torch.tensor(means) - (rows @ weight.T).mean(0)


def load(folder: Path, ending: str) -> torch.nn.Module:
    """In fp32, as the numbers are kept in fp16: half the size, and no rounding between the file and the answers."""
    family = "DistilBert" if "distilbert" in str(folder) else "Bert"
    kind = getattr(transformers, family + ending)
    return kind.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def write(family: str, task: str, seed: int, resources: Path) -> Path:
    ending, more = TASKS[task]
    folder = resources / family / task
    lowercase = FAMILIES[family]
    vocabulary = make_vocabulary(golden_texts.corpus(), VOCABULARY, lowercase=lowercase, letters=280)
    save_tokenizer(vocabulary, lowercase, POSITIONS, folder)
    (folder / "vocab.txt").unlink()  # tokenizer.json has it
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = config_of(family, more)
    kind = getattr(transformers, ("DistilBert" if family.startswith("distilbert") else "Bert") + ending)
    model = kind._from_config(config, attn_implementation="eager").eval()
    randomize(model.base_model, seed)
    randomize_head(model, seed + len(task))
    if task == "token-classification":
        spread_logits(model, model.classifier, tokenizer, [0.6, 0.0, 0.4, 0.0, 0.4])
    elif task == "question-answering":
        spread_logits(model, model.qa_outputs, tokenizer, [0.0, 0.0])
    elif task != "fill-mask" and ending != "Model":
        spread_logits(model, model.classifier, tokenizer, [0.0] * config.num_labels)
    model.half().save_pretrained(folder)
    return folder


class RoughLinear(torch.nn.Module):
    """A linear layer in 8 bits: one scale a row of the weights, one a row of the input."""

    def __init__(self, linear: torch.nn.Linear, steps: int):
        super().__init__()
        self.weight, self.bias, self.steps = rounded(linear.weight.data, steps), linear.bias, steps
        self.in_features, self.out_features = linear.in_features, linear.out_features

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(rounded(rows, self.steps), self.weight, self.bias)


def rounded(rows: torch.Tensor, steps: int) -> torch.Tensor:
    scale = rows.abs().amax(-1, keepdim=True).clamp(min=1e-12) / steps
    return (rows / scale).round() * scale


def rough(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The same model in 8 bits or less: an answer that all of them give, too, is one that does not hang by a hair."""
    return [rough_by(model, steps) for steps in ROUGHNESS]


def rough_by(model: torch.nn.Module, steps: int) -> torch.nn.Module:
    model = copy.deepcopy(model)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, torch.nn.Linear):
                setattr(module, name, RoughLinear(child, steps))
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            module.weight.data = rounded(module.weight.data, steps)
    return model


def plain(value):
    """As JSON: numbers of 7 significant digits, lists and dicts as they were."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    return float(f"{float(value):.7g}")


def alike(left, right, tolerance: float) -> bool:
    """Equal but for numbers that differ by no more than that, or that part of what is larger than 1."""
    if isinstance(left, float) and isinstance(right, float):
        return abs(left - right) <= tolerance * max(1, abs(left))
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(alike(left[key], right[key], tolerance) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(lambda pair: alike(*pair, tolerance), zip(left, right)))
    return left == right


def ranks_apart(answer) -> bool:
    """No two neighbours of a list in the order of its scores are within a twentieth: rounding may swap such."""
    if isinstance(answer, dict):
        return all(map(ranks_apart, answer.values()))
    if not isinstance(answer, list):
        return True
    scores = [one["score"] for one in answer if isinstance(one, dict) and "score" in one and "word" not in one]
    return all(map(ranks_apart, answer)) and not any(0 <= a - b < a / 20 for a, b in zip(scores, scores[1:]))


class Answers:
    """The lines of one file: each call with its answer, and whether 8 bits give the same one."""

    def __init__(self, build, model: torch.nn.Module):
        """build: what makes of a model that which takes the inputs and parameters of a call and gives the answer."""
        self.exact, self.rough, self.lines = build(model), [build(one) for one in rough(model)], []

    def add(self, inputs, sent: dict | None = None, **parameters) -> None:
        """sent: the parameters as a client of Gatun writes them, where transformers says it in another way."""
        answer = plain(self.exact(inputs, **parameters))
        call = {"inputs": inputs}
        written = parameters if sent is None else sent
        if written:
            call["parameters"] = written
        wider = {"top_k": parameters["top_k"] + 1} if parameters.get("top_k") else {}  # the first that is left out, too
        ranked = plain(self.exact(inputs, **parameters | wider)) if wider else answer
        holds = ranks_apart(ranked) and all(alike(answer, plain(one(inputs, **parameters)), 0.01) for one in self.rough)
        self.lines.append({"call": call, "answer": answer, "int8": holds})

    def write(self, file: Path) -> None:
        text = "".join(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n" for line in self.lines)
        file.write_text(text, encoding="ascii")
        steady = sum(line["int8"] for line in self.lines)
        print(f"{file.parent.parent.name}/{file.parent.name}/{file.name}: {len(self.lines)} lines, {steady} hold in int8")
