"""The page that compares rankers: escaped, complete, small, and readable in a browser."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

import intentx as ix
from intentx.comparison.compare import compare_rankers
from intentx.comparison.results import Comparison
from intentx.errors import InputError
from intentx.report.pages.comparison import comparison_page, write_comparison
from intentx.report.tables.comparison import p_value, rich_comparison
from intentx.study.data import Topic
from tests.report.test_page import EVIL, Reader
from tests.toys import Failing

METHOD = ix.Multiplex(
    simple_rankers=(ix.TextMatching(),), generality=0, candidates=15, pool=0, max_terms=3
)


def made_topic(number, documents=16, query="keyboard reviews"):
    generator = np.random.default_rng(number)
    docs = {}
    for i in range(documents):
        words = generator.choice("stone river lamp cloud chair".split(), 8).tolist()
        words += ["keyboard"] * int(generator.integers(0, 3)) + [["piano"], ["switches"]][i % 2]
        docs[f"d{number}-{i}"] = " ".join(generator.permutation(words).tolist())
    return Topic(f"q{number}", query, docs, tuple(docs))


def paying(word):
    return lambda query, texts: [
        t.count("keyboard") + 2 * (word in t) + 0.1 * (len(t) % 7) for t in texts
    ]


def compared(topics, **more):
    rankers = {"music": paying("piano"), "typing": paying("switches"), **more}
    return compare_rankers(rankers, topics, method=METHOD)


@pytest.fixture(scope="module")
def eight():
    return compared([made_topic(number) for number in range(8)])


def printed(comparison, width=100):
    from rich.console import Console

    console = Console(width=width, highlight=False, markup=False)
    with console.capture() as captured:
        for part in rich_comparison(comparison):
            console.print(part)
    return captured.get()


def test_everything_is_on_the_page_and_balanced(eight):
    read = Reader(comparison_page(eight))
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "link", "iframe"})
    assert sum(tag == "details" and attrs.get("class") == "query" for tag, attrs in read.tags) == 8
    anchors = {attrs["id"] for _, attrs in read.tags if "id" in attrs}
    wanted = {attrs["href"][1:] for tag, attrs in read.tags if tag == "a"}
    assert wanted <= anchors
    assert "What music prefers and typing does not" in read.text
    assert "piano" in read.text
    one = eight.queries[0].disagreement("music", "typing")
    assert f"{one.pairs} pairs of {one.of} in different order" in read.text


def test_bars_are_blue_for_and_orange_against(eight):
    source = comparison_page(eight)
    part = source[source.index("What <bdi>music</bdi> prefers") :]
    row = part[part.index("<bdi>piano</bdi>") :]
    assert row.index('class="plus"') < row.index("</tr>")
    row = part[part.index("<bdi>switches</bdi>") :]
    assert row.index('class="minus"') < row.index("</tr>")


def test_what_users_wrote_is_never_markup(eight):
    docs = {EVIL: f"piano {EVIL}", **made_topic(0).docs}
    evil = Topic(EVIL, EVIL, docs, tuple(docs))
    rankers = {EVIL: paying("piano"), "b": paying("switches")}
    found = compare_rankers(rankers, [evil], method=METHOD)
    query = dataclasses.replace(found.queries[0], failed={EVIL: EVIL})
    biases = tuple(
        dataclasses.replace(one, terms=tuple(dataclasses.replace(b, name=EVIL) for b in one.terms))
        for one in found.biases
    )
    found = dataclasses.replace(
        found, queries=(query,), biases=biases, settings={EVIL: EVIL}, rankers={EVIL: EVIL, "b": "x"}
    )
    read = Reader(comparison_page(found, title=EVIL))
    assert "script" not in {tag for tag, _ in read.tags}
    assert "onerror" not in {key for _, attrs in read.tags for key in attrs}
    assert read.text.count(EVIL) >= 10
    assert "[b]" in printed(
        dataclasses.replace(found, queries=(dataclasses.replace(query, query="[b]"),))
    )


def test_failures_have_their_reasons_on_the_page_and_in_the_text():
    topics = [made_topic(0), made_topic(1)]
    topics[1] = dataclasses.replace(topics[1], docs={**topics[1].docs, "d1-0": "poison"})
    one = compared(topics, weak=Failing())
    none = compare_rankers({"weak": Failing(), "music": paying("piano")}, topics[1:], method=METHOD)
    for found in (one, none):
        for shown in (Reader(comparison_page(found)).text, printed(found)):
            assert "cannot read this" in shown
    assert "1 query" not in Reader(comparison_page(none)).text.split("explained")[0]
    assert "could not be compared" in Reader(comparison_page(none)).text


def test_three_rankers_each_against_the_others():
    found = compared([made_topic(0), made_topic(1)], plain=paying("nothing"))
    text = Reader(comparison_page(found)).text
    assert "What plain prefers and all others do not" in text
    assert "music against typing and plain" in text
    assert "plain, not the others" in printed(found)


def test_the_same_page_after_json_and_every_time(eight):
    source = comparison_page(eight)
    assert comparison_page(Comparison.from_json(eight.to_json())) == source
    assert comparison_page(eight) == source


def test_many_queries_stay_small(eight):
    many = dataclasses.replace(eight, queries=eight.queries * 6)
    assert len(comparison_page(many).encode()) < 1_500_000
    assert "<details open" not in comparison_page(many)
    few = dataclasses.replace(eight, queries=eight.queries[:2])
    assert comparison_page(few).count('class="query" open') == 2


def test_writing(eight, tmp_path):
    path = write_comparison(tmp_path / "page.html", eight)
    assert path.read_text(encoding="utf-8") == comparison_page(eight)
    with pytest.raises(InputError, match="no folder"):
        write_comparison(tmp_path / "none" / "page.html", eight)
    with pytest.raises(InputError, match="at least one query"):
        comparison_page(dataclasses.replace(eight, queries=()))


def test_the_text_has_signs_and_the_table(eight):
    text = printed(eight)
    assert "+piano" in text
    assert "−switches" in text
    assert "Kendall τ-b" in text
    assert p_value(math.nan) == "–"


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1200])
def test_in_a_browser_nothing_is_wider_than_the_window(eight, browser, tmp_path: Path, width):
    path = write_comparison(tmp_path / "page.html", eight)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())
    for details in browser.find_elements("css selector", "details.query > summary"):
        browser.execute_script("arguments[0].click()", details)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.find_element("css selector", "details.query table.signed").is_displayed()
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
