"""Golden files of the tokenizers: ids, offsets in code points, pairs and decoded texts."""

import json
import random
from collections import Counter
from pathlib import Path

from tokenizers import BertWordPieceTokenizer, Tokenizer
from transformers import BertTokenizer


def write_lines(file: Path, rows: list[dict]) -> None:
    """One JSON object a line, in ASCII: no reader can take U+2028 or U+0085 for the end of a line."""
    lines = [json.dumps(row, ensure_ascii=True, separators=(",", ":")) + "\n" for row in rows]
    file.write_text("".join(lines), encoding="ascii")


def untruncated(tokenizer_json: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(tokenizer_json))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encoded(tokenizer: Tokenizer, text: str) -> dict:
    encoding = tokenizer.encode(text)
    return {"text": text, "ids": encoding.ids, "offsets": encoding.offsets}


def write_golden(tokenizer_json: Path, texts: list[str], folder: Path) -> None:
    tokenizer = untruncated(tokenizer_json)
    assert len(texts) >= 700
    write_lines(folder / "golden-tokens.jsonl", [encoded(tokenizer, text) for text in texts])

    rng = random.Random(11)
    brief = [text for text in texts if len(text) < 200]
    pairs = [("", ""), ("a", ""), ("", "b"), ("[SEP]", "[CLS]"), ("word " * 300, "other " * 300), (" ", "\u200b")]
    pairs += [(rng.choice(brief), rng.choice(brief)) for _ in range(40 - len(pairs))]
    rows = []
    for first, second in pairs:
        encoding = tokenizer.encode(first, second)
        rows.append(
            {
                "first": first,
                "second": second,
                "ids": encoding.ids,
                "type_ids": encoding.type_ids,
                "offsets": encoding.offsets,
            }
        )
    write_lines(folder / "golden-pairs.jsonl", rows)

    size = tokenizer.get_vocab_size()
    contractions = "don't, it's we've! I'm can't? they're . . . \" x \" ' y ' a-b (c) do not 3.5 n't 'd"
    id_lists = [[], [101], [101, 102], [0, 0, 100, 103], tokenizer.encode(contractions).ids]
    id_lists += [tokenizer.encode(rng.choice(brief)).ids for _ in range(30)]
    id_lists += [[rng.randrange(size) for _ in range(rng.randint(1, 30))] for _ in range(15)]
    word_parts = [id for token, id in sorted(tokenizer.get_vocab().items()) if token.startswith("##")]
    id_lists += [
        [rng.choice(word_parts) for _ in range(3)] + tokenizer.encode("after", add_special_tokens=False).ids
        for _ in range(5)
    ]
    punctuation = tokenizer.encode(". ? ! , ' \" - ( ) n't 's 've 're 'm do", add_special_tokens=False).ids
    id_lists += [[rng.choice(punctuation) for _ in range(12)] for _ in range(60 - len(id_lists))]
    write_lines(
        folder / "golden-decode.jsonl",
        [
            {
                "ids": ids,
                "text": tokenizer.decode(ids, skip_special_tokens=False),
                "text_without_special": tokenizer.decode(ids, skip_special_tokens=True),
            }
            for ids in id_lists
        ],
    )


def make_vocabulary(texts: list[str], size: int, lowercase: bool, letters: int) -> dict[str, int]:
    """Special tokens, letters, then the words, beginnings and endings that save the most pieces.

    Not BertWordPieceTokenizer.train: its numbering of pieces changes from run to run.
    """
    splitter = BertWordPieceTokenizer(lowercase=lowercase)
    words, characters = Counter(), Counter({chr(point): 1 for point in range(0x21, 0x7F)})
    for text in texts:
        for word, _ in splitter.pre_tokenizer.pre_tokenize_str(splitter.normalizer.normalize_str(text)):
            if len(word) <= 30:  # longer ones are letters repeated: they teach nothing
                words[word] += 1
                characters.update(word)
    pieces = Counter()
    for word, count in words.items():
        pieces[word] += count * len(word)
        for cut in range(2, min(len(word) - 1, 12)):
            pieces[word[:cut]] += count * (cut - 1)
            pieces["##" + word[-cut:]] += count * (cut - 1)

    def best(counted: Counter, count: int) -> list[str]:
        return sorted(counted, key=lambda piece: (-counted[piece], piece))[:count]

    alphabet = sorted(letter for letter in best(characters, letters) if not (lowercase and letter.isupper()))
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *alphabet]
    known += ["##" + letter for letter in alphabet if letter.isalnum()]
    known += best(Counter({piece: n for piece, n in pieces.items() if piece not in set(known)}), size - len(known))
    return {piece: id for id, piece in enumerate(known)}


def save_tokenizer(vocabulary: dict[str, int], lowercase: bool, max_length: int, folder: Path) -> Tokenizer:
    """The files that transformers writes, and vocab.txt, which its current versions leave out."""
    folder.mkdir(parents=True, exist_ok=True)
    BertTokenizer(vocab=vocabulary, do_lower_case=lowercase, model_max_length=max_length).save_pretrained(folder)
    names = sorted(vocabulary, key=vocabulary.get)
    assert [vocabulary[name] for name in names] == list(range(len(names)))
    (folder / "vocab.txt").write_text("".join(name + "\n" for name in names), encoding="utf-8")
    return untruncated(folder / "tokenizer.json")


def write_cased(corpus: list[str], texts: list[str], folder: Path) -> None:
    vocabulary = make_vocabulary(corpus, 3000, lowercase=False, letters=600)
    tokenizer = save_tokenizer(vocabulary, False, 512, folder / "cased")
    write_lines(folder / "golden-tokens-cased.jsonl", [encoded(tokenizer, text) for text in texts])
