"""The page of a study in a real browser: it sorts, filters, opens queries, and runs nothing else."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

import pytest

from intentx.report.pages.study import study_page
from intentx.report.pictures.study import plots
from intentx.study.results import read_results
from tests.report import toy_studies
from tests.report.conftest import emulate

pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = pytest.mark.slow
QUERIES = [*toy_studies.queries(118), ("a/b #%ü 漢", "an id of all kinds"), ("last", "the last one")]
METHODS = ("QUERY-TERMS", "GREEDY-LM", "MULTIPLEX")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """A page about two rankers, three methods and 120 queries, two cells of which have failed."""
    folder = tmp_path_factory.mktemp("toy")
    toy_studies.write(folder, toy_studies.plan(methods=METHODS), QUERIES, failed={(2, 1), (7, 1)})
    results = read_results([folder])
    path = folder / "report.html"
    path.write_text(study_page(results, plots(results)), encoding="utf-8")
    return path, results


@pytest.fixture
def page(browser, toy):
    browser.get(toy[0].as_uri())
    return browser


def until(page, what):
    return WebDriverWait(page, 10).until(lambda _: what())


def rows(page, table="#metrics"):
    """Texts of the visible rows' heads and cells."""
    script = """return [...document.querySelectorAll(arguments[0] + " tbody tr")]
        .filter((row) => row.checkVisibility())
        .map((row) => [...row.cells].map((cell) => cell.firstChild.textContent))"""
    return page.execute_script(script, table)


def head(page, key, table="#metrics"):
    return page.find_element(By.CSS_SELECTOR, f'{table} th[data-key="{key}"]')


def sort(page, key, table="#metrics"):
    button = head(page, key, table).find_element(By.TAG_NAME, "button")
    page.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", button)
    button.click()
    return head(page, key, table).get_attribute("aria-sort")


def choose(page, word):
    """Click on a chip."""
    (chip,) = (
        one for one in page.find_elements(By.CSS_SELECTOR, "#table-controls .choice") if one.text == word
    )
    chip.click()


def sheet(page):
    """The text of the open query, or nothing."""
    dialog = page.find_element(By.ID, "query")
    return dialog.text if dialog.get_attribute("open") else ""


def test_sorting_reorders_the_table(page, toy):
    lines = toy[1].lines
    original = [[line.ranker, line.method] for line in lines]
    assert [row[:2] for row in rows(page)] == original
    assert head(page, "far").get_attribute("aria-sort") == "none"
    best = sorted(lines, key=lambda line: -line.metrics["far"].mean)
    names = [[line.ranker, line.method] for line in best]
    assert names != original
    assert sort(page, "far") == "descending"
    assert [row[:2] for row in rows(page)] == names
    assert sort(page, "far") == "ascending"
    assert [row[:2] for row in rows(page)] == names[::-1]
    assert sort(page, "far") == "none"
    assert [row[:2] for row in rows(page)] == original
    assert sort(page, "method") == "ascending"
    assert head(page, "far").get_attribute("aria-sort") == "none"
    assert [row[1] for row in rows(page)] == sorted(row[1] for row in original)


def test_a_column_sorts_by_its_own_metrics(page, toy):
    for key in ("all", "heldout_documents", "insertion", "ours", "queries"):
        sort(page, key)
        place = page.execute_script(
            """const cells = [...document.querySelectorAll("#metrics th[data-key]")];
            return cells.findIndex((cell) => cell.dataset.key === arguments[0])""",
            key,
        )
        values = [float(row[place].replace(",", "")) for row in rows(page)]
        assert values == sorted(values, reverse=True)
        line = max(toy[1].lines, key=lambda line: line.metrics[key].mean if key in line.metrics else 0)
        if key in line.metrics:
            assert rows(page)[0][:2] == [line.ranker, line.method]


def test_filters_hide_rows_and_columns(page):
    assert len(rows(page)) == 6
    choose(page, "MiniLM")
    assert [row[0] for row in rows(page)] == ["BM25"] * 3
    choose(page, "GREEDY-LM")
    assert [row[1] for row in rows(page)] == ["QUERY-TERMS", "MULTIPLEX"]
    find = page.find_element(By.CSS_SELECTOR, "#table-controls input[type=search]")
    find.send_keys("multi")
    assert rows(page)[0][:2] == ["BM25", "MULTIPLEX"]
    assert page.find_element(By.CSS_SELECTOR, "#table-controls output").text == "1 of 6 rows"
    find.send_keys("nobody")
    assert rows(page) == []
    find.clear()
    choose(page, "MiniLM")
    choose(page, "GREEDY-LM")
    assert len(rows(page)) == 6
    choose(page, "Held out")
    assert not head(page, "heldout_documents").is_displayed()
    assert head(page, "far").is_displayed()
    cells = page.find_elements(By.CSS_SELECTOR, "#metrics tbody tr:first-child td")
    assert sum(cell.is_displayed() for cell in cells) == len(cells) - 2


def test_a_query_opens_and_the_back_button_closes_it(page):
    link = page.find_element(By.LINK_TEXT, "query number 1 about keys")
    link.click()
    text = until(page, lambda: sheet(page))
    assert page.current_url.endswith("#query=q1")
    assert "“query number 1 about keys”" in text
    for part in ("BM25", "MiniLM", *METHODS, "keys", "stage"):
        assert part in text
    assert page.find_element(By.CSS_SELECTOR, "dialog:modal").is_displayed()
    page.back()
    until(page, lambda: not sheet(page))
    assert "#query" not in page.current_url
    page.forward()
    assert "number 1 " in until(page, lambda: sheet(page))


def test_a_sheet_shows_the_metrics_and_reasons_of_its_query(page, toy):
    page.get(toy[0].as_uri() + "#query=q2")
    assert "the ranker gave NaN" in until(page, lambda: sheet(page))
    for row in toy[1].rows():
        if row.qid == "q2" and not row.reason:
            found = page.execute_script(
                """const section = [...document.querySelectorAll("dialog section")]
                    .find((one) => one.querySelector("h3").textContent === arguments[0]);
                const row = [...section.querySelectorAll("tbody tr")]
                    .find((one) => one.querySelector("th bdi").textContent === arguments[1]);
                return [[...row.querySelectorAll(".chip")].map((one) => one.textContent),
                        row.querySelector("td").textContent]""",
                row.ranker,
                row.method,
            )
            assert found == [list(row.terms), f"{row.metrics['all']:.3f}".replace("0.", ".", 1)]


@pytest.mark.parametrize("close", ["escape", "button"])
def test_closing_a_sheet_goes_back_to_where_one_was(page, close):
    before = page.current_url
    page.find_element(By.LINK_TEXT, "query number 3 about <b>bold</b>").click()
    until(page, lambda: sheet(page))
    page.find_element(By.CSS_SELECTOR, 'dialog button[data-step="Next"]').click()
    assert "number 4 " in sheet(page)
    assert page.current_url.endswith("#query=q4")
    if close == "escape":
        page.switch_to.active_element.send_keys(Keys.ESCAPE)
    else:
        page.find_element(By.CSS_SELECTOR, "dialog button:last-child").click()
    until(page, lambda: page.current_url == before)
    assert not sheet(page)


def test_links_to_queries_work_from_outside(page, toy):
    address = toy[0].as_uri()
    page.get(f"{address}#query={quote(QUERIES[-2][0], safe='')}")
    page.refresh()
    assert "an id of all kinds" in until(page, lambda: sheet(page))
    page.find_element(By.CSS_SELECTOR, "dialog button:last-child").click()
    until(page, lambda: page.current_url == f"{address}#queries")
    for unknown in ("nobody", "%E0%A4%A"):
        page.get(f"{address}#query={unknown}")
        page.refresh()
        assert not sheet(page)
    page.get(address)
    page.execute_script("document.querySelector('#failures').open = true")
    page.find_element(By.CSS_SELECTOR, "#failures a").click()
    assert "number 2 " in until(page, lambda: sheet(page))


def test_queries_are_shown_in_pages_and_sorted_as_a_whole(page, toy):
    table = "#query-table"
    assert [len(rows(page, table)), rows(page, table)[0][0]] == [50, "query number 0 about piano"]
    buttons = page.find_elements(By.CSS_SELECTOR, "#query-pages button")
    buttons[3].click()
    assert [row[0] for row in rows(page, table)][-1] == "the last one"
    assert len(rows(page, table)) == 20
    assert not buttons[2].is_enabled()
    buttons[1].click()
    assert rows(page, table)[0][0].startswith("query number 50 ")

    Select(page.find_element(By.CSS_SELECTOR, "#query-controls select")).select_by_visible_text(
        "far pairs"
    )
    key = "1"  # the second method of the first ranker
    assert sort(page, key, table) == "descending"
    values = {
        row.qid: row.metrics.get("far") for row in toy[1].rows()
        if (row.ranker, row.method) == ("BM25", METHODS[1])
    }  # fmt: skip
    order = sorted((qid for qid in values if values[qid] is not None), key=lambda qid: -values[qid])
    texts = dict(QUERIES)
    assert [row[0] for row in rows(page, table)] == [texts[qid] for qid in order[:50]]
    assert rows(page, table)[0][2] == f"{values[order[0]]:.3f}".replace("0.", ".", 1)
    buttons[3].click()
    assert [row[2] for row in rows(page, table)][-2:] == ["failed", "failed"]
    sort(page, key, table)
    buttons[3].click()
    assert [row[2] for row in rows(page, table)][-2:] == ["failed", "failed"]  # last either way


def test_queries_are_found_by_text_and_id(page):
    find = page.find_element(By.CSS_SELECTOR, "#query-controls input[type=search]")
    find.send_keys("LAST")
    assert [row[0] for row in rows(page, "#query-table")] == ["the last one"]
    assert not page.find_element(By.ID, "query-pages").is_displayed()
    find.clear()
    find.send_keys("q117")
    assert len(rows(page, "#query-table")) == 1
    find.clear()
    find.send_keys("nothing of that kind")
    assert rows(page, "#query-table") == []


def test_the_other_ranker_has_its_own_columns(page, toy):
    ranker = page.find_elements(By.CSS_SELECTOR, "#query-controls select")[1]
    Select(ranker).select_by_visible_text("MiniLM")
    (row,) = (
        row
        for row in toy[1].rows()
        if (row.qid, row.ranker, row.method) == ("q0", "MiniLM", "MULTIPLEX")
    )
    shown = rows(page, "#query-table")[0][-1]
    assert shown == f"{row.metrics['heldout_documents']:.3f}".replace("0.", ".", 1)


def test_the_keyboard_does_it_all(page):
    button = head(page, "far").find_element(By.TAG_NAME, "button")
    page.execute_script("arguments[0].focus()", button)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert head(page, "far").get_attribute("aria-sort") == "descending"
    page.switch_to.active_element.send_keys(Keys.SPACE)
    assert head(page, "far").get_attribute("aria-sort") == "ascending"
    page.switch_to.active_element.send_keys(Keys.TAB)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert head(page, "sampled").get_attribute("aria-sort") == "descending"
    page.execute_script("document.querySelector('#table-controls input[type=checkbox]').focus()")
    page.switch_to.active_element.send_keys(Keys.SPACE)
    assert len(rows(page)) == 3
    # A head of the table of queries is made anew, and keeps the focus.
    page.execute_script("document.querySelector('#query-table th button').focus()")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert head(page, "query", "#query-table").get_attribute("aria-sort") == "ascending"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert head(page, "query", "#query-table").get_attribute("aria-sort") == "descending"
    link = page.find_element(By.CSS_SELECTOR, "#query-table tbody a")
    page.execute_script("arguments[0].focus()", link)
    link.send_keys(Keys.ENTER)
    until(page, lambda: sheet(page))
    assert page.execute_script("return document.activeElement.closest('dialog') !== null")
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(page, lambda: not sheet(page))
    assert page.execute_script("return document.activeElement.tagName") == "A"


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("anchor", ["", "#query=q2"])
def test_a_phone_scrolls_only_downwards(browser, toy, dark, anchor):
    emulate(browser, "dark" if dark else "light")
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(toy[0].as_uri() + anchor)
    browser.refresh()
    assert bool(sheet(browser)) == bool(anchor)
    wide = "const e = document.querySelector(arguments[0]); return [e.scrollWidth, e.clientWidth]"
    for part in ("html", "dialog") if anchor else ("html",):
        scroll, client = browser.execute_script(wide, part)
        assert scroll <= client <= 390
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(18, 22, 26)") == dark


def test_names_that_are_code_do_not_run(browser, tmp_path):
    evil = toy_studies.HOSTILE
    study = toy_studies.plan((evil, "B"), (f"1{evil}", f"2{evil}"), evil)
    toy_studies.write(
        tmp_path, study, [(f"{evil}{i}", f"{evil} {i}") for i in range(3)], failed={(1, 0)}
    )
    results = read_results([tmp_path])
    path = tmp_path / "report.html"
    path.write_text(study_page(results, plots(results)), encoding="utf-8")
    browser.get(path.as_uri())
    for i in range(3):
        link = browser.find_elements(By.CSS_SELECTOR, "#query-table tbody a")[i]
        browser.execute_script("arguments[0].click()", link)
        assert evil in until(browser, lambda: browser.execute_script(
            "const d = document.querySelector('dialog'); return d.open && d.textContent"
        ))  # fmt: skip
        browser.back()
        until(browser, lambda: not sheet(browser))
    for i in range(len(browser.find_elements(By.CSS_SELECTOR, "button.sort"))):
        browser.execute_script(f"document.querySelectorAll('button.sort')[{i}].click()")
    assert browser.execute_script("return window.hit === undefined")
    assert browser.find_elements(By.CSS_SELECTOR, "img, iframe") == []
    assert browser.title.startswith("<script>")


def test_the_policy_refuses_scripts_and_requests(chromium, toy):
    chromium.get(toy[0].as_uri())
    chromium.get_log("browser")
    chromium.execute_script(
        """const script = document.createElement("script");
        script.textContent = "window.hit = 1";
        const image = new Image();
        image.src = "http://127.0.0.1:9/x.png";
        document.body.append(script, image);
        document.body.insertAdjacentHTML("beforeend", "<b onclick='window.hit = 1' id='bait'>b</b>");
        document.getElementById("bait").click();"""
    )
    refused = until(chromium, lambda: chromium.get_log("browser"))
    assert chromium.execute_script("return window.hit === undefined")
    assert all("Content Security Policy" in one["message"] for one in refused)


def test_an_unfinished_study_is_marked(browser, tmp_path):
    toy_studies.write(tmp_path, toy_studies.plan(), toy_studies.queries(3), missing={(0, 0), (2, 5)})
    path = tmp_path / "report.html"
    path.write_text(study_page(read_results([tmp_path])), encoding="utf-8")
    browser.get(path.as_uri())
    told = browser.find_element(By.CSS_SELECTOR, "header [role=status]")
    assert told.is_displayed()
    assert told.text.startswith("Unfinished: 16 of 18 cells")
    assert rows(browser, "#query-table")[0][1] == "not yet"
    browser.get(f"{path.as_uri()}#query=q0")
    browser.refresh()
    assert "not measured yet" in until(browser, lambda: sheet(browser))


def test_without_a_script_the_table_is_there(browser, toy):
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(toy[0].as_uri())
        table = browser.find_element(By.ID, "metrics")
        for line in toy[1].lines:
            assert line.method in table.text
            assert f"{line.metrics['all'].mean:.3f}".removeprefix("0") in table.text
        assert "needs JavaScript" in browser.find_element(By.ID, "queries").text
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_terms_of_every_query_with_their_fidelity(browser, tmp_path):
    plan = dataclasses.replace(toy_studies.plan(rankers=("BM25",), methods=METHODS[:2]), by_query=True)
    queries = toy_studies.queries(4)
    toy_studies.write(tmp_path, plan, queries, failed={(1, 1)}, left_out=["heldout_pairs"])
    results = read_results([tmp_path])
    path = tmp_path / "report.html"
    path.write_text(study_page(results), encoding="utf-8")
    browser.get(path.as_uri())
    found = [row.split("\n") for row in browser.execute_script(
        "return [...document.querySelectorAll('#query-table tbody td')].map((cell) => cell.innerText)"
    )]  # fmt: skip
    for cell, row in zip(found, results.rows(), strict=True):
        text = " ".join(cell)
        if row.reason:
            assert text == "failed"
            continue
        for term in row.terms:
            assert term in text
        for name, head in (("all", "all pairs"), ("heldout_documents", "held-out documents")):
            assert f"{row.metrics[name]:.3f}".removeprefix("0") + f" {head}" in text
        assert "held-out pairs" not in text
    metric = Select(browser.find_element(By.CSS_SELECTOR, "#query-controls select"))
    assert metric.first_selected_option.text == "Terms, with fidelity"
    metric.select_by_visible_text("all pairs")
    first = next(iter(results.rows()))
    assert rows(browser, "#query-table")[0][1] == f"{first.metrics['all']:.3f}".removeprefix("0")
