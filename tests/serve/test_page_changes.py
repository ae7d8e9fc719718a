"""The search page, used as a person uses it: edits, smallest changes, lost documents, what is kept."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tests.serve.page_browser import CSS

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


# ---- 5: edit and see
def test_a_text_is_edited_and_its_rank_follows(page):
    page.search("MiniLM")
    name = page.order()[0]
    page.click('.card [data-act="edit"]')
    box = page.find(".editor textarea")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("A slow river in spring, with boats.")
    page.shown(".seen", "Rank 1 → ")
    assert page.order()[0] != name
    assert page.text(".ghost") == f"1 · {name} was here"
    assert page.run("return document.querySelector('.list').firstElementChild.className") == "ghost"
    assert page.run("return document.activeElement.tagName") == "TEXTAREA"  # one can go on typing
    assert "was 1" in page.find(f'.card[data-doc="{name}"]').text
    assert page.axe() == []
    page.press(Keys.ESCAPE)
    assert page.order()[0] == name
    assert page.all(".ghost") == []


def test_a_query_is_edited_and_the_ranks_follow(page):
    page.search("BM25", "MiniLM")
    before = page.order(1)
    page.press("q")
    page.find(".editor.query input").send_keys(" of the wild cat in the forest")
    page.until("return document.querySelectorAll('.ghost').length > 0 || document.querySelector('.up')")
    page.until("return [...document.querySelectorAll('.column:nth-of-type(2) .card h3')]"
               ".map((one) => one.textContent).join() !== arguments[0]", ",".join(before))  # fmt: skip
    page.click(".editor", "As it was")
    assert page.order(1) == before


def test_the_smallest_change_is_a_diff_with_a_ladder(page):
    page.search("BM25", k=20)
    page.click('.card [data-act="edit"]')
    assert "into the first 10" not in page.text(".editor")  # it is there
    page.click(".editor", "that drops it")
    page.shown("#panel .diff")
    assert page.text("#panel .diff del")
    ladder = page.texts("#panel table[aria-label='Rank after each change'] td.n")
    assert ladder[0] == "1"
    assert int(ladder[-1]) > 10
    assert page.axe() == []
    page.click("#panel", "Edit from here")
    page.shown(".seen", f"→ {ladder[-1]}")
    page.press(Keys.ESCAPE)
    low = page.all(".card")[14]
    page.run("arguments[0].scrollIntoView({block: 'center'})", low)
    low.find_element(CSS, '[data-act="explain"]').click()
    page.shown("#panel .answer .text")
    page.shown("#panel .follow", "into the first 10")
    page.click("#panel .follow", "into the first 10")
    page.shown("#panel .diff ins")
    assert int(page.texts("#panel table[aria-label='Rank after each change'] td.n")[-1]) <= 10
    page.search("BM25", k=10)  # none of these can leave the first 10
    page.click('.card [data-act="explain"]')
    page.shown("#panel .follow", "that drops it")
    page.click("#panel .follow", "that drops it")
    page.shown("#panel .diff del")
    assert page.text("#panel h2").endswith("that drops it from the first 9")


# ---- 6: where is my document?
def test_where_a_document_was_lost(page):
    page.search("MiniLM")
    page.press("m")
    page.find("#missing-id").send_keys("jaguar-speed-21", Keys.ENTER)
    page.shown("#panel .stages")
    assert page.text("#panel .badge") == "Not found"
    assert "no word of the query" in page.text("#panel .verdict")
    assert "jaguar" in page.text("#panel ul")
    assert page.axe() == []
    page.search("BM25", k=20)
    page.press("m")
    page.find("#missing-id").send_keys(page.order()[14], Keys.ENTER)
    page.shown("#panel .stages")
    assert page.text("#panel .badge") == "Found at 15"  # it is in the list: nothing was cut
    page.search("BM25", k=5)
    page.press("m")
    page.find("#missing-text").send_keys(
        "When the E-Type appeared in Geneva in 1961, crowds pressed so hard"
    )
    page.click("#panel form", "Find it")
    page.shown("#panel .stages")
    rank = page.run("""return fetch('/api/v1/search', {method: 'POST',
        headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({query: 'jaguar speed', rankers: ['BM25'], k: 100})})
        .then((one) => one.json()).then((one) => one.rankings[0].results
        .find((one) => one.doc_id === 'jaguar-speed-09').rank)""")  # fmt: skip
    assert page.text("#panel .badge") == f"Found at {rank}, cut at 5"
    page.press(Keys.ESCAPE)
    page.press("m")
    page.find("#missing-id").send_keys("nobody", Keys.ENTER)
    page.shown("#panel .failed", "Not found")
    page.press(Keys.ESCAPE)
    page.press("m")
    page.find("#missing-text").send_keys("jaguar speed, jaguar speed, and no such words anywhere")
    page.click("#panel form", "Find it")
    page.shown("#panel .failed", "has this text")
    page.click("#panel .failed", "Where would it stand?")
    assert page.shown("#panel .answer .badge", "Rank 1 of 6")
    assert "beside the 5 documents that were ranked" in page.text("#panel .answer .verdict")


# ---- 7: keep and share
def test_answers_are_kept_and_shared(page, tmp_path_factory):
    page.search("BM25")
    page.click("#intent")
    page.shown("#panel .share")
    address = page.driver.current_url
    clip = "return navigator.clipboard.readText()"
    page.click(".share", "Copy link")
    page.shown("#told", "The link was copied")
    assert page.run(clip) == address
    page.click(".share", "Copy as JSON")
    page.shown("#told", "The JSON was copied")
    assert json.loads(page.run(clip))["format"].startswith("intentx.intent/")
    page.click(".share", "Copy as Python")
    page.shown("#told", "The Python was copied")
    compile(page.run(clip), "copied.py", "exec")
    page.click(".share", "Download page")
    page.shown("#told", "was saved")
    saved = tmp_path_factory.getbasetemp() / "saved"
    page.wait(lambda: [*saved.glob("explain-*.html")])
    [file] = saved.glob("explain-*.html")
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    page.press(Keys.ESCAPE)
    assert urlsplit(page.driver.current_url).path == "/"
    page.driver.back()
    page.shown("#panel .terms")
    page.press("h")
    page.shown(".history", "Intent")
    assert page.axe() == []
    mine = f".history a[href$='{urlsplit(address).path}']"  # answers of earlier tests may come later
    assert page.find(mine).get_attribute("href") == address
    page.click(mine)
    page.shown("#panel .terms")
    assert not page.find("#sheet").is_displayed()


def test_two_snapshots_are_compared(page):
    page.search("BM25", query="crane safety")
    for ranker in ("BM25", "MiniLM"):
        page.choose("#ranker", ranker)
        page.until("return document.querySelector('.column h2')?.textContent === arguments[0]", ranker)
        page.click("#open-snapshots")
        page.shown(".snapshot")
        box = page.find(".snapshot textarea")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys("crane safety")
        page.click(".snapshot button")
        page.shown(".diff-of", "1 snapshot" if ranker == "BM25" else "2 snapshots")
        if ranker == "BM25":
            page.press(Keys.ESCAPE)
    before, after = page.texts(".diff-of option:checked")
    assert "BM25" in before
    assert "MiniLM" in after
    # A dialog that was closed while it searched does not come back.
    page.run("""const real = window.fetch;
        document.getElementById('told').textContent = '';
        window.fetch = (...given) => new Promise((go) => { window.go = go; })
          .then(() => real(...given));""")  # fmt: skip
    page.click(".snapshot button")
    page.press(Keys.ESCAPE)
    page.run("window.go()")
    page.shown("#told", "The snapshot was kept")
    assert not page.find("#sheet").is_displayed()
    page.driver.refresh()
    page.until("return document.querySelector('.card')")
    page.click("#open-snapshots")
    page.shown(".diff-of", "3 snapshots")
    chosen = page.run("return [...document.querySelectorAll('.diff-of select')].map("
                      "(one) => one.selectedOptions[0].textContent.split(',')[0])")  # fmt: skip
    assert chosen == ["MiniLM", "MiniLM"]  # the last two, the earlier one first
    page.run("document.querySelector('.diff-of select').selectedIndex = 2")
    page.click(".diff-of button")
    page.shown(".diff-of .verdict", "1 of 1 queries differ")
    assert page.texts(".diff-of tbody td.up") or page.texts(".diff-of tbody td.down")
    assert page.axe() == []
