import dataclasses
import json
import math

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.evaluation.survey_answers import ANSWERS


def question(number):
    return ix.SurveyQuestion(f"query {number}", f"d{number}", f"one {number} two", "one", "two")


QUESTIONS = [question(number) for number in range(8)]
SURVEY = ix.Survey.draw(("vanilla", "gradcam"), QUESTIONS, copies=3, seed=4)


def answered(assessor, first, copy=0, survey=SURVEY):
    """Answers of an assessor who prefers the first method, the second, or neither, by question."""
    choices = {}
    for number, choice in enumerate(first):
        if choice is None:
            continue
        left = survey.sides[copy][number] == choice
        choices[number] = "same" if choice == "same" else "left" if left else "right"
    return ix.SurveyAnswers(survey.id, copy, assessor, choices, f"{assessor}.json")


def test_sides_are_drawn_and_balanced_and_each_copy_has_its_own():
    assert [sum(row) for row in SURVEY.sides] == [4, 4, 4]
    assert len(set(SURVEY.sides)) == 3
    assert len(set(SURVEY.order)) == 3
    assert ix.Survey.draw(SURVEY.methods, QUESTIONS, copies=3, seed=4) == SURVEY
    assert ix.Survey.draw(SURVEY.methods, QUESTIONS, copies=3, seed=5).id != SURVEY.id
    for copy in range(3):
        shown = SURVEY.shown(copy)
        assert [number for number, *_ in shown] == list(SURVEY.order[copy])
        for number, one, left, right in shown:
            assert one == QUESTIONS[number]
            assert (left, right) == (("one", "two") if SURVEY.sides[copy][number] else ("two", "one"))


def test_an_odd_number_of_questions_favours_no_side_over_many_surveys():
    lefts = [sum(ix.Survey.draw(("a", "b"), QUESTIONS[:3], seed=s).sides[0]) for s in range(40)]
    assert set(lefts) == {1, 2}
    assert 0.4 < np.mean(lefts) / 3 < 0.6


def test_the_count_knows_who_stood_where():
    found = SURVEY.count(
        [
            answered("ann", [True] * 8, copy=0),
            answered("bob", [True] * 6 + [False] * 2, copy=1),
            answered("cy", [True] * 5 + ["same", None, False], copy=2),
        ]
    )
    assert (found.prefer_first, found.prefer_second, found.prefer_none) == (19, 3, 1)
    assert (found.assessors, found.questions, found.unanswered) == (3, 8, 1)
    assert found.share == pytest.approx(19.5 / 23)
    assert found.low < found.share < found.high <= 1
    assert found.agreement == pytest.approx((6 + 5 + 6) / 22)
    ones = [answered("ann", [True] * 8)]
    lefts = [
        ix.SurveyAnswers(SURVEY.id, n % 2, str(n), dict.fromkeys(range(8), "left")) for n in range(6)
    ]
    assert SURVEY.count(ones).left == 0.5
    both = SURVEY.count(lefts)
    assert (both.left, both.share) == (1, 0.5)
    assert "Whatever stands on the left is preferred" in both.sentence


def test_the_interval_is_of_assessors_and_of_questions():
    one = SURVEY.count([answered("ann", [True] * 6 + [False] * 2)])
    values = np.array([1] * 6 + [0] * 2)
    reach = 2.3646 * values.std(ddof=1) / math.sqrt(8)
    assert (one.low, one.high) == pytest.approx((0.75 - reach, 1.0), abs=1e-4)
    split = SURVEY.count([answered(str(n), [n % 2 == 0] * 8) for n in range(10)])
    assert split.share == 0.5
    reach = 2.2622 * math.sqrt(10 / 36) / math.sqrt(10)
    assert split.high - 0.5 == pytest.approx(reach, abs=1e-4)
    assert split.preferred is None
    assert "cannot be told" in split.sentence


@pytest.mark.parametrize(("assessors", "told"), [(1, True), (2, False), (5, False), (6, True)])
def test_answers_that_are_all_the_same_are_sure_only_where_they_are_many(assessors, told):
    found = SURVEY.count([answered(str(n), [False] * 8) for n in range(assessors)])
    number = 8 if assessors == 1 else assessors
    assert (found.share, found.low, found.high) == (0, 0, pytest.approx(1 - 0.025 ** (1 / number)))
    assert found.preferred == ("gradcam" if told else None)


def test_intervals_hold_what_is_true_about_as_often_as_they_say():
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(80):  # assessors and questions both lean either way; nothing on the whole
        lean = generator.normal(size=(9, 1)) + generator.normal(size=(1, 8))
        chosen = lean + generator.normal(size=(9, 8)) > 0
        found = SURVEY.count([answered(str(n), row.tolist()) for n, row in enumerate(chosen)])
        held += found.low <= 0.5 <= found.high
    assert held >= 74


def test_same_snippets_are_not_asked():
    same = dataclasses.replace(QUESTIONS[0], second="one")
    survey = ix.Survey.draw(("a", "b"), [same, *QUESTIONS[1:3]])
    assert (len(survey.questions), survey.same) == (2, 1)
    with pytest.raises(InputError, match="the same snippet of all 1 documents"):
        ix.Survey.draw(("a", "b"), [same])


@pytest.mark.parametrize("answers", [SURVEY, SURVEY.count([answered("a", [True] * 8)])])
def test_files_come_back(tmp_path, answers):
    path = tmp_path / "kept.json"
    path.write_text(answers.to_json(), encoding="utf-8")
    assert ix.load(path) == answers


def test_a_key_that_was_changed_is_refused():
    plain = SURVEY.to_dict()
    plain["sides"] = [*plain["sides"][1:], plain["sides"][0]]
    with pytest.raises(InputError, match="no Survey: format is 'x', not"):
        ix.Survey.from_dict({"format": "x"})
    with pytest.raises(InputError, match="its id is that of other questions"):
        ix.Survey.from_dict(plain)
    with pytest.raises(InputError, match="it lacks methods"):
        ix.Survey.from_dict({key: value for key, value in SURVEY.to_dict().items() if key != "methods"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"survey": "other"}, "ann.json answers another survey"),
        ({"copy": 3}, "answers copy 4 of 3"),
        ({"choices": {9: "left"}}, "answers question 9, which there is not"),
    ],
)
def test_answers_that_do_not_fit_the_key_are_refused(change, message):
    wrong = dataclasses.replace(answered("ann", [True] * 8), **change)
    with pytest.raises(InputError, match=message):
        SURVEY.count([wrong])
    with pytest.raises(InputError, match="both by 'ann'"):
        SURVEY.count([answered("ann", [True] * 8), answered("ann", [False] * 8, copy=1)])
    with pytest.raises(InputError, match="no question is answered"):
        SURVEY.count([answered("ann", [])])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "x"}, "no answers to a survey: format is 'x'"),
        ({"answers": [1]}, "answers must be an object of choices"),
        ({"answers": {"1": "up"}}, "question 1 is answered by one of left, right, same, not 'up'"),
        ({"answers": {"-1": "left"}}, "known by its number, not '-1'"),
        ({"copy": True}, "copy must be a whole number"),
        ({"assessor": " "}, "assessor must be a text"),
    ],
)
def test_broken_files_of_answers_name_the_file(tmp_path, change, message):
    path = tmp_path / "answers.json"
    plain = {"format": ANSWERS, "survey": SURVEY.id, "copy": 0, "assessor": "ann", "answers": {}}
    path.write_text(json.dumps(plain | change))
    with pytest.raises(InputError, match=message) as told:
        ix.read_answers(str(path))
    assert "answers.json" in str(told.value)
