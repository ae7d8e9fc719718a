import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import BlackBox, Document, InputError, Ranking, rank
from tests.toys import Counting, by_length, ranked, returning

DOCS = {"x": "bb", "y": "cccc", "z": "a"}


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12))
def test_best_first_and_ties_in_input_order(scores):
    ranking = ranked([f"text {i}" for i in range(len(scores))], scores)
    order = [int(doc_id[1:]) for doc_id in ranking.doc_ids]
    assert order == sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    assert ranking.scores.tolist() == sorted(scores, reverse=True)
    assert ranking.texts == tuple(f"text {i}" for i in order)
    assert len(ranking) == len(scores)


@pytest.mark.parametrize(
    ("docs", "ids"),
    [
        (list(DOCS.values()), ("1", "0", "2")),
        (DOCS, ("y", "x", "z")),
        ({1: "bb", 2: "cccc"}, ("2", "1")),
        ([Document(i, t) for i, t in DOCS.items()], ("y", "x", "z")),
        ([Document("long", "b", title="A title"), Document("y", "cccc")], ("long", "y")),
        (np.array(["bb", "cccc"]), ("1", "0")),
        (iter(["bb", "cccc"]), ("1", "0")),
        (["only"], ("0",)),
    ],
)
def test_documents_in_every_form(docs, ids):
    assert rank(by_length, "q", docs).doc_ids == ids


def test_rankers_see_the_title_above_the_text():
    scorer = Counting()
    ranking = rank(scorer, "q", [Document("d", "text", title="Title")])
    assert {*scorer.texts} == {"Title\ntext"} == {*ranking.texts}


def test_a_ranking_cannot_be_changed():
    scores = np.array([1.0, 2.0])
    ranking = ranked(["a", "b"], scores)
    with pytest.raises(ValueError, match="read-only"):
        ranking.scores[0] = 9
    scores[:] = 7
    assert ranking.scores.tolist() == [2, 1]
    with pytest.raises(AttributeError):
        ranking.query = "other"


def test_a_black_box_is_shared_and_a_callable_wrapped():
    box = BlackBox(by_length)
    assert rank(box, "q", DOCS).scorer is box
    assert rank(by_length, "q", DOCS).scorer.scorer is by_length
    assert rank(box, "q", DOCS).subset([0, 2]).scorer is box


def test_a_subset_keeps_order_and_scores():
    part = ranked(["a", "b", "c", "d"]).subset(iter([3, 1, 1]))
    assert (part.doc_ids, part.texts, part.scores.tolist()) == (("d1", "d3"), ("b", "d"), [-1, -3])


def test_positions_by_id_and_number():
    ranking = rank(by_length, "q", DOCS)
    assert [ranking.position(doc) for doc in ("y", "z", 1, np.int64(2))] == [0, 2, 1, 2]
    with pytest.raises(InputError, match="no document 'w' in the ranking; it has 'y', 'x', 'z'"):
        ranking.position("w")
    for outside in (3, -1):
        with pytest.raises(InputError, match=f"no position {outside} in a ranking of 3 documents"):
            ranking.position(outside)


def test_a_recorded_run():
    ranking = Ranking.from_run({"z": 1, "x": 3.5}, "q", DOCS)
    assert ranking.doc_ids == ("x", "z")
    assert ranking.scores.tolist() == [3.5, 1]
    assert ranking.scorer is None
    with pytest.raises(InputError, match=r"EXS must ask the ranker.*recorded one.*intentx.rank"):
        ranking.black_box("EXS")
    by_number = Ranking.from_run({7: 1.0}, "q", {7: "seven"})
    assert by_number.doc_ids == ("7",)


def test_a_run_that_names_documents_that_are_not_there():
    run = {f"m{i}": float(i) for i in range(8)} | {"x": 1.0}
    with pytest.raises(InputError, match=r"run for 'my query' names 8 of 9 documents.*'m4' and 3 more"):
        Ranking.from_run(run, "my query", DOCS)


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        ([], "no documents to rank"),
        ({}, "no documents to rank"),
        (None, "no documents to rank: docs is None"),
        ("one text", "not a single one; put it in a list"),
        (b"bytes", "not a single one"),
        (Document("a", "text"), "not a single one"),
        ([b"bytes"], "text of document '0' must be a string, not bytes"),
        ({"a": None}, "text of document 'a' must be a string, not NoneType"),
        ([Document("a", "text", title=None)], "title of document 'a' must be a string, not NoneType"),
        ([Document("a", "1"), Document("a", "2")], "must be distinct; repeated: 'a'"),
        ({1: "x", "1": "y"}, "must be distinct; repeated: '1'"),
    ],
)
def test_unusable_documents(docs, message):
    with pytest.raises(InputError, match=message):
        rank(by_length, "q", docs)


@pytest.mark.parametrize("query", ["", "  \n", None, 3])
def test_unusable_queries(query):
    scorer = Counting()
    with pytest.raises(InputError, match="query must be a text with at least one character"):
        rank(scorer, query, DOCS)
    assert not scorer.calls


@pytest.mark.parametrize(
    ("ids", "texts", "scores", "message"),
    [
        (("a",), ("t",), [1.0, 2.0], "one entry per document, not 1(, 1)? and shape"),
        (("a",), ("t",), [[1.0]], "one entry per document"),
        (("a",), ("t",), 1.0, r"one entry per document, not 1(, 1)? and shape \(\)"),
        ((), (), [], "at least one document"),
        (("a", "b"), ("t", "u"), [1.0, np.nan], "document 'b' has the score nan"),
        (("a", "a"), ("t", "u"), [1.0, 2.0], "repeated: 'a'"),
    ],
)
def test_rankings_that_make_no_sense(ids, texts, scores, message):
    with pytest.raises(InputError, match=message):
        Ranking("q", ids, texts, scores)


@given(st.permutations(range(5)))
def test_the_order_of_the_input_does_not_matter_without_ties(order):
    texts = [word * (3 + i) for i, word in enumerate("abcde")]
    ids = [f"d{i}" for i in order]
    shuffled = rank(by_length, "q", dict(zip(ids, (texts[i] for i in order), strict=True)))
    assert shuffled.doc_ids == ("d4", "d3", "d2", "d1", "d0")


def test_duplicate_texts_are_documents_of_their_own():
    scorer = Counting()
    ranking = rank(scorer, "q", ["same", "same", "other one"])
    assert ranking.doc_ids == ("2", "0", "1")
    assert len(scorer.calls[0][1]) == 2


def test_equal_scores_are_a_ranking():
    assert rank(returning(lambda texts: [0] * len(texts)), "q", DOCS).doc_ids == ("x", "y", "z")
    assert repr(rank(by_length, "q", DOCS)) == "<Ranking of 3 documents for 'q', 'y' first>"


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("high", "scores of a ranking must be numbers: .*'high'"),
        (None, "document 'x' has the score nan"),
        ([1, 2], r"one entry per document, not 1(, 1)? and shape \(1, 2\)"),
    ],
)
def test_scores_of_a_run_that_are_no_numbers(score, message):
    with pytest.raises(InputError, match=message):
        Ranking.from_run({"x": score}, "q", DOCS)
    assert Ranking.from_run({"x": "3.5", "y": "4"}, "q", DOCS).scores.tolist() == [4, 3.5]


def test_a_run_of_ids_alone_keeps_their_order():
    docs = {"a": "tea", "b": "pot", "7": "milk"}
    ranking = Ranking.from_run(["b", 7, "a"], "tea", docs)
    assert ranking.doc_ids == ("b", "7", "a")
    assert ranking.scores.tolist() == [0, -1, -2]
    with pytest.raises(InputError, match="distinct"):
        Ranking.from_run({7: 1.0, "7": 2.0}, "tea", docs)
    with pytest.raises(InputError, match="not one string"):
        Ranking.from_run("ba", "tea", docs)
