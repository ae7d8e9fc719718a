"""The pictures of the search page in the documentation, of its demo collection by BM25 and MiniLM.

`python page_pictures.py --out ../docs/img` starts a server on a free port, uses the page as a person
does, and writes the pictures. It needs Chromium, chromedriver, selenium and Pillow.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

QUERY = "jaguar speed"
PATIENCE = 600  # seconds for an answer
COLOURS = 128  # of a picture


@contextlib.contextmanager
def server(state: str) -> Iterator[str]:
    """The address of ``intentx serve`` with its defaults."""
    command = [sys.executable, "-m", "intentx", "serve", "--port", "0", "--state", state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stdout or ():
                if found := re.search(r"search page: (\S+)/$", line):
                    yield found[1]
                    return
        finally:
            process.terminate()
        raise SystemExit("the server did not start")


class Page:
    """A browser on the page."""

    def __init__(self, driver: Any, url: str, out: Path) -> None:
        self.driver, self.url, self.out = driver, url, out

    def search(self, *rankers: str, k: int = 10, query: str = QUERY) -> None:
        asked = [("q", query), *(("r", one) for one in rankers), ("k", k)]
        self.driver.get(f"{self.url}/?{urlencode(asked)}")
        self.until("return document.querySelector('.card') && !document.querySelector('.waiting')")

    def until(self, script: str) -> None:
        """Wait for a script to give something."""
        end = time.monotonic() + PATIENCE
        while not self.run(script):
            if time.monotonic() > end:
                raise SystemExit(f"nothing after {PATIENCE} s: {script}")
            time.sleep(0.1)

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script)

    def click(self, css: str) -> None:
        self.run(f"document.querySelector({css!r}).click()")

    def answered(self) -> None:
        self.until("return document.querySelector('#panel .answer:not([aria-busy])')")

    def picture(self, name: str) -> None:
        """The page as it is seen, in few colours."""
        from PIL import Image

        self.run("document.activeElement.blur()")
        seen = Image.open(BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        few = seen.quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(self.out / f"{name}.png", optimize=True)
        print(f"{name}.png: {(self.out / f'{name}.png').stat().st_size:,} bytes")


def pictures(page: Page) -> None:
    """All of them."""
    page.search("MiniLM", query="bass lessons")  # until the model is loaded
    page.search("BM25", "MiniLM")
    page.run("document.querySelectorAll('.column')[1].querySelector('[data-act=explain]').click()")
    page.answered()
    page.picture("search-page")
    page.click("#intent")
    page.until("return document.querySelector('#panel .halves')")
    page.picture("search-page-contrast")
    page.search("MiniLM")
    page.click(".card [data-act=edit]")
    page.run(
        "const box = document.querySelector('.editor textarea');"
        "box.value = box.value.replace('Jaguar', 'Cat'); box.dispatchEvent(new Event('input'))"
    )
    page.until("return document.querySelector('.seen').textContent.startsWith('Rank')")
    page.picture("search-page-edit")
    page.search("BM25", k=5)
    page.click("#missing")
    page.run("document.querySelector('#missing-id').value = 'jaguar-speed-09'")
    page.click("form.missing button")
    page.until("return document.querySelector('#panel .stages')")
    page.picture("search-page-missing")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "img")
    options = parser.parse_args()
    from selenium import webdriver

    chosen = webdriver.ChromeOptions()
    for flag in ("headless", "no-sandbox", "disable-gpu", "force-prefers-reduced-motion"):
        chosen.add_argument(f"--{flag}")
    chosen.add_argument("--window-size=1400,860")
    with tempfile.TemporaryDirectory() as state, server(state) as url:
        driver = webdriver.Chrome(
            options=chosen, service=webdriver.ChromeService(shutil.which("chromedriver"))
        )
        try:
            pictures(Page(driver, url, options.out))
        finally:
            driver.quit()


if __name__ == "__main__":
    main()
