"""Chromium without a window, driven by its own protocol over a pipe: no driver that must fit it, and no port."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections import deque
from pathlib import Path
from select import select

KEYS = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    " ": ("Space", 32, " "),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "End": ("End", 35, ""),
    "Home": ("Home", 36, ""),
}
SHIFT = 8


def chromium():
    """The program's path."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("Chromium is missing; install Debian's package chromium.")


class Browser:
    """A process of its own, with an empty profile."""

    def __init__(self, folder):
        folder = Path(folder)
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        arguments = [
            chromium(),
            "--headless=new",
            "--remote-debugging-pipe",  # reads file descriptor 3, writes 4
            "--no-sandbox",  # tests run as root, and open nothing but this server's page
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--hide-scrollbars",
            "--lang=en-US",
            f"--user-data-dir={folder / 'profile'}",
            "about:blank",
        ]
        with open(folder / "chromium.log", "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(commands, answers),
            )
        os.close(commands)
        os.close(answers)
        self._ids = itertools.count(1)
        self._buffer = b""
        self._events = deque(maxlen=1000)

    def call(self, method, session=None, timeout=60, **parameters):
        """Calls a method of the protocol and gives its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        deadline = time.monotonic() + timeout
        while True:
            answer = self._read(deadline, method)
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._events.append(answer)

    def _read(self, deadline, waiting_for):
        while b"\0" not in self._buffer:
            readable, _, _ = select([self._in], [], [], max(0, deadline - time.monotonic()))
            if not readable:
                raise TimeoutError(f"Chromium does not answer {waiting_for}")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise EOFError(f"Chromium ended during {waiting_for}")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def page(self, url=None, **options):
        """A new tab, in a context of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, context)
        page.show(**options)
        if url:
            page.open(url)
        return page

    def events(self, session, method):
        """What was told of a tab so far."""
        return [e["params"] for e in self._events if e.get("sessionId") == session and e["method"] == method]

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        os.close(self._out)
        os.close(self._in)


class Page:
    """A tab. A script is an expression; what it gives must fit JSON, and a promise is waited for."""

    def __init__(self, browser, session, context):
        self._browser = browser
        self._session = session
        self._context = context
        for domain in ("Page", "Runtime", "Log", "Accessibility", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def show(self, width=1280, height=900, dark=False, phone=False, still=True):
        """Sets the window's size in CSS pixels, and what the person prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        features = {
            "prefers-color-scheme": "dark" if dark else "light",
            "prefers-reduced-motion": "reduce" if still else "no-preference",
        }
        self.call("Emulation.setEmulatedMedia", features=[{"name": n, "value": v} for n, v in features.items()])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, script, within=30):
        """Waits until a script gives something that is true, and gives that."""
        deadline = time.monotonic() + within
        while not (value := self.run(script)):
            assert time.monotonic() < deadline, f"not within {within} s: {script}; the page says {self.text()!r}"
            time.sleep(0.02)
        return value

    def text(self, selector="body"):
        """What a person can read there."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        return self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(found => found.textContent)")

    def click(self, selector):
        x, y = self._middle(selector)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def allow_clipboard(self):
        self._browser.call(
            "Browser.grantPermissions",
            permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
            browserContextId=self._context,
        )

    def hover(self, selector):
        x, y = self._middle(selector)
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def _middle(self, selector):
        return self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)}); found.scrollIntoView({{block: 'center'}});"
            " const {x, y, width, height} = found.getBoundingClientRect(); return [x + width / 2, y + height / 2]; })()"
        )

    def press(self, key, modifiers=0):
        code, number, text = KEYS[key]
        common = {"key": key, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        """Puts a text where the cursor is, as an input method does."""
        self.call("Input.insertText", text=text)

    def write(self, selector, text):
        """Replaces what is in a field."""
        self.run(f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.focus(); field.select(); }})()")
        self.type(text)

    def names(self):
        """The role and the accessible name of all that can be focused."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
            and any(p["name"] == "focusable" and p["value"]["value"] for p in node.get("properties", []))
            and node["role"]["value"] != "RootWebArea"
        ]

    def picture(self, whole=False):
        """A PNG of what is seen."""
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        return base64.b64decode(data)

    def complaints(self):
        """What the browser wrote into its console, refused requests left out, and exceptions."""
        told = self._browser.events(self._session, "Log.entryAdded")
        thrown = self._browser.events(self._session, "Runtime.exceptionThrown")
        return [e["entry"]["text"] for e in told if e["entry"]["source"] != "network"] + [
            str(e["exceptionDetails"]) for e in thrown
        ]

    def requests(self):
        """The addresses of all that the page loaded or asked."""
        return [e["request"]["url"] for e in self._browser.events(self._session, "Network.requestWillBeSent")]

    def close(self):
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
