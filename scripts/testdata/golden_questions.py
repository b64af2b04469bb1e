"""The golden files of question answering, by the last transformers that has its pipeline (4.57).

Run by scripts/make-test-data with a Python of its own, after the folders are there: RESOURCES/golden is the argument.
"""

import sys
import warnings
from pathlib import Path

import torch
import transformers

from testdata import golden_models, golden_texts
from testdata.golden_models import Answers


def pipeline(model, tokenizer):
    """Answers as the calls are written: one question with its context, or a list of them."""
    pipe = transformers.QuestionAnsweringPipeline(model=model, tokenizer=tokenizer, device="cpu")

    def answer(inputs, **parameters):
        return pipe(**inputs, **parameters) if isinstance(inputs, dict) else pipe(inputs, **parameters)

    return answer


def lowest_score(answer) -> float:
    if isinstance(answer, list):
        return min(map(lowest_score, answer))
    return answer["score"]


def gaps(answer) -> float:
    """How far apart two neighbours in the list are: equal scores have no order."""
    scores = [one["score"] for one in answer] if isinstance(answer, list) and answer else []
    return min((left - right for left, right in zip(scores, scores[1:])), default=1.0)


def question_answering(folder: Path) -> None:
    model = golden_models.load(folder, "ForQuestionAnswering")
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    answers = Answers(lambda one: pipeline(one, tokenizer), model)
    if "distilbert" in str(folder):
        tokenizer.model_input_names = ["input_ids", "attention_mask"]

    def ask(question: str, context: str, **parameters) -> None:
        answers.add({"question": question, "context": context}, **parameters)
        answer = answers.lines[-1]["answer"]
        # Not enough spans for top_k: the pipeline fills up with spans of score 0 that end before they start.
        if lowest_score(answer) == 0 or gaps(answer) < 1e-7:
            answers.lines.pop()

    long = [golden_texts.long_text(seed, sentences) for seed, sentences in [(21, 14), (22, 30), (23, 70)]]
    for number, context in enumerate(golden_texts.CONTEXTS):
        for turn in range(2):
            question = golden_texts.QUESTIONS[(number + turn) % len(golden_texts.QUESTIONS)]
            ask(question, context)
            ask(question, context, top_k=5)
            ask(question, context, align_to_words=False)
            ask(question, context, handle_impossible_answer=True, top_k=3)
        question = golden_texts.QUESTIONS[number]
        ask(question, context, max_answer_len=1, top_k=3)
        ask(question, context, max_answer_len=4, align_to_words=False, top_k=2)
        ask(question, context, handle_impossible_answer=True)
        ask(question, context, max_seq_len=40, doc_stride=10)
    for number, context in enumerate(long):
        question = golden_texts.QUESTIONS[number + 1]
        ask(question, context)
        ask(question, context, top_k=5)
        ask(question, context, doc_stride=16, top_k=3)
        ask(question, context, max_seq_len=64, doc_stride=24)
        ask(question, context, max_seq_len=100, doc_stride=0, top_k=3)
        ask(question, context, handle_impossible_answer=True, top_k=2)
        ask(question, context, max_answer_len=3, align_to_words=False)
    ask(" ".join(golden_texts.QUESTIONS) + " " + golden_texts.SHORT[15], long[0], doc_stride=32)
    ask(" ".join(golden_texts.QUESTIONS * 2), long[0], doc_stride=8, top_k=2)
    batch = [{"question": question, "context": golden_texts.CONTEXTS[0]} for question in golden_texts.QUESTIONS]
    answers.add(batch)
    answers.add(batch[:3], top_k=2)
    answers.add({"question": golden_texts.QUESTIONS[:4], "context": golden_texts.CONTEXTS[1]})
    answers.write(folder / "golden.jsonl")


def main() -> None:
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for family in golden_models.FAMILIES:
        question_answering(Path(sys.argv[1]) / family / "question-answering")


if __name__ == "__main__":
    main()
