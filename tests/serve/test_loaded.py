"""What a worker remembers of the texts that rankers scored stays within a limit."""

import pytest

import intentx.serve.loaded
from intentx.ranking import Document
from intentx.serve.loaded import Loaded
from intentx.serve.turns import Turns

DOCS = [Document(str(number), "piano " * number) for number in range(1, 4)]


@pytest.fixture
def loaded(monkeypatch):
    monkeypatch.setattr(intentx.serve.loaded, "MOST_KNOWN", 20)
    return Loaded({"R": "tests.toys:by_length"}, {}, Turns())


def ask(loaded, query, versions):
    """A question that has versions of texts scored; the box that it asked."""
    box = loaded.box("R", "none", query, DOCS)
    box(query, ["x" * number for number in range(1, versions + 1)])
    return box


def test_the_oldest_scores_are_forgotten_where_all_together_are_too_many(loaded):
    first, second, third = (ask(loaded, query, 9) for query in "abc")
    assert loaded.box("R", "none", "b", DOCS) is second, "the second and third are within the limit"
    assert loaded.box("R", "none", "c", DOCS) is third
    assert loaded.box("R", "none", "a", DOCS) is not first


def test_one_ranking_alone_is_forgotten_once_it_has_too_many(loaded):
    box = ask(loaded, "a", 30)
    assert box.remembered == 30, "a question under way is not disturbed"
    assert loaded.box("R", "none", "a", DOCS) is box
    assert box.remembered == 0


def test_rankings_without_many_texts_are_limited_by_number(loaded, monkeypatch):
    monkeypatch.setattr(intentx.serve.loaded, "BOXES", 2)
    first, *_ = (ask(loaded, query, 1) for query in "abc")
    assert loaded.box("R", "none", "a", DOCS) is not first
