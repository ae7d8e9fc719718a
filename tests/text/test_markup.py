"""Markup that gives no terms, and warnings of documents that are not the text they seem."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx import Analyzer
from intentx.errors import TextWarning
from intentx.perturbation import remove_terms
from intentx.text.checks import is_garbled, is_markup
from intentx.text.markup import strip_markup
from intentx.text.words import fold
from tests.strategies import texts

STRIPPING = Analyzer(strip_markup=True)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ('<div class="card" id=x>green&nbsp;tea</div>', ("green", "tea")),
        ("AT&amp;T &amp; R&amp;D", ("at&t", "r&d")),
        ("<b>key</b>board <i>piano</i>s", ("keyboard", "pianos")),
        ("<p>green</p><p>tea</p>black<br/>cup", ("green", "tea", "black", "cup")),
        ("caf&eacute; na&#239;ve &#x1F600;", ("café", "naïve", "😀")),
        ("<!-- note --><script>var x = 1;</script><style>p {color: red}</style>tea", ("tea",)),
        ("<!DOCTYPE html><html><head><title>Tea</title></head><body>pot", ("tea", "pot")),
        ("<?xml version='1.0'?><doc><text>tea</text></doc>", ("tea",)),
        ("a < b, tea <3 & pot", ("b", "tea", "3", "pot")),
        ("tea &lt;div&gt;", ("tea", "div")),
        ("手<b>机</b>", ("手机",)),
        ("no markup", ("markup",)),
        ("", ()),
    ],
)
def test_markup_gives_no_terms(text, terms):
    assert STRIPPING.terms(text) == terms


def test_places_are_those_of_the_source():
    text = '<p class="x">AT&amp;T makes <b>key</b>boards.</p><p>Green tea'
    tokens = STRIPPING.tokens(text)
    assert [text[t.start : t.end] for t in tokens] == [
        "AT&amp;T",
        "makes",
        "key</b>boards",
        "Green",
        "tea",
    ]
    assert tokens[-1].sentence > tokens[0].sentence
    assert text[STRIPPING.sentences(text)[-1] :].endswith("Green tea")
    assert (
        remove_terms(text, ["at&t"], STRIPPING)
        == '<p class="x"> makes <b>key</b>boards.</p><p>Green tea'
    )


PARTS = [
    "<b>",
    "</b>",
    "<p>",
    "<div class='x'>",
    "&nbsp;",
    "&amp;",
    "&eacute",
    "&",
    "<",
    ">",
    "<!--",
    "-->",
    "</",
    "<script>",
    "</script>",
    "tea",
    "pot ",
    "\n",
    "手机",
    "é",
    "<br/>",
    "&#x41;",
    "&#",
    "<a href=",
    '"',
]


@given(texts | st.lists(st.sampled_from(PARTS), max_size=15).map("".join))
def test_any_text_can_be_stripped(text):
    page = strip_markup(text)
    assert len(page.text) == len(page.starts) == len(page.ends)
    for analyzer in (STRIPPING, Analyzer(strip_markup=True, stopwords=(), ngrams=2)):
        tokens, starts = analyzer.tokens(text), analyzer.sentences(text)
        assert list(starts) == sorted(starts)
        for token in tokens:
            assert 0 <= token.start < token.end <= len(text)
            shown = strip_markup(text[token.start : token.end]).text
            assert analyzer.ngrams > 1 or "<" in text or fold(shown) == token.term
    if is_markup(text) is False and "<" not in text and "&" not in text:
        assert STRIPPING.tokens(text) == Analyzer().tokens(text)


@pytest.mark.parametrize(
    "text",
    [
        "<div class='x'>",
        "tea&nbsp;pot",
        "AT&amp;T",
        "x <br> y",
        "<p>tea",
        "</DOC>",
        "it&#39;s",
        "<a href=x>",
        "<!-- x -->",
        "<!DOCTYPE html>",
        "<TEXT lang='en'>",
        "List<b>x</b>",
    ],
)
def test_what_looks_like_html(text):
    assert is_markup(text)


@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "I <3 tea",
        "List<String> x",
        "Map<Object, Table> y",
        "if a<b and c>d",
        "R&D; AT&T",
        "x && y;",
        "vector<a> and Option<i>",
        "->",
        "<- here",
        "Q&A;",
        "<email@example.com>",
        "2<p>1",
    ],
)
def test_what_does_not(text):
    assert not is_markup(text)


@pytest.mark.parametrize(
    "text",
    [
        "It isnâ€™t",
        "it isnâ t",
        "isnâ",
        "donât",
        "weâre",
        "cafÃ©",
        "Ã¼ber",
        "Â£5 ",
        "isnâ\x80\x99t",
        "caf\ufffd",
        "Ð¿ÑÐ¸Ð²ÐµÑ",
    ],
)
def test_what_was_decoded_wrongly(text):
    assert is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "isn’t",
        "voilà le château",
        "hâlâ güzel",
        "São Paulo",
        "Ångström",
        "привет",
        "你好",
        "naïve “tea” – 5 £",
        "người Việt Nam",
        "â",
        "bânca, România",
        "D’où",
    ],
)
def test_what_was_not(text):
    assert not is_garbled(text)


def told(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if one.category is TextWarning]


def ranking(**docs):
    def count(query, texts):
        return [text.lower().count("tea") for text in texts]

    return ix.rank(count, "tea", docs)


def test_documents_that_look_like_html_are_told_once_and_by_name():
    one = ranking(a="tea tea tea pot", page="<div class='x'>tea tea</div>", c="tea boat", d="boat pot")
    [message] = told(lambda: ix.Multiplex().explain(one))
    assert "1 of 4 documents look like HTML, 'page'" in message
    assert "--strip-markup" in message
    assert not told(lambda: ix.EXS(samples=20).explain(one, 0))  # of this ranking it was said
    assert not told(lambda: ix.heldout_fidelity(ix.QueryTerms(), one, repeats=1))
    again = ranking(a="tea tea tea pot", page="<div class='x'>tea tea</div>", c="tea boat")
    assert len(told(lambda: ix.KernelSHAP(samples=20).explain(again, 0))) == 1
    other = ranking(a="tea tea", page="<div class='x'>tea</div>", c="boat")
    assert not told(lambda: ix.Multiplex(analyzer=STRIPPING).explain(other))


def test_documents_with_mojibake_are_told_by_name():
    one = ranking(a="tea tea", bad="it isnâ€™t tea", c="boat")
    [message] = told(lambda: ix.Multiplex(analyzer=STRIPPING).explain(one))
    assert "1 of 3 documents hold letters that were decoded wrongly" in message
    assert "'bad'" in message
    assert not told(lambda: ix.Multiplex().explain(ranking(a="boat", b="a < b, voilà, I <3 tea")))
