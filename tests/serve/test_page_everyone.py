"""The search page for everyone: keyboard, phone, hostile and foreign texts, a server that is gone."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

import pytest

from tests.report.conftest import emulate
from tests.serve.conftest import Server
from tests.serve.page_browser import QUERY, watched
from tests.serve.page_server import ARABIC, EVIL, HOSTILE

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


# ---- 8: everyone, everywhere
def test_the_keyboard_has_a_help(page):
    page.search("BM25")
    page.press("?")
    page.shown("dialog .keys")
    assert page.axe() == []
    page.press(Keys.ESCAPE)
    page.until("return !document.querySelector('dialog').open")
    page.press("/")
    assert page.run("return document.activeElement.id") == "query"
    page.press("e?")  # letters, not shortcuts
    assert page.find("#query").get_attribute("value") == "e?"
    assert not page.find("#panel").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_only_downwards(page, scheme):
    emulate(page.driver, scheme)
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.search("BM25", "MiniLM")
    page.click(".column-head button")
    page.shown("#panel .terms")
    assert page.run("return document.documentElement.scrollWidth") <= 390
    assert page.find("#panel .term").is_displayed()
    page.run("[...document.querySelectorAll('.tabs button')].at(-1).click()")
    page.until(
        "const [bar, tab] = ['.tabs', '.tabs [aria-pressed=true]'].map("
        "(one) => document.querySelector(one).getBoundingClientRect());"
        "return tab.left >= bar.left && tab.right <= bar.right + 1",
        seconds=5,
    )
    ground = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 22, 26)") == (scheme == "dark")
    assert page.axe() == []
    page.run("document.getElementById('theme').click()")
    other = page.run("return getComputedStyle(document.body).backgroundColor")
    assert (other == "rgb(18, 22, 26)") == (scheme == "light")
    page.run("document.getElementById('theme').click()")


def test_hostile_documents_do_nothing(page):
    evil = f"B {EVIL}"
    page.search("BM25", evil, collection=HOSTILE, query=f"jaguar speed {EVIL}", k=10)
    assert page.all(".card")
    assert ARABIC in page.order()
    page.click("#intent")
    page.shown("#panel .halves, #panel .failed")
    number = len(page.all(".column:nth-of-type(1) .card"))
    for i in range(number):
        for act in ("explain", "edit"):
            page.run(f"document.querySelectorAll('[data-act={act}]')[{i}].click()")
        page.shown("#panel .answer .text, #panel .failed")
        page.run("document.querySelector('.editor').querySelector('button').click()")  # what drops it
        page.shown("#panel .answer, #panel .failed")
    page.run("document.querySelector('[data-act=pick]').click()")
    page.run("document.querySelectorAll('[data-act=pick]')[1].click()")
    page.shown("#panel .answer .text")
    page.run("document.getElementById('missing').click()")
    page.find("#missing-id").send_keys(EVIL, Keys.ENTER)
    page.shown("#panel .stages")
    page.run("document.getElementById('open-history').click()")
    page.shown(".history a")
    page.driver.back()
    assert page.run("return window.hit === undefined")
    assert page.all("img, iframe, body script") == []


def test_text_from_right_to_left_and_letters_beyond_the_first_plane(page):
    page.search("BM25", collection=HOSTILE, query=QUERY)
    arabic = page.find('.card[data-doc="d4"] h3')
    assert page.run("return getComputedStyle(arguments[0]).direction", arabic) == "rtl"
    page.run("[...document.querySelectorAll('.card')].find((one) => one.textContent.includes('🐆'))"
             ".querySelector('[data-act=explain]').click()")  # fmt: skip
    page.shown("#panel .answer .text")
    marks = page.run("return [...document.querySelectorAll('#panel .text mark')]"
                     ".map((one) => [one.textContent.toLowerCase(), one.dataset.word])")  # fmt: skip
    assert ["river", "river"] in marks
    assert all(text == word for text, word in marks)


def test_a_kind_of_answer_that_nobody_knows_is_shown_by_what_it_holds(page):
    page.search("BM25")
    context = "{root: document.body, nameOf: String, point() {}, mark() {}, download() {}}"
    show = f"""
        const parts = it.viewOf(given, {context});
        const box = document.createElement('div');
        box.id = 'other';
        box.append(...parts);
        document.getElementById('other')?.remove();
        document.body.append(box);
        return box.textContent"""
    pairs = {
        "format": "intentx.token-pairs/1",
        "query_tokens": [{"text": "big", "start": 0}, {"text": EVIL, "start": None}],
        "token_scores": [[1, 2, 3], [0, -1, 2]],
        "verdict": {"level": "holds", "sentence": "Holds: told."},
    }
    said = page.module("views.js", f"const given = {json.dumps(pairs)}; {show}")
    assert "big" in said
    assert "told." in said
    assert len(page.all("#other td.for")) == 4
    assert page.texts("#other table.map tbody th") == ["big", EVIL]
    words = {"format": "intentx.later/1", "document": "tea pot", "terms": ["tea"], "weights": [0.5],
             "words": [{"term": "tea", "start": 0, "end": 3, "weight": 0.5}]}  # fmt: skip
    assert "tea" in page.module("views.js", f"const given = {json.dumps(words)}; {show}")
    assert page.text("#other mark.for") == "tea"
    features = {
        "format": "intentx.later/2",
        "features": ["f1", "f2"],
        "weights": [1, -2],
        "sets": [["f1"], ["f1", "f2"]],
    }
    page.module("views.js", f"const given = {json.dumps(features)}; {show}")
    assert len(page.all("#other .bars tbody tr")) == 2
    assert len(page.all("#other .chips")) == 2
    page.module("views.js", f"const given = {{format: 'intentx.later/3', x: {{}}}}; {show}")
    assert page.named("#other", "Download page")
    # Grad-CAM has a map besides its words.
    map_ = {**words, "format": "intentx.gradcam/2", "method": "GradCAM", "doc_id": "d", "above": None}
    map_ |= {"query_terms": ["tea", "cup"], "map": [[0.5], [0.0]], "metrics": {"score": 1.5}}
    page.module("views.js", f"const given = {json.dumps(map_)}; {show}")
    assert page.texts("#other table.map tbody th") == ["tea", "cup"]
    assert page.text("#other mark.for") == "tea"
    # An answer of a kind that is known, and does not fit it.
    broken = {"format": "intentx.document/9", "terms": ["a"], "weights": [1]}
    assert "a" in page.module("views.js", f"const given = {json.dumps(broken)}; {show}")
    assert page.run("return window.hit === undefined")


def test_a_server_that_is_busy_or_gone_is_waited_for(page):
    page.search("BM25")
    page.run("""const real = window.fetch;
        let times = 0;
        window.fetch = (...given) => (times++ ? real(...given) : Promise.resolve(new Response(
          JSON.stringify({error: {code: 'busy', message: 'too many', todo: 'wait'}}),
          {status: 429, headers: {'Retry-After': '3'}})));""")  # fmt: skip
    page.find("#query").send_keys(Keys.ENTER)
    page.shown("#trouble", "The server is busy. Trying again in 3 s.")
    page.run("document.querySelector('#trouble button').focus()")
    page.shown("#trouble", "in 2 s.")
    assert page.run("return document.activeElement.textContent") == "Try now"  # it stays while time goes
    page.press(Keys.ENTER)
    page.until("return document.querySelector('.card') && document.getElementById('trouble').hidden")
    page.run("""const real = window.fetch;
        let times = 0;
        window.fetch = (...given) => (times++ < 2
          ? Promise.reject(new TypeError('Failed to fetch')) : real(...given));""")  # fmt: skip
    page.find("#query").send_keys(Keys.ENTER)
    page.shown("#trouble", "The server does not answer.")
    assert page.axe() == []
    page.click("#trouble button")
    page.until("return document.querySelector('.card') && document.getElementById('trouble').hidden")


def test_permalinks_survive_a_restart(driver, tmp_path):
    options = (tmp_path, "--ranker", "BM25=bm25", "--port")  # without MiniLM, which loads for seconds
    servers = [Server(*options, 0)]
    try:
        with watched(driver, servers[0].url) as page:
            page.search("BM25", query="bass lessons")
            page.click("#intent")
            page.shown("#panel .share")
            address, terms = page.driver.current_url, page.texts("#panel .terms .term")
            servers[0].kill()
            page.driver.get("about:blank")
            servers.append(Server(*options, urlsplit(page.url).port))
            assert address.startswith(servers[1].url)
            page.driver.get(address)
            page.shown("#panel .terms")
            assert page.texts("#panel .terms .term") == terms
            assert page.find("#query").get_attribute("value") == "bass lessons"
            page.until("return document.querySelectorAll('.card').length > 0")
            page.go(f"/a/{quote('no such key')}")
            assert page.text(".failed").startswith("There is no such answer here.")
    finally:
        for server in servers:
            server.stop()
