import json

import pytest

import intentx as ix
from intentx.report.pages.survey import survey_page, write_survey

TEXT = "<b>one</b> two & three, and </script><script>alert(1)</script>"
QUESTIONS = [
    ix.SurveyQuestion(f"query <i>{n}</i>", f"secret-{n}", TEXT, "one", "two & three") for n in range(3)
]
SURVEY = ix.Survey.draw(("vanilla", "gradcam"), QUESTIONS, copies=2)


def test_the_page_does_not_say_which_is_which():
    page = survey_page(SURVEY)
    assert "vanilla" not in page
    assert "gradcam" not in page
    assert "secret-0" not in page
    assert "<i>" not in page
    assert page.count("<blockquote") == 6


def test_an_assessor_answers_and_the_answers_are_counted(browser, tmp_path):
    pages, key = write_survey(tmp_path, SURVEY)
    assert [page.name for page in pages] == ["survey-1.html", "survey-2.html"]
    browser.get(pages[1].as_uri())
    browser.execute_script("localStorage.clear()")
    browser.get(pages[1].as_uri())
    browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    shown = SURVEY.shown(1)
    for card, (_, _, left, right) in zip(
        browser.find_elements("class name", "question"), shown, strict=True
    ):
        assert [one.text for one in card.find_elements("tag name", "blockquote")] == [left, right]
    save = browser.find_element("id", "save")
    save.click()
    assert "name or initials" in browser.find_element("id", "state").text
    browser.find_element("id", "who").send_keys("Ann B.")
    wanted = [(shown[0][0], "left"), (shown[2][0], "same")]
    for number, choice in wanted:
        browser.find_element("css selector", f'input[name="q{number}"][value="{choice}"]').click()
    assert browser.find_element("id", "state").text == "2 of 3 answered."
    browser.refresh()
    assert browser.find_element("id", "state").text == "2 of 3 answered.", "kept over a reload"
    save = browser.find_element("id", "save")
    save.click()
    assert "1 not answered" in browser.find_element("id", "state").text
    assert len(browser.find_elements("css selector", ".question.missing")) == 1
    save.click()
    assert "2 answers saved as answers-Ann-B-.json" in browser.find_element("id", "state").text
    path = tmp_path / "answers-Ann-B-.json"
    for _ in range(100):
        if path.exists():
            break
        browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert json.loads(path.read_text())["assessor"] == "Ann B."
    found = ix.load(key).count([ix.read_answers(str(path))])
    left_is_first = SURVEY.sides[1][shown[0][0]]
    assert (found.prefer_first, found.prefer_second) == ((1, 0) if left_is_first else (0, 1))
    assert (found.prefer_none, found.unanswered) == (1, 1)


@pytest.mark.parametrize("copy", [0, 1])
def test_the_same_survey_gives_the_same_pages(copy):
    assert survey_page(SURVEY, copy) == survey_page(SURVEY, copy)
    assert survey_page(SURVEY, 0) != survey_page(SURVEY, 1)
