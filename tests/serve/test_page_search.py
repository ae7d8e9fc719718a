"""The search page, used as a person uses it: search, intents, results, pairs; with the real MiniLM."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.serve.page_browser import QUERY

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.slow


# ---- 1: search
def test_search_with_one_ranker_and_with_two(page):
    page.go()
    assert page.axe() == []
    page.find("#query").send_keys(QUERY, Keys.ENTER)
    page.until("return document.querySelectorAll('.card').length === 20")
    assert page.texts(".column h2") == ["BM25"]
    page.choose("#k", "10")
    page.until("return document.querySelectorAll('.card').length === 10")
    assert set(map(str.lower, page.texts(".snippet b"))) == {"jaguar", "speed", "jaguars"}
    page.choose("#beside", "MiniLM")
    page.until("return document.querySelectorAll('.column .list').length === 2")
    left, right = page.order(), page.order(1)
    assert left != right
    assert sorted(left) == sorted(right)
    # A line for each document, and on each card where it stands on the other side.
    page.until("return document.querySelectorAll('.links path').length === 10")
    for name in left[:3]:
        card = page.find(f'.column:nth-of-type(1) .card[data-doc="{name}"]')
        assert f"MiniLM {right.index(name) + 1}" in card.text
    page.point(".card")
    lit = page.run("return [...document.querySelectorAll('.card.lit')].map((one) => one.dataset.doc)")
    assert lit == [left[0], left[0]]
    assert page.axe() == []
    # The address holds all of it.
    asked = page.driver.current_url
    page.driver.get(asked)
    page.until("return document.querySelectorAll('.column .list').length === 2")
    assert page.order(1) == right


def test_a_quick_ranker_is_shown_while_a_slow_one_searches(page, served):
    asked = urlencode([("q", QUERY), ("c", "demo"), ("r", "BM25"), ("r", "held"), ("k", 10)])
    try:
        page.go(f"/?{asked}", until="return document.querySelector('.card')")
        assert page.texts(".column h2") == ["BM25", "held"]
        assert page.text(".column .waiting").startswith("Searching")
        assert len(page.order()) == 10
        assert "held" not in page.text(".card .score")  # nobody knows yet where it stands there
        assert page.axe() == []
        page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
        focus = "return document.activeElement.dataset.doc"
        assert page.run(focus) == page.order()[1]
    finally:
        (served.state / "go").touch()
    page.until("return document.querySelectorAll('.links path').length === 10")
    assert page.all(".waiting") == []
    assert page.run(focus) == page.order()[1]
    place = page.order(1).index(page.order()[0]) + 1
    assert f"held {place}" in page.text(".card .score")
    assert page.run("return document.getElementById('results').ariaBusy") is None


def test_an_address_with_a_ranker_that_is_gone_says_so(page):
    page.search("gone", "MiniLM")
    assert page.texts(".column h2") == ["BM25", "MiniLM"]
    assert "a ranker that cannot be used here: gone." in page.shown(".results-bar", "cannot be").text


def test_nothing_found_is_said(page):
    page.search("BM25", query="zzzz qqqq")
    assert page.text(".empty").startswith("Nothing found")
    assert page.axe() == []


# ---- 2: explain intent
def test_explain_intent(page):
    page.search("MiniLM")
    page.click("#intent")
    page.shown("#panel .terms")
    assert page.axe() == []
    first = page.run("return document.querySelector('#panel .answer').firstElementChild.className")
    assert first.startswith("verdict")
    terms = page.texts("#panel .terms .term")
    assert "jaguar" in terms
    assert {one.lower() for one in page.texts(".snippet mark")} <= {*terms, "jaguars"}
    # Pointing at a term, with the mouse and with the keyboard.
    number = terms.index("jaguar")
    button = page.all("#panel .terms .term")[number]
    page.mouse().move_to_element(button).perform()
    pointed = page.texts(".snippet mark.pointed")
    assert pointed
    assert {one.lower().rstrip("s") for one in pointed} == {"jaguar"}
    page.point("#query")
    assert page.texts(".snippet mark.pointed") == []
    page.run("arguments[0].focus()", button)
    assert page.texts(".snippet mark.pointed") == pointed


def test_a_cross_takes_a_term_out_and_fidelity_follows(page):
    page.search("MiniLM")
    page.click("#intent")
    page.shown("#panel .terms")
    whole = page.text(".fidelity b")
    before = page.driver.current_url
    terms = page.texts("#panel .terms .term")
    assert len(terms) > 1
    page.find(f'#panel .terms tr[data-key="{terms[0]}"] .cross').click()
    assert page.texts("#panel .terms .term") == terms[1:]  # at once
    assert page.text(".fidelity b") != whole
    assert f"(with all terms {whole})" in page.text(".fidelity")
    page.until("return location.href !== arguments[0]", before)  # the server has judged it, too
    key = page.driver.current_url.rpartition("/")[2]
    kept = page.run(f"return fetch('/api/v1/answers/{key}').then((one) => one.json())")
    assert kept["question"]["without"] == terms[:1]
    assert kept["answer"]["terms"] == terms[1:]
    assert page.text(".fidelity b") == f"{round(100 * kept['answer']['fidelity']['all'])} %"
    page.click(".taken .chip")
    page.until("return document.querySelector('.fidelity b').textContent === arguments[0]", whole)


def test_terms_are_written_as_people_do_and_keep_their_effects_without_others(page):
    page.search("BM25", query="crane safety", k=20)
    page.click("#intent")
    page.shown("#panel .terms")
    assert page.texts("#panel .terms .term") == ["safety", "crane"]  # its stem is “safeti”
    assert {"safety", "crane", "cranes"} >= {one.lower() for one in page.texts(".snippet mark")}
    whole, effect = page.text(".fidelity b"), page.texts("#panel .terms .n")[1]
    before = page.driver.current_url
    page.click("#panel .terms .cross")
    at_once = page.text(".fidelity")
    assert f"(with all terms {whole})" in at_once
    page.until("return location.href !== arguments[0]", before)
    assert page.text(".fidelity") == at_once  # the server says the same
    assert page.texts("#panel .terms .n") == [effect]
    assert page.texts("#panel .taken .chip") == ["safety ↩"]
    assert "the ranker was asked" in page.text("#panel .verdict")
    for method in ("IntentGreedy", "EquivalentQuery"):  # whose terms are others
        page.click(".tabs", method)
        page.until("return /✓/.test(document.querySelector('.tabs [aria-pressed=true]').textContent)")
        assert page.all("#panel .taken, #panel .failed") == []
    before = page.driver.current_url
    page.click("#panel .terms .cross")
    page.until("return location.href !== arguments[0]", before)
    assert page.all("#panel .taken .chip")


def test_the_page_judges_as_the_library_does(page):
    key = page.driver.current_url.rpartition("/")[2]
    found = page.module("view-ranking.js", f"""
        return fetch('/api/v1/answers/{key}').then((one) => one.json()).then(({{answer}}) =>
          [answer.fidelity, it.judged(answer)])""")  # fmt: skip
    fidelity, judged = found
    assert judged["all"] == pytest.approx(fidelity["all"])
    assert (judged["far"] is None) == (fidelity["far"] is None)


def test_two_rankers_are_contrasted(page):
    page.search("BM25", "MiniLM")
    page.click("#intent", None)
    page.shown("#panel .halves")
    assert "For the order of BM25" in page.text("#panel")
    assert "For the order of MiniLM" in page.text("#panel")
    # Ten documents are too few to tell the terms of either side from chance.
    assert "do not rely on them" in page.text("#panel .caution")
    assert page.text("#panel .verdict").startswith("τ")
    assert page.axe() == []
    page.point("#panel .bars .term")
    assert page.texts(".snippet mark.pointed")


# ---- 3: explain a result
def test_a_result_is_explained_by_the_quickest_first_and_then_by_one_that_gets_surer(page):
    page.search("MiniLM")
    page.click('.card [data-act="explain"]')
    page.shown("#panel .text")
    assert page.text('.tabs [aria-pressed="true"]').startswith("DeepLIFT")
    assert page.text("#panel h2").startswith(f"Why is {page.order()[0]} at rank 1?")
    # Words on colours, a legend, and numbers.
    assert len(page.all("#panel .text mark:is(.for, .against)")) > 5
    assert "for it (" in page.text(".legend")
    assert page.text("#panel .bars tbody td.n").startswith(("+", "−"))
    assert page.axe() == []
    page.wait(lambda: page.point("#panel .text mark.for") or page.text(".told-word"))
    # KernelSHAP has begun by itself, and shows what it knows so far.
    deeplift = page.driver.current_url
    page.click(".tabs", "KernelSHAP")
    page.shown("#panel .answer .text")
    if page.run("return document.querySelector('#panel .answer').getAttribute('aria-busy')") == "true":
        assert "it gets surer" in page.text("#panel")
        assert page.find("#panel progress").is_displayed()
        page.click(".job", "Cancel")
        page.shown(".job", "Cancelled")
    page.click(".tabs", "DeepLIFT")
    page.shown("#panel .answer .text")
    assert page.driver.current_url == deeplift


def test_the_three_labels_of_exs_are_one_click_apart(page):
    page.search("BM25")
    page.click('.card [data-act="explain"]')
    page.shown("#panel .answer .text")
    seen = {}
    for label in ("rank", "score", "top-k"):
        page.click(".tabs", f"EXS: {label}")
        chosen = "document.querySelector('.tabs [aria-pressed=true]').textContent"
        page.until(f"return /EXS: {label} ✓/.test({chosen})")
        seen[label] = page.texts("#panel .bars td.n")
    assert len({tuple(one) for one in seen.values()}) == 3


# ---- 4: why is A above B
def test_one_result_is_dragged_on_another(page):
    page.search("MiniLM")
    first, second = page.order()[:2]
    grips = page.all(".card .grip")
    chain = page.mouse().move_to_element(grips[1]).click_and_hold().move_by_offset(0, -12)
    chain.move_to_element(grips[0]).perform()
    assert page.text(".dragged").startswith("Why")
    assert page.run("return document.querySelector('.card.target').dataset.doc") == first
    page.mouse().release().perform()
    page.until("return document.querySelectorAll('#panel .text').length === 2")
    assert page.text("#panel h2") == f"Why is {first} above {second}?"
    assert "for the other" in page.text(".legend")


def test_two_results_are_picked_with_the_keyboard(page):
    page.search("BM25")
    names = page.order()
    page.press(Keys.ARROW_DOWN)
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, "p")
    assert page.text("#picked").startswith(names[2])
    page.press(Keys.ESCAPE)
    assert not page.find("#picked").is_displayed()
    page.press("p", Keys.HOME, "p")
    page.until("return document.querySelectorAll('#panel .text').length === 2")
    assert page.text("#panel h2") == f"Why is {names[0]} above {names[2]}?"
    assert page.run("return document.activeElement.tagName") == "H2"  # what one asked by a key is read
    page.press(Keys.ARROW_DOWN, "e")
    page.shown("#panel .answer .text")
    assert page.text("#panel h2") == f"Why is {names[0]} at rank 1?"


def test_a_recorded_run_offers_only_what_it_can(page):
    page.search("recorded", "BM25")
    assert len(page.all(".card")) == 20
    assert "has one query, '1'" in page.text(".column .note")  # the demo has no ids of queries
    acts = "return [...document.querySelectorAll(arguments[0])].map((one) => one.dataset.act)"
    assert set(page.run(acts, ".column:nth-of-type(1) .acts button:not([hidden])")) <= {"text"}
    assert "explain" in page.run(acts, ".column:nth-of-type(3) .acts button, .column .acts button")
    page.click(".column-head button")
    page.shown("#panel .terms")
    page.press(Keys.ESCAPE)
    page.search("recorded")
    assert page.texts(".results-bar button") == ["Explain intent"]
    for key in ("e", "p", "x", "m"):
        page.press(Keys.ARROW_DOWN, key)
        page.shown("#told", "recorded is a recorded run")
        page.run("document.getElementById('told').textContent = ''")
    page.press("q")
    assert not page.all(".editor")
    assert page.axe() == []


def test_one_of_two_rankers_fails_and_the_other_is_shown(page):
    page.search("down", "BM25")
    assert len(page.all(".card")) == 10
    assert "No results: The ranker at" in page.text(".column .failed")
    assert page.texts(".results-bar button")[0] == "Explain intent"
    assert "down" not in page.text(".card .score")  # nobody knows where it stands there
    assert page.axe() == []
    page.click("#intent")
    page.shown("#panel .terms")
    assert page.text("#panel h2") == "Intent of BM25 for “jaguar speed”"
    told = [one["message"] for one in page.driver.get_log("browser") if one["level"] == "SEVERE"]
    assert [one for one in told if "/search - Failed to load" not in one] == []


def test_words_in_snippets_have_the_colours_of_the_text_beside_them(page):
    page.search("BM25")
    page.click('.card [data-act="explain"]')
    page.shown("#panel .answer:not([aria-busy]) .text")
    tone = "return Object.fromEntries([...document.querySelectorAll(arguments[0])].map((one) => " \
        "[one.textContent.toLowerCase(), one.className]))"  # fmt: skip
    shown, panel = page.run(tone, ".snippet mark"), page.run(tone, "#panel .text mark:not(.none)")
    assert shown["jaguar"].startswith("for a")
    assert {word: panel[word] for word in shown if word in panel} == {
        word: shown[word] for word in shown if word in panel
    }
