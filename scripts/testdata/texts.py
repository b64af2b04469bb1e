"""The texts on which tokenizers are compared: all generated here, none downloaded."""

import random
import unicodedata

SCRIPTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Ünïcödé façade naïve coöperate Ångström Þórr æther œuvre łódź đồng ħ ŋ ǆ Ǆ ŀ ŉ",
    "e\u0301 u\u0308 n\u0303 a\u030a c\u0327 o\u0302\u0301 x\u0301\u0302\u0303y \u0301alone s\u0323\u0307 q\u0307",
    "İstanbul ıssız DİYARBAKIR I\u0307 i\u0307 ILIK ılık",
    "Straße STRASSE STRAẞE groß GROẞ ﬁne ﬂow oﬃce ﬆop ﬅ ĳ Ĳ ǉ",
    "Ⅷ ⅷ Ⅻ ⅻ Ⅿ ↀ ½ ¾ ² ³ ¹ ₂ ① ⑳ ⓐ Ⓩ ㉑ ㍿ ℡ ™ ℠ № ℃ Å Ω K",
    "Ο γρήγορος σκύλος ΟΔΥΣΣΕΥΣ ὀξύς ᾳ ᾼ ᾧ ΐ ΰ ς Σ ϐ ϑ",
    "Съешь ещё этих мягких французских булок, да выпей чаю. Йод ёж Ї ї Ў ў ѣ ҂",
    "שלום עולם שָׁלוֹם בְּרֵאשִׁית װ ײַ יִ",
    "السلام عليكم ٱلْحَمْدُ لِلَّهِ رَبِّ ٱلْعَٰلَمِينَ ﷺ ﻻ ـــ ٠١٢٣ ۴۵۶ گچپژ آ أ إ ؤ ئ",
    "ܫܠܡܐ ܥܠܡܐ ޑިވެހި ߒߞߏ ࠔࠌࠓࠉ",
    "नमस्ते दुनिया कि क्ष ज्ञ श्री हिन्दी में क़ ख़ १२३ ।",
    "বাংলা ভাষা ক্ষুধা ড় য় কো কৌ ১২৩",
    "ਪੰਜਾਬੀ ગુજરાતી ଓଡ଼ିଆ",
    "தமிழ் மொழி கொ கோ ௐ ௧௨",
    "తెలుగు ಕನ್ನಡ ಕೋ മലയാളം ൊ සිංහල ශ්‍රී",
    "ภาษาไทยไม่มีเว้นวรรค กำ น้ำ ๑๒๓",
    "ພາສາລາວ ນ້ຳ ໑໒",
    "བོད་སྐད། ཀྵ གྷ ༼༽ ༡༢",
    "ភាសាខ្មែរ ស្រី ១២៣ ៗ",
    "မြန်မာဘာသာ ဦး ၁၂၃",
    "ქართული ენა ᲥᲐᲠᲗᲣᲚᲘ Ⴀ ⴀ",
    "Հայերեն լեզու և ﬓ ՝",
    "አማርኛ ቋንቋ ፩፪ ።",
    "한국어 문장입니다. 각 힣 뷁",
    "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 \u1100 \u1161 \u11a8 ㄱㅏ ㅎ \uffa1 \uffc2",
    "ひらがな カタカナ がぎぐ か\u3099 は\u309a ﾊﾝｶｸ ｶﾞ ﾊﾟ ー ゝゞ ヿ 。、「」",
    "這部電影很好看 中文English混合123 日本語 〇 々 〆 㐀 䶵 豈 樂 \ufa0c",
    "\U00020000\U00020b9f\U0002a6d6 \U0002f800\U0002f81a \U0002a700 x\U00020000y",
    "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ꭰ ꮳ ᏸ",
    "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ᠌ ᠎ᠠ",
    "𐌲𐌿𐍄𐌹𐍃𐌺 𐐀𐐨 𐒰𐓘 𞤀𞤢 𒀀𒁀 𓀀𓂀 𐤀𐤁 𝄞𝅘𝅥",
    "𝓕𝓪𝓷𝓬𝔂 𝔘𝔫𝔦 𝐁𝐨𝐥𝐝 𝑖𝑡 𝟘𝟙𝟚 𝚖𝚘𝚗𝚘 ＦＵＬＬｗｉｄｔｈ １２３ ！？",
    "Tiếng Việt: Phở bò tái nạm gầu ngon quá! Ế Ệ ữ",
    "ᚠᚢᚦᚨᚱᚲ ᚛ᚑᚌᚐᚋ᚜ ⠓⠑⠇⠇⠕ ⰀⰁⰂ ⰰ ⲁ Ⲁ ꙁ Ꙁ",
    "ꦧꦱꦗꦮ ᮘᮞ ᨅᨔ ꧁꧂ ᬅᬓ᭄ᬱᬭ ᜊ ꤊ ꨀ ꠅ ᥐ ᦀ ᱚ ᰀ ꓐ ꀀ ꆈ",
]

EMOJI = [
    "👍 👍🏽 👍🏿 ok",
    "👨‍👩‍👧‍👦 family 👩🏾‍💻 codes",
    "🇮🇹🇫🇷 flags 🏴󠁧󠁢󠁳󠁣󠁴󠁿 🏳️‍🌈",
    "1️⃣ 2️⃣ #️⃣ *️⃣",
    "I ❤️ it ❤ ☺️ ☺ ☹︎",
    "😀😃😄great😁",
    "❤️‍🔥 🫠 🥹 🧑‍🚀",
    "(╯°□°）╯︵ ┻━┻ ¯\\_(ツ)_/¯",
    ":-) ;-P <3 ^_^ T_T",
    "⌚️⏰☀️☁️☔️ ♠♥♦♣ ✅❌ ➡️",
]

PLAIN = [
    "",
    " ",
    "   ",
    "\t",
    "\n",
    "\r\n",
    " \t\r\n ",
    "\u00a0",
    "\u3000",
    "\u200b",
    "\u0000",
    "\ufeff",
    "\u0301",
    "a",
    "?",
    "\u00e9",
    "[CLS] a [MASK] b [SEP]",
    "[UNK]",
    "[PAD]",
    "[cls]",
    "[CLS]",
    "[MASK][MASK]",
    "a[SEP]b",
    "[ CLS ]",
    "[[MASK]]",
    "[Mask]",
    "[PAD] [PAD]x[UNK]y",
    "\u0301[MASK]",
    "[MASK]\u0301",
    "[unused1] ##ing ## #",
    "\u200b[SEP]\u200b",
    "[SEP",
    "CLS]",
    "[\u200bSEP]",
    "  leading and trailing  ",
    "don't can't it's o'clock rock'n'roll 'tis",
    "I’m “quoted” ‘too’ — dash – hyphen‐ non‑breaking",
    "!!!???...---___",
    "?!?!?!",
    "a.b,c;d:e!f?g",
    "((([[[{{{<<<>>>}}}]]])))",
    "$$$ ^^^ ```~~~ +++ === |||",
    "\\ / // \\\\ /* */",
    "¡Hola! ¿Qué? «guillemets» ‹x› „low‟ …",
    "。、！？；：「」『』（）【】《》〜・",
    "؟ ، ؛ ۔ ٪ ፡ ፤ ། ॥ ๏ ៖ ᠂ ‽ ⁂ ※ § ¶ † ‡ • ‰",
    "€7 £8 ¥9 ₹10 ¢ ₿ ¤ ± × ÷ ≠ ≤ ∞ ∑ √ ∫ ← → ⇒ ⌘ ■ ◆ ♪ ★ ©®",
    "´ ` ¨ ¸ ^ ˆ ˜ ˇ ˉ ˙ ʼ ʹ ˈ",
    "1,234.56 $5.00 50% 3/4 10^6 1e-9 0x1F 007 +1-800-555-0199",
    "2024-01-31T23:59:59Z 12:30 1st 2nd 3rd 4th 90s",
    "12345678901234567890 3.14159265358979 1_000_000 ١٢٣٤ १२३४ １２３",
    "http://example.org/a?b=c&d=e#f",
    "https://例え.テスト/パス?ü=ß",
    "user@example.org @handle #hashtag ftp://[::1]:21/ mailto:a+b@c.d",
    "C:\\Users\\x\\file.txt ../../etc/passwd ~/.bashrc",
    "for (int i = 0; i < n; ++i) { a[i] += b[i] * c->d; } // done",
    'def f(x: int) -> str:\n    return f"{x!r}"\n',
    "SELECT * FROM t WHERE a='b' AND c<>1; --",
    '<html><body class="x">&nbsp;&amp;</body></html>',
    '{"k": [1, 2.5, null, true]}',
    "camelCase snake_case SCREAMING_CASE kebab-case PascalCase iOS McDonald",
    "ALL CAPS SHOUTING",
    "mIxEd CaSe",
    "\u202eright to left\u202c \u2066x\u2069",
    "a\u0000b",
    "\u0000\u0000",
    "a\ufffdb",
    "\ufffd",
    "soft\u00adhyphen",
    "zero\u200bwidth\u200cnon\u200djoin\u2060er\ufeffbom",
    "line1\r\nline2\u2028line3\u2029end\u0085next\u000bvt\u000cff",
    "\ue000private\uf8ff\U000f0000\U0010fffd",
    "\ufffe\uffff\ufdd0\U0001fffe\U0010ffff",
    "x\ufe0fy\U000e0100z \u034f \u061c \u180e \u2061 \U000e0001",
    "Zalgo: h\u0321\u033bo\u0310\u0352\u0308\u0323w\u0334\u0321\u0359 ok",
]

WORDS = (
    """the a of in and to is was not film movie plot acting dull loved hated great terrible service phone battery screen
London Berlin Rome Anna Smith Johnson company Acme president said today yesterday really very never always again why
someone unbelievable counterproductive internationalization antidisestablishmentarianism pneumonoultramicroscopic
tokenization embedding transformer café résumé naïve Zürich München São Paulo señor piñata jalapeño smörgåsbord
running runner ran unhappiness rethinking preprocessing 3 42 1999 2nd $20 50% don't it's we'll I'm they've""".split()
)

WHITE_SPACE = [
    0x09,
    0x0A,
    0x0B,
    0x0C,
    0x0D,
    0x20,
    0x85,
    0xA0,
    0x1680,
    0x180E,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
]

# Planes beyond the first whose code points were assigned long ago, cased scripts included.
ASTRAL = [
    (0x10000, 0x1000B),
    (0x10300, 0x10323),
    (0x10400, 0x1044F),
    (0x104B0, 0x104D3),
    (0x104D8, 0x104FB),
    (0x10800, 0x10805),
    (0x11003, 0x11037),
    (0x12000, 0x12399),
    (0x13000, 0x1342E),
    (0x1D100, 0x1D126),
    (0x1D15E, 0x1D164),
    (0x1D400, 0x1D454),
    (0x1D538, 0x1D539),
    (0x1D7CE, 0x1D7FF),
    (0x1E900, 0x1E943),
    (0x1F030, 0x1F093),
    (0x1F130, 0x1F169),
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6C5),
    (0x20000, 0x2A6D6),
    (0x2F800, 0x2FA1D),
    (0xE0020, 0xE007F),
    (0xE0100, 0xE01EF),
    (0xF0000, 0xFFFFD),
]


def sample(texts: list[str], count: int) -> list[str]:
    """An even choice that keeps the order."""
    return [texts[i * len(texts) // count] for i in range(count)]


def control_texts() -> list[str]:
    points = [
        *range(0x20),
        *range(0x7F, 0xA0),
        0xAD,
        *range(0x200B, 0x2010),
        0x2028,
        0x2029,
        0xFEFF,
        0xFFFD,
        0xFFFE,
        0xFFFF,
    ]
    texts = [f"left{chr(p)}right {chr(p)} Mid{chr(p)}" for p in points]
    texts += [f"one{chr(p)}two{chr(p)}{chr(p)}three" for p in WHITE_SPACE]
    return texts


def long_words(rng: random.Random) -> list[str]:
    texts = []
    for length in (99, 100, 101, 150, 1000):
        texts += [
            "a" * length,
            "b" * length + " ok",
            "ok " + "".join(rng.choice("abcdefgh") for _ in range(length)) + ".",
        ]
        # One code point a letter, but two (or three) after canonical decomposition.
        texts += ["é" * length, "ế" * length + " x", "각" * length, "中" * length, "ж" * length]
        texts += [
            "e\u0301" * (length // 2) + "e" * (length % 2),
            "x" + "\u0301" * (length - 1),
            "\u200b".join("a" * length),
        ]
        texts += ["İ" * length, "ﬁ" * length, "😀" * length, "9" * length]
    texts += ["é" * 50, "é" * 51, "ế" * 33, "ế" * 34, "각" * 33, "각" * 34, "å" * 100 + "!" + "å" * 100]
    return texts


def prose(rng: random.Random, words: int) -> str:
    parts = []
    for _ in range(words):
        word = rng.choice(WORDS)
        parts.append(word.capitalize() if rng.random() < 0.1 else word)
        if rng.random() < 0.15:
            parts[-1] += rng.choice([".", ",", "!", "?", ";", ":", "...", " -", "\n", " (", ")", '"', "'s"])
    return " ".join(parts)


def assigned(rng: random.Random) -> str:
    """A code point that Unicode 3.2 already had, so that no library is too old to know it; half of them astral."""
    if rng.random() < 0.4:
        low, high = rng.choice(ASTRAL)
        return chr(rng.randint(low, high))
    while True:
        letter = chr(rng.randint(0, 0xFFFF))
        if unicodedata.ucd_3_2_0.category(letter) not in ("Cn", "Cs"):
            return letter


def random_strings(rng: random.Random, count: int) -> list[str]:
    texts = []
    for _ in range(count):
        pieces = []
        for _ in range(rng.randint(1, 14)):
            kind = rng.random()
            if kind < 0.5:
                pieces.append(assigned(rng))
            elif kind < 0.7:
                pieces.append(rng.choice(WORDS))
            elif kind < 0.8:
                pieces.append(chr(rng.randint(0x300, 0x36F)))
            elif kind < 0.9:
                pieces.append(chr(rng.choice(WHITE_SPACE)))
            else:
                pieces.append(chr(rng.randint(0xA0, 0x24F)))
        texts.append("".join(pieces))
    return texts


def all_texts(english: list[str]) -> list[str]:
    """The texts, in a fixed order; english are sentences to mix with the generated ones."""
    rng = random.Random(20250)
    texts = SCRIPTS + EMOJI + PLAIN + control_texts() + long_words(rng)
    for script in SCRIPTS[1:]:
        texts += [unicodedata.normalize("NFD", script), script.upper(), script.replace(" ", "")]
    texts += [" ".join(rng.sample(SCRIPTS, 2)) for _ in range(20)]
    texts += [prose(rng, rng.randint(3, 30)) for _ in range(120)]
    texts += [prose(rng, 450), prose(rng, 700), "word " * 600, "x." * 400, "中文é " * 180, "\u200b " * 600 + "end"]
    texts += random_strings(rng, 260)
    short = [text for text in english if len(text) < 300]
    texts += [rng.choice(short) + rng.choice([" ", "", "\n"]) + rng.choice(SCRIPTS + EMOJI) for _ in range(40)]
    unique = list(dict.fromkeys(texts))
    assert not any(0xD800 <= ord(letter) <= 0xDFFF for text in unique for letter in text)
    return unique
