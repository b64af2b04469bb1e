"""The texts of the golden files: all written or generated here."""

import random

NAMES = ["Anna Smith", "Omar Haddad", "Zoë Núñez", "Li Wei", "Jean-Luc Moreau", "Mary-Ann O'Neill", "Yael", "José"]
PLACES = ["Berlin", "New York", "São Paulo", "the Hague", "Zürich", "Tel Aviv", "Rio de Janeiro", "Llanfairpwll"]
VERBS = ["flew to", "moved to", "never left", "wrote about", "came back from", "dreams of", "met nobody in"]
ENDS = ["last spring", "in 1987", "with two friends", "by train", "and liked it", "for the third time", "again"]

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "áàâäãåçéèêëíìîïñóòôöõøßúùûüýÿæœ",
    "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوية",
    "абвгдежзиклмнопрстуфхцчшщыьэюя",
    "中文電影北京很好",
    "😀🎉–—’“”€£…",
]

SHORT = [
    "Anna Smith flew to Berlin.",
    "I loved every minute of this film.",
    "The plot was dull and the acting worse.",
    "Mr. O'Neill-Brown (born 1950) doesn't live in St. John's, N.B.; he's in the U.S.A.!",
    "Zoë Núñez ate crème brûlée in São Paulo.",
    "Zoe\u0301 met Jose\u0301 in Mu\u0308nchen",
    "\U0001f600 Anna \U0001f389\U0001f389 met \U0001f468\u200d\U0001f469\u200d\U0001f467 Omar in \U0001f30d Paris \U0001f680!",
    "سافرت ليلى إلى القاهرة مع عمر في الصيف",
    "יעל גרה בתל אביב, וגם עמר",
    "  Li   Wei    came \t back  ",
    "Omar Haddad\nHotel Adlon\r\nBerlin",
    "李伟住在北京 and works in 東京",
    "Internationalization of Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch begins",
    "Anna",
    "?!",
    "Jean-Luc Moreau, Mary-Ann O'Neill and Yael met in New York, Rio de Janeiro and the Hague.",
    "Анна поехала в Москву; she wrote to Omar.",
    "1999 was 42% better than the 2nd place: $20, €30 & £5.",
    "Why would anyone say that? Really, why?",
    "It's the best phone; don't buy another…",
]

CONTEXTS = [
    "Anna Smith was born in Berlin in 1987. She moved to New York with two friends, and came back by train.",
    "Omar's café in São Paulo sells crème brûlée for €30; Zoë Núñez eats there on Sundays \U0001f389\U0001f389 and pays with 😀.",
    "Li Wei lives in Beijing (北京). He doesn't like St. John's, but he's been to the U.S.A. three times!",
    "ولدت ليلى في القاهرة وسافرت مع عمر إلى لندن في الصيف.",
    "The Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch station\nopened  in 1848,\tclosed in 1966 and reopened in 1973.",
]

QUESTIONS = [
    "Where was Anna Smith born?",
    "Who moved to New York?",
    "When did it open?",
    "What does Zoë eat on Sundays?",
    "How many friends came \U0001f600?",
    "Why?",
]

LABEL_SETS = [
    ["travel", "food", "politics"],
    "good news, bad news ,sport",
    ["urgent"],
    ["Berlin", "New York", "a film", "a train, or a plane", "crème brûlée", "\U0001f389"],
    "travel",
]

MASKED = [
    "Anna Smith flew to [MASK].",
    "[MASK] loved every minute of this film.",
    "The plot was [MASK] and the acting worse.",
    "[MASK] and [MASK] met in New York.",
    "Zoë [MASK] ate crème brûlée in São [MASK], didn't [MASK]?",
    "\U0001f600 [MASK] \U0001f389 it's the best phone",
    "  Li   Wei    came [MASK]  back  ",
    "[MASK]",
    "יעל גרה [MASK] אביב",
    "Omar's [MASK]-house (born [MASK]) isn't here",
]


def long_text(seed: int, sentences: int) -> str:
    """Sentences of people and places; no two texts of other seeds are the same."""
    rng = random.Random(seed)
    parts = []
    for _ in range(sentences):
        parts.append(f"{rng.choice(NAMES)} {rng.choice(VERBS)} {rng.choice(PLACES)} {rng.choice(ENDS)}.")
        if rng.random() < 0.15:
            parts.append(rng.choice(["\U0001f600", "\n", "北京!", "ليلى", "“Really?”"]))
    return " ".join(parts)


def corpus() -> list[str]:
    """What the vocabularies are made of: the texts, and every alphabet often enough to be in them."""
    spelt = [" ".join(alphabet) for alphabet in ALPHABETS] * 40
    texts = SHORT + CONTEXTS + QUESTIONS + [text.replace("[MASK]", "") for text in MASKED]
    return spelt + texts * 6 + [long_text(seed, 40) for seed in range(3)]
