"""Segmenters of a user's own."""

import re

import pytest
from hypothesis import given

from intentx import Analyzer, InputError, IntentExplanation, Multiplex, Ranking
from intentx.text import segmenters
from intentx.text.segmenters import UnknownSegmenter, load_segmenter
from tests.strategies import texts


def halves(text):
    """Spans of words of three letters at most."""
    return [m.span() for m in re.finditer(r"\w{1,3}", text)]


class Tokenizer:
    """One that is an object and says who it is."""

    name, version = "mine", "1.2"

    def __call__(self, text):
        return (word for word in re.split(r"(\W)", text))  # blanks and signs among the words


def test_words_or_spans():
    assert Analyzer(segmenter=halves).terms("green tea") == ("gre", "en", "tea")
    analyzer = Analyzer(segmenter=Tokenizer())
    text = "Tea-pots, the TEA 😀"
    assert [text[t.start : t.end] for t in analyzer.tokens(text)] == ["Tea", "pots", "TEA", "😀"]
    assert analyzer.terms(text) == ("tea", "pots", "😀")
    assert Analyzer(segmenter=Tokenizer(), ngrams=2).terms("green tea") == ("green", "green tea", "tea")


@given(texts)
def test_any_text_can_be_cut_by_one(text):
    analyzer = Analyzer(segmenter=str.split, stopwords=())
    for token in analyzer.tokens(text):
        assert text[token.start : token.end].strip() == text[token.start : token.end] != ""


def test_blanks_around_a_word_are_none_of_it():
    analyzer = Analyzer(segmenter=lambda text: [" green ", "tea\n"])
    assert [t[1:3] for t in analyzer.tokens(" green tea\n")] == [(1, 6), (7, 10)]


@pytest.mark.parametrize(
    ("segmenter", "message"),
    [
        (lambda text: 1 / 0, "failed on 'green tea': ZeroDivisionError"),
        (lambda text: (1 / 0 for _ in text), "failed on 'green tea': ZeroDivisionError"),
        (lambda text: None, "failed on .*TypeError"),
        (lambda text: "green", "several words or spans, not one string"),
        (
            lambda text: ["green", "black"],
            "gave 'black', which is not in the text after position 5",
        ),
        (lambda text: ["tea", "green"], "gave 'green', which is not in the text"),
        (lambda text: [(0, 5), (4, 9)], r"gave \(4, 9\) after a word that ends at 5"),
        (lambda text: [(0, 10)], r"gave \(0, 10\) for a text of 9 characters"),
        (lambda text: [(-3, 5)], r"gave \(-3, 5\) for a text"),
        (lambda text: [(5, 0)], r"gave \(5, 0\) for a text"),
        (lambda text: [5, 9], r"words or spans \(start, end\), not 5"),
        (lambda text: [(0.5, 2)], r"words or spans \(start, end\), not \(0.5, 2\)"),
        (lambda text: [(0, 1, 2)], r"words or spans \(start, end\), not \(0, 1, 2\)"),
    ],
)
def test_what_is_no_segmenter_is_told(segmenter, message):
    with pytest.raises(InputError, match=message) as raised:
        Analyzer(segmenter=segmenter).tokens("green tea")
    assert "test_segmenters:" in str(raised.value)


def test_names_and_versions_are_recorded():
    assert Analyzer(segmenter=Tokenizer()).to_dict()["segmenter"] == {"name": "mine", "version": "1.2"}
    recorded = Analyzer(segmenter=halves).to_dict()["segmenter"]
    assert recorded == {"name": "tests.text.test_segmenters:halves", "version": None}
    assert Analyzer(segmenter=pytest.approx).to_dict()["segmenter"]["version"] == pytest.__version__


def test_an_explanation_comes_back_with_its_segmenter(monkeypatch):
    docs = {"a": "tea in a pot", "b": "tea with milk", "c": "a boat"}
    ranking = Ranking.from_run({"a": 3, "b": 2, "c": 1}, "tea", docs)
    text = Multiplex(analyzer=Analyzer(segmenter=halves)).explain(ranking).to_json()
    assert IntentExplanation.from_json(text).analyzer == Analyzer(segmenter=halves)
    assert IntentExplanation.from_json(text).to_json() == text
    # A process that was not given it imports nothing, and reads what needs no words.
    monkeypatch.setattr(segmenters, "_SEEN", {})
    found = IntentExplanation.from_json(text)
    assert found.analyzer.segmenter == UnknownSegmenter("tests.text.test_segmenters:halves")
    assert found.to_json() == text
    with pytest.raises(InputError, match=r"made with the segmenter tests\.text\.test_segmenters:halves"):
        found.analyzer.tokens("tea")


def test_segmenters_by_name():
    assert load_segmenter("tests.text.test_segmenters:halves") is halves
    assert load_segmenter("builtins:str.split")("a b") == ["a", "b"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("jieba", "module:callable, such as jieba:lcut, not 'jieba'"),
        ("no_such_module:cut", "module 'no_such_module' cannot be imported"),
        ("re:no_such", "module 're' has no 'no_such'"),
        ("re:I", "re:I is not callable"),
        (":x", "module:callable"),
    ],
)
def test_what_names_no_segmenter_is_told(spec, message):
    with pytest.raises(InputError, match=message):
        load_segmenter(spec)
