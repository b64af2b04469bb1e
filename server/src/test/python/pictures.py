"""Takes the pictures of the playground in docs/ with Chromium: target/clients/bin/python src/test/python/pictures.py.

What has no font shows as a box: install Debian's fonts-noto-color-emoji before.
"""

import io
import json
import tempfile
from pathlib import Path

from PIL import Image

from browser import Browser
from running import ROOT, Server

FOLDER = ROOT / "docs"
LONG = (
    "كتبت Angela Merkel رسالة طويلة 💌 إلى Barack Obama في Washington، وتحدثت فيها عن الطقس الجميل في Berlin وعن أيام الربيع.\n"
    "ثم سافرت مع أصدقائها إلى Paris، حيث التقت بفريق من Google وعدد من الصحفيين من London و New York. كان يوما رائعا 🎉 للجميع.\n"
    "قال أحدهم: I loved every minute of it! ولم يعترض أحد إلا رجل غاضب صاح: you are an idiot 🤡، فضحك الناس ومضوا في طريقهم.\n"
)


def take(browser, url, name, text=None, token=None, **options):
    page = browser.page(f"{url}/", **options)
    page.wait("$('times').children.length && $('tokens').children.length")
    if text:
        page.run("$('times').replaceChildren()")
        page.write("#text", text)
        page.wait(f"$('times').children.length && $('passage').textContent === {json.dumps(text)}")
    page.run("document.activeElement.blur()")
    if token:
        page.run(f"$('tokens').children[{token}].focus({{preventScroll: true}})")
    picture = Image.open(io.BytesIO(page.picture(whole=True))).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(FOLDER / f"playground-{name}.png", optimize=True)
    page.close()


def main():
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(log=Path(folder) / "log")
        browser = Browser(folder)
        try:
            take(browser, server.url, "light", token=6)
            take(browser, server.url, "dark", dark=True)
            take(browser, server.url, "phone", width=390, height=844, phone=True)
            take(browser, server.url, "rtl", text=LONG)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
