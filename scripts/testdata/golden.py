"""The golden files of every task: small checkpoints, and what transformers' pipelines answer with them.

Each line of a golden.jsonl: {"call": as a client posts it, "answer": as the pipeline returned it, "int8": whether a
model in 8 bits gives the same labels and spans, and scores within 1e-2}.
"""

from pathlib import Path

import torch
import transformers

from testdata import golden_models, golden_texts
from testdata.golden_models import Answers

LONG = [golden_texts.long_text(seed, sentences) for seed, sentences in [(1, 18), (2, 25), (3, 60)]]
FIT = dict(truncation=True)


def pipelines(name: str, folder: Path, ending: str) -> Answers:
    model = golden_models.load(folder, ending)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def build(model):
        return transformers.pipeline(name, model=model, tokenizer=tokenizer, device="cpu")

    return Answers(build, model)


def token_classification(folder: Path) -> None:
    answers = pipelines("token-classification", folder, "ForTokenClassification")
    strategies = ["none", "simple", "first", "average", "max"]
    ignored = [None, [], ["B-PER"], ["O", "LOC"]]
    for number, text in enumerate(golden_texts.SHORT):
        for strategy in strategies[number % 2 :: 2] + (["average"] if number % 2 == 0 else ["simple"]):
            ignore = ignored[(number + len(strategy)) % len(ignored)]
            answers.add(text, aggregation_strategy=strategy, **({} if ignore is None else {"ignore_labels": ignore}))
    answers.add(golden_texts.SHORT[0])
    answers.add(golden_texts.SHORT[3], ignore_labels=[])
    answers.add(golden_texts.SHORT[:4], aggregation_strategy="first")
    answers.add(golden_texts.SHORT[6:8])
    for stride in [0, 8, 32]:
        for strategy in strategies[1:]:
            answers.add(LONG[(stride + len(strategy)) % 3], aggregation_strategy=strategy, stride=stride)
    answers.add(LONG[1], aggregation_strategy="simple", stride=1, ignore_labels=[])
    answers.add(golden_texts.SHORT[15], aggregation_strategy="max", stride=16)
    for strategy in strategies[:4]:
        answers.add(
            LONG[0],
            sent={"aggregation_strategy": strategy, "truncate": True},
            aggregation_strategy=strategy,
        )
    answers.write(folder / "golden.jsonl")


def fill_mask(folder: Path) -> None:
    answers = pipelines("fill-mask", folder, "ForMaskedLM")
    for number, text in enumerate(golden_texts.MASKED):
        answers.add(text)
        answers.add(text, top_k=[1, 2, 10][number % 3])
        targets = [["film", "train", "spring"], ["phone", "xylophonist"], "friends", ["Anna", "Berlin", "anna"]]
        answers.add(text, targets=targets[number % 4])
        answers.add(text, targets=targets[(number + 1) % 4], top_k=2)
    answers.add(golden_texts.MASKED[:3])
    answers.add(golden_texts.MASKED[3:5], top_k=3)
    answers.add([golden_texts.MASKED[0]])
    answers.add(" ".join(["[MASK]"] * 20), top_k=1)
    answers.write(folder / "golden.jsonl")


def text_classification(folder: Path) -> None:
    """Of single label, multi label and regression alike."""
    answers = pipelines("text-classification", folder, "ForSequenceClassification")
    for number, text in enumerate(golden_texts.SHORT):
        answers.add(text)
        answers.add(text, top_k=[None, 1, 2][number % 3])
    for number, text in enumerate(golden_texts.CONTEXTS):
        for function in ["softmax", "sigmoid", "none"]:
            answers.add(text, function_to_apply=function, top_k=None)
        answers.add(text, function_to_apply=["softmax", "sigmoid", "none"][number % 3])
        answers.add({"text": golden_texts.QUESTIONS[number], "text_pair": text})
        answers.add({"text": golden_texts.QUESTIONS[number], "text_pair": text}, top_k=None)
    answers.add(golden_texts.SHORT[:5])
    answers.add(golden_texts.SHORT[:5], top_k=2)
    pairs = [{"text": a, "text_pair": b} for a, b in zip(golden_texts.QUESTIONS, golden_texts.CONTEXTS)]
    answers.add(pairs, top_k=None)
    answers.add(pairs)
    answers.add(LONG[0], sent={"truncate": True}, **FIT)
    answers.add(LONG[1], sent={"truncate": True, "top_k": None}, top_k=None, **FIT)
    answers.add("", top_k=None)
    answers.write(folder / "golden.jsonl")


def zero_shot(folder: Path) -> None:
    answers = pipelines("zero-shot-classification", folder, "ForSequenceClassification")
    for number, text in enumerate(golden_texts.SHORT[:15] + LONG[:1]):
        labels = golden_texts.LABEL_SETS[number % len(golden_texts.LABEL_SETS)]
        answers.add(text, candidate_labels=labels)
        answers.add(text, candidate_labels=labels, multi_label=True)
        answers.add(text, candidate_labels=labels, hypothesis_template="It is about {}, isn't it?")
    answers.add(golden_texts.SHORT[:4], candidate_labels=golden_texts.LABEL_SETS[0])
    answers.add(golden_texts.SHORT[4:7], candidate_labels=golden_texts.LABEL_SETS[1], multi_label=True)
    answers.add(golden_texts.SHORT[0], candidate_labels=[f"topic {i}" for i in range(40)])
    answers.write(folder / "zero-shot.jsonl")


def pooled(states: torch.Tensor, pooling: str) -> torch.Tensor:
    return {"mean": states.mean(0), "cls": states[0], "last": states[-1], "max": states.max(0).values}[pooling]


def feature_extraction(folder: Path) -> None:
    """Vectors of all tokens, [CLS] and [SEP] too, pooled as sentence-transformers does; one vector a text."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = golden_models.load(folder, "Model")

    def of(model):
        def vector(inputs: str, pooling: str, normalize: bool) -> list[float]:
            pool = pooled(model(**tokenizer(inputs, return_tensors="pt")).last_hidden_state[0], pooling)
            return (torch.nn.functional.normalize(pool, dim=0) if normalize else pool).tolist()

        return vector

    answers = Answers(of, model)
    for number, text in enumerate(golden_texts.SHORT):
        for pooling in ["mean", "cls", "last", "max"]:
            answers.add(text, pooling=pooling, normalize=number % 2 == 0)
    for line in answers.lines:
        line["call"] |= line["call"].pop("parameters")
    answers.write(folder / "golden.jsonl")

    states = pipelines("feature-extraction", folder, "Model")
    for text in golden_texts.SHORT[:2] + golden_texts.SHORT[6:7]:
        states.add(text)
    states.write(folder / "states.jsonl")


def documents(folder: Path) -> None:
    """Each window's logits; spans from the first to the last of a window's tokens, in code points."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = golden_models.load(folder, "ForSequenceClassification")

    def of(model):
        def windows(text: str, stride: int, max_length: int) -> dict:
            encoded = tokenizer(
                text, truncation=True, max_length=max_length, stride=stride,
                return_overflowing_tokens=True, return_offsets_mapping=True,
            )  # fmt: skip
            logits = [model(input_ids=torch.tensor([ids])).logits[0].tolist() for ids in encoded["input_ids"]]
            spans = [[offsets[1][0], offsets[-2][1]] for offsets in encoded["offset_mapping"]]
            return {"windows": logits, "spans": spans}

        return windows

    answers = Answers(of, model)
    for text in LONG + [golden_texts.long_text(9, 30)]:
        for stride, length in [(0, 128), (16, 128), (64, 128), (10, 48), (0, 16), (2, 5)]:
            if length > 16 or text is LONG[0]:
                answers.add(text, stride=stride, max_length=length)
    answers.add(golden_texts.SHORT[0], stride=16, max_length=128)
    answers.write(folder / "documents.jsonl")


def write_all(resources: Path) -> None:
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for seed, family in enumerate(golden_models.FAMILIES, start=101):
        folders = {task: golden_models.write(family, task, seed, resources) for task in golden_models.TASKS}
        token_classification(folders["token-classification"])
        fill_mask(folders["fill-mask"])
        for task in ["text-classification", "text-classification-multi", "regression", "pair"]:
            text_classification(folders[task])
        zero_shot(folders["pair"])
        documents(folders["text-classification"])
        feature_extraction(folders["feature-extraction"])
