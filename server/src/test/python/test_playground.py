"""The page at /, by what a person sees of it in Chromium, reads aloud, and does with a keyboard."""

import io
import json
import os
import subprocess
from importlib.resources import files

import pytest
from PIL import Image

from browser import SHIFT, Browser
from running import RESOURCES, gatun

EMOJI = "👩‍👩‍👧 Barack Obama 💌 met Angela Merkel in Paris 🤡🤡 and only an idiot 🤡 would mind."
ARABIC = (
    "قال باراك أوباما 💌 إن الطقس في Paris جميل اليوم، وإن Angela Merkel ستصل غدا.\n"
    "هذا يوم جميل من أيام الربيع، والناس في London و Berlin سعداء جدا بما حدث.\n"
)
QUOTES = "It's \"good\", isn't it?\n\t$HOME `id` $(id) \\n \\' !! 'quoted' %s 💌 \u2028 \\\\ & < > # ; end"
SETTLED = "document.querySelector('main').ariaBusy === 'false'"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture
def visit(browser):
    """Opens a server's page in a tab, which is closed when the test ends, and must have complained of nothing."""
    pages = []

    def open_page(server, **options):
        pages.append(browser.page(f"{server.url}/", **options))
        return pages[-1]

    yield open_page
    for page in pages:
        assert page.complaints() == []
        page.close()


@pytest.fixture
def page(visit, server):
    page = visit(server)
    page.wait("document.querySelectorAll('#heads .head').length")
    return page


def write(page, text):
    """Writes into the page's text, and waits for what the server says of it."""
    page.run("$('times').replaceChildren()")
    page.write("#text", text)
    page.wait("$('times').children.length && $('tokens').children.length")
    shown = page.run("$('text').value")
    page.wait(f"$('passage').textContent === {json.dumps(shown)} && {SETTLED}")
    return shown


def analyzed(server, text, **more):
    status, _, answer = server.ask("/analyze", {"inputs": text, **more})
    assert status == 200, answer
    return answer


def spans(analysis):
    """What the heads mark, in the order of the text and longer ones first."""
    found = [(s["start"], -s["end"], s["entity_group"]) for head in ("entities", "toxicity") for s in analysis[head]]
    return [(start, -end, label) for start, end, label in sorted(found, key=lambda span: span[:2])]


def percent(score):
    return f"{100 * score:.1f} %"


def rows(page, head):
    """The labels and numbers that are seen of a head."""
    return page.run(
        f"[...document.querySelectorAll('#head-{head} li')].filter(row => row.checkVisibility())"
        ".map(row => [row.querySelector('bdi').innerText, row.querySelector('data').innerText])"
    )


def marks(page):
    return page.run("[...document.querySelectorAll('#passage mark')].map(made => [made.innerText, made.dataset.label])")


def overflow(page):
    """By how many pixels the page is wider than the window."""
    return page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def image(page, **options):
    return Image.open(io.BytesIO(page.picture(**options))).convert("RGB")


def test_it_is_one_file_and_asks_only_its_server(page, server):
    write(page, EMOJI)
    addresses = [address for address in page.requests() if not address.startswith("data:")]
    assert {address.removeprefix(server.url) for address in addresses} == {"/", "/info", "/analyze", "/tokenize"}


def test_labels_are_bars(page, server):
    text = write(page, "I loved every minute of it, thank you so much!")
    analysis = analyzed(server, text)
    expected = [[entry["label"], percent(entry["score"])] for entry in analysis["emotion"]]
    assert sorted(rows(page, "sentiment")) == sorted([e["label"], percent(e["score"])] for e in analysis["sentiment"])
    assert rows(page, "emotion") == expected[:5]
    widths = page.run("[...document.querySelectorAll('#head-sentiment i')].map(bar => bar.style.getPropertyValue('--part'))")
    assert sorted(float(width[:-1]) for width in widths) == pytest.approx(
        sorted(100 * e["score"] for e in analysis["sentiment"])
    )
    page.click("#head-emotion button")
    assert rows(page, "emotion") == expected and len(expected) == 28
    page.click("#head-emotion button")
    assert len(rows(page, "emotion")) == 5


@pytest.mark.parametrize(
    "text",
    [EMOJI, ARABIC, "🤡" * 40 + " Angela Merkel is in Paris", "Paris", "e\u0301tat de Paris\r\n\r\n London", "😀"],
    ids=["emoji", "arabic", "surrogates", "word", "accents", "nothing"],
)
def test_marks_are_around_what_the_server_found(page, server, text):
    text = write(page, text)
    expected = spans(analyzed(server, text))
    assert marks(page) == [[text[start:end], label] for start, end, label in expected]
    assert page.texts("#found bdi") == [text[start:end] for start, end, _ in expected]
    assert page.run("$('passage').textContent") == text


def test_names_and_toxic_words_are_marked(page):
    write(page, EMOJI)
    labels = dict(marks(page))
    assert labels["Barack Obama"] == labels["Angela Merkel"] == "PER" and labels["Paris"] == "LOC"
    assert [label for text, label in labels.items() if "idiot" in text] == ["TOXIC"]


def test_marks_that_cross_are_cut_and_change_no_text(page):
    page.run(
        "paint({text: '💌 one two three', spans: ["
        "{start: 2, end: 9, score: 1, label: 'A', tone: 'tone0'}, {start: 6, end: 15, score: 1, label: 'B', tone: 'tone1'},"
        "{start: 6, end: 9, score: 1, label: 'C', tone: 'tone2'}, {start: 3, end: 3, score: 1, label: 'D', tone: 'tone2'}]})"
    )
    assert page.text("#passage") == "💌 one two three"
    assert marks(page) == [["one two", "A"], ["two", None], ["two", "C"], [" three", "B"]]


def test_a_text_from_right_to_left_runs_so(page):
    write(page, ARABIC)
    for place in ("#text", "#passage"):
        assert page.run(f"getComputedStyle(document.querySelector('{place}')).unicodeBidi") == "plaintext"
    first, last, box = page.run(
        "(() => { const nodes = document.createTreeWalker($('passage'), NodeFilter.SHOW_TEXT); const node = nodes.nextNode();"
        " const range = new Range(); const at = place => { range.setStart(node, place); range.setEnd(node, place + 1);"
        " return range.getBoundingClientRect().x; }; return [at(0), at(10), $('passage').getBoundingClientRect().right]; })()"
    )
    assert box - 40 < first <= box and last < first
    write(page, "From left to right. " + EMOJI)
    assert page.run("$('passage').firstChild.nodeType === 3 && (() => { const range = new Range();"
                    " range.selectNode($('passage').firstChild); return range.getBoundingClientRect().x"
                    " - $('passage').getBoundingClientRect().x; })()") < 40


def test_what_is_typed_last_is_what_is_shown(page, server):
    page.write("#text", "I hate")
    texts = ["I hate every", "I hate every minute", "I love every minute of it", "I love it"]
    for text in texts:
        page.run(f"$('text').value = {json.dumps(text)}; update(); 0")
    page.wait(f"$('passage').textContent === 'I love it' && $('times').children.length && {SETTLED}")
    score = {entry["label"]: percent(entry["score"]) for entry in analyzed(server, "I love it")["sentiment"]}
    assert dict(rows(page, "sentiment")) == score


def test_tokens_tell_their_ids(page, server):
    text = write(page, EMOJI)
    _, _, [tokens] = server.ask("/tokenize", {"inputs": text})
    assert page.texts("#tokens span") == [token["text"] for token in tokens]
    page.hover("#tokens span:nth-child(3)")
    page.wait(f"$('token').textContent.includes('id {tokens[2]['id']}')")
    style = "getComputedStyle(document.querySelector('#tokens span:nth-child(3)'), '::after').content"
    assert page.run(style) == f'"{tokens[2]["id"]}"'
    page.run("$('tokens').firstChild.focus()")
    page.press("ArrowRight")
    page.wait(f"$('token').textContent.includes('id {tokens[1]['id']}')")
    page.press("End")
    page.wait(f"$('token').textContent.includes('id {tokens[-1]['id']}')")
    lit = "[...CSS.highlights.get('token') ?? []].map(range => range.toString())"
    for place, token in enumerate(tokens):
        page.run(f"$('tokens').children[{place}].focus()")
        expected = [] if token["special"] else [text[token["start"] : token["stop"]]]
        assert page.run(lit) == expected


def test_the_time_of_each_stage_is_shown(page, server):
    text = write(page, EMOJI)
    _, headers, _ = server.ask("/analyze", {"inputs": text})
    names, values = page.texts("#times dt"), page.texts("#times dd")
    times = dict(zip(names, values))
    assert times.pop("Tokens") == headers["x-compute-tokens"]
    assert list(times) == ["Tokenization", "Queue", "Inference", "In the server", "There and back"]
    for value in times.values():
        number, unit = value.removeprefix("< ").split(" ")
        assert unit == "ms" and 0 <= float(number) < 60_000


@pytest.mark.parametrize("text", [EMOJI, ARABIC, QUOTES], ids=["emoji", "arabic", "quotes"])
def test_the_curl_line_gives_what_is_shown(page, text):
    text = write(page, text)
    command = page.run("document.querySelector('[data-curl=analyze] pre').textContent")
    analysis = json.loads(subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=60).stdout)
    shown = [[entry["label"], percent(entry["score"])] for entry in analysis["emotion"][:5]]
    assert rows(page, "emotion") == shown
    assert [made[0] for made in marks(page)] == [text[start:end] for start, end, _ in spans(analysis)]


@pytest.mark.parametrize("secure", [True, False], ids=["secure", "plain"])
def test_the_curl_line_can_be_copied(page, secure):
    """Browsers give pages that come over plain HTTP from another machine no clipboard but that of a selection."""
    write(page, QUOTES)
    page.allow_clipboard()
    if not secure:
        page.run("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true}); 0")
    page.click("[data-curl=analyze] button")
    page.wait("document.querySelector('[data-curl=analyze] button').textContent === 'Copied'")
    page.run("delete navigator.clipboard; 0")
    command = page.run("document.querySelector('[data-curl=analyze] pre').textContent")
    assert page.run("navigator.clipboard.readText()") == command


def test_a_text_that_is_too_long_is_told_and_can_be_cut(page, server):
    text = "The weather in Paris is good. " * 1500
    page.write("#text", text)
    page.wait("!$('problem').hidden")
    assert "tick the box" in page.text("#problem")
    page.click("#cut")
    page.wait(f"$('problem').hidden && $('passage').textContent.length === {len(text)} && {SETTLED}")
    analysis = analyzed(server, text, truncate=True)
    assert rows(page, "emotion") == [[e["label"], percent(e["score"])] for e in analysis["emotion"][:5]]
    assert "Paris" in page.texts("#found bdi")
    assert page.run("$('tokens').children.length") == 1000
    assert "the first 1000 of" in page.text("#count").lower()
    assert overflow(page) == 0
    command = page.run("document.querySelector('[data-curl=analyze] pre').textContent")
    answer = subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=60).stdout
    assert json.loads(answer) == analysis


def test_without_a_text_nothing_is_shown(page):
    write(page, EMOJI)
    page.run("$('text').value = '  '; update(); 0")
    page.wait("!$('tokens').children.length")
    assert marks(page) == [] and page.text("#heads") == "" and page.run("$('problem').hidden")


def test_another_model_can_be_chosen(page, server):
    assert page.texts("#model option") == ["default", "small"]
    page.run("$('model').value = 'small'; $('model').onchange(); 0")
    text = write(page, EMOJI)
    analysis = analyzed(server, text, model="small")
    assert page.texts("#heads h3")
    for head in page.texts("#heads h3"):
        shown = rows(page, head)
        assert sorted(shown) == sorted([e["label"], percent(e["score"])] for e in analysis[head])[: len(shown)]
    assert '"model":"small"' in page.text("[data-curl=analyze] pre")


@pytest.fixture
def reading(serve, small_model, tmp_path):
    """A server whose second model answers questions."""
    file = tmp_path / "qa.gguf"
    gatun("convert", RESOURCES.parent / "golden/distilbert-uncased/question-answering", file, "--type", "f32")
    return serve("--model", f"small={small_model}", "--model", f"qa={file}")


def test_an_answer_is_marked_in_the_passage(reading, visit):
    page = visit(reading)
    page.wait("$('question').checkVisibility()")
    assert not page.run("$('no-answers').checkVisibility()")
    text, question = "💌💌 Anna Smith's letter came from Berlin 🤡 in 1987. She moved to 'New York'.", "Where's \"she\" from? 💌"
    write(page, text)
    page.write("#question", question)
    page.wait(f"$('reply').children.length && {SETTLED}")
    body = {"inputs": {"question": question, "context": text}, "model": "qa"}
    status, _, found = reading.ask("/qa", body)
    assert status == 200, found
    assert text[found["start"] : found["end"]] == found["answer"]
    answers = "[...document.querySelectorAll('#passage .answer')].map(made => made.innerText).join('')"
    assert page.run(answers) == found["answer"]
    assert page.text("#reply bdi") == found["answer"] and percent(found["score"]) in page.text("#reply")
    assert page.run("$('status').textContent").endswith(" marks. Answer: " + found["answer"])
    command = page.run("document.querySelector('[data-curl=qa] pre').textContent")
    assert json.loads(subprocess.run(["bash", "-c", command], check=True, capture_output=True, timeout=60).stdout) == found
    page.run("$('question').value = ''; update(); 0")
    page.wait(f"!document.querySelector('#passage .answer') && {SETTLED}")


def test_that_nothing_answers_questions_is_told(page):
    assert "serve" in page.text("#no-answers") and not page.run("$('question').checkVisibility()")


def test_a_server_that_is_gone_is_told(serve, visit, small_model):
    server = serve("--model", f"small={small_model}")
    page = visit(server)
    page.wait("$('times').children.length")
    assert server.stop() == 0
    page.write("#text", "Is anybody there?")
    page.wait("!$('problem').hidden")
    assert "does not answer" in page.text("#problem")
    assert page.run("$('problem').getAttribute('role')") == "alert"
    assert page.run("$('again').checkVisibility()")


def test_a_key_is_asked_for_and_kept_nowhere(serve, visit, small_model):
    server = serve("--model", f"small={small_model}", "--api-key", "open-sesame")
    page = visit(server)
    page.wait("!$('problem').hidden && !$('key').hidden")
    assert "wants a key" in page.text("#problem")
    page.write("#secret", "wrong")
    page.press("Enter")
    page.wait("$('sentence').textContent.includes('does not know')")
    page.write("#secret", "open-sesame")
    page.press("Enter")
    page.wait("$('times').children.length && $('problem').hidden && $('key').hidden")
    assert page.run("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    command = page.run("document.querySelector('[data-curl=analyze] pre').textContent")
    assert "open-sesame" not in command
    environment = os.environ | {"KEY": "open-sesame"}
    answer = subprocess.run(["bash", "-c", command], check=True, capture_output=True, env=environment, timeout=60)
    assert "error" not in json.loads(answer.stdout)


def test_a_text_that_is_too_large_is_told(serve, visit, small_model):
    page = visit(serve("--model", f"small={small_model}", "--max-body", "2k"))
    page.wait("$('times').children.length")
    page.write("#text", "too large " * 500)
    page.wait("!$('problem').hidden")
    assert "too large for the server" in page.text("#problem")


def test_a_busy_server_is_told_and_asked_again(page):
    page.run(
        "(() => { const real = fetch; window.fetch = async () => { window.fetch = real; return new Response("
        "JSON.stringify({error: 'Many texts wait.'}), {status: 429, headers: {'Retry-After': '1'}}); }; })()"
    )
    page.write("#text", "I love it")
    page.wait("!$('problem').hidden")
    assert "busy" in page.text("#problem") and "Many texts wait." in page.text("#problem")
    page.wait("$('problem').hidden && $('passage').textContent === 'I love it'")


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
@pytest.mark.parametrize("text", [EMOJI, ARABIC, "Donaudampfschifffahrt" * 20, QUOTES], ids=["emoji", "arabic", "word", "quotes"])
def test_nothing_is_wider_than_the_window(visit, server, width, text):
    page = visit(server, width=width, height=700, phone=width < 768)
    page.wait("$('times').children.length")
    write(page, text)
    assert overflow(page) == 0
    outside = (
        "[...document.querySelectorAll('main *, header *')].filter(found => found.checkVisibility() && !found.closest('.said'))"
        ".filter(found => { const {left, right} = found.getBoundingClientRect(); return left < -1 || right > innerWidth + 1; })"
        ".map(found => found.outerHTML.slice(0, 100))"
    )
    assert page.run(outside) == []


def test_dark_is_dark_light_is_light_and_neither_is_blank(visit, server):
    brightness = {}
    for dark in (False, True):
        page = visit(server, dark=dark)
        page.wait("$('times').children.length")
        write(page, EMOJI)
        picture = image(page)
        assert len(picture.getcolors(1 << 20)) > 200
        assert picture.size == (1280, 900)
        pixels = picture.convert("L").resize((64, 45)).tobytes()
        brightness[dark] = sum(pixels) / len(pixels)
    assert brightness[False] > 200 and brightness[True] < 60, brightness


def test_the_keyboard_reaches_everything_and_all_has_a_name(page):
    page.wait("$('times').children.length && $('tokens').children.length")
    focusable = [(role, name) for role, name in page.names() if role != "option"]
    assert all(name for _, name in focusable), focusable
    expected = {"combobox", "link", "textbox", "checkbox", "button", "region"}
    assert expected <= {role for role, _ in focusable}
    describe = (
        "(() => { const at = document.activeElement; const style = getComputedStyle(at);"
        " return [at.id || at.textContent.slice(0, 40), at.matches(':focus-visible') && style.outlineStyle !== 'none']; })()"
    )
    reached = []
    for _ in range(40):
        page.press("Tab")
        found = page.run(describe)
        if page.run("document.activeElement === document.body") or (reached and found[0] == reached[0][0]):
            break
        reached.append(found)
    assert all(seen for _, seen in reached), reached
    names = [name for name, _ in reached]
    assert names[:5] == ["model", "All routes", "text", "cut", "passage"]
    assert "All 28 labels" in names and "Copy" in names and "[CLS]" in names
    assert len(names) == len(set(names)) == len(focusable) + 1, (names, focusable)  # of the tokens one
    page.run("$('text').focus()")
    page.press("Tab", SHIFT)
    assert page.run(describe) == ["All routes", True]


def test_the_keyboard_opens_all_labels(page):
    write(page, EMOJI)
    page.run("document.querySelector('#head-emotion button').focus()")
    page.press("Enter")
    assert len(rows(page, "emotion")) == 28


def test_what_changed_is_said(page, server):
    analysis = analyzed(server, write(page, EMOJI))
    assert page.run("$('status').getAttribute('role')") == "status"
    assert page.run("$('status').textContent") == (
        f"sentiment: {analysis['sentiment'][0]['label']}, emotion: {analysis['emotion'][0]['label']}, "
        f"{len(analysis['toxicity']) + len(analysis['entities'])} marks."
    )


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_keeps_anybody_out(visit, server, dark, width):
    """axe finds no fault: contrast, names, roles, order, languages."""
    page = visit(server, dark=dark, width=width)
    page.wait("$('times').children.length")
    write(page, EMOJI)
    page.run("$('key').hidden = $('problem').hidden = $('again').hidden = false; $('sentence').textContent = 'A problem.'")
    page.run(files("axe_core_python").joinpath("axe.min.js").read_text() + "; 0")
    violations = page.run("axe.run().then(found => found.violations)")
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in violations] == []


def test_what_moves_stands_still_for_those_who_want_it(visit, server):
    moves = "getComputedStyle(document.querySelector('.bars i'), '::before').transitionDuration"
    for still, expected in ((True, "0s"), (False, "0.18s")):
        page = visit(server, still=still)
        page.wait("$('times').children.length")
        assert page.run(moves) == expected
