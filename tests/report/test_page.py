"""The page: nothing of the user's text becomes markup, nothing is missing, nothing is invented."""

from __future__ import annotations

import dataclasses
import math
import re
import struct
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.evaluation.statistics import kendall_tau_b
from intentx.markup import percent
from intentx.preferences import Pairs
from intentx.report import page, write_page
from intentx.report.pages.explained_ranking import Senses, View
from intentx.report.pictures.heat import _image, vote_blocks

EVIL = """<script>alert("x")</script><b>'&amp;</b></style></title><img src=http://x.y/ onerror=a>"""
TEXTS = {
    "a": "The piano has eighty-eight keys. Piano keys sound warm.",
    "b": "Keyboard reviews: the stage piano and its Keys.",
    "c": "Reviews of a keyboard for typing all day",
    "d": "switches and keycaps of a quiet keyboard",
    "e": "a film festival",
}


def explain(texts=TEXTS, query="piano keys keyboard", method=None):
    scores = {doc_id: float(len(texts) - i) for i, doc_id in enumerate(texts)}
    ranking = ix.Ranking.from_run(scores, query, texts)
    return (method or ix.QueryTerms(simple_rankers=(ix.TextMatching(),))).explain(ranking)


class Reader(HTMLParser):
    """Checks that tags are balanced, and keeps tags, text, and the articles' marks."""

    VOID = ("meta", "img")

    def __init__(self, source):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.articles = {}  # anchor -> [text of its paragraph, spans of its marks]
        self._article = None
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in self.VOID:
            return
        self.open.append(tag)
        if tag == "article":
            self._article = self.articles.setdefault(dict(attrs)["id"], ["", []])
        if tag == "mark" and self._article and "p" in self.open:
            self._article[1].append(len(self._article[0]))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "article":
            self._article = None
        if tag == "mark" and self._article and "p" in self.open:
            self._article[1][-1] = (self._article[1][-1], len(self._article[0]))

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data
        if self._article and self.open[-1:] != ["em"] and "p" in self.open:
            self._article[0] += data


def test_what_the_user_wrote_is_never_markup():
    explanation = explain({**TEXTS, EVIL: f"piano {EVIL}"}, f"piano {EVIL}")
    terms = (EVIL, *explanation.terms[1:])
    explanation = dataclasses.replace(
        explanation, terms=terms, notes=(EVIL,), settings={EVIL: EVIL}, status=EVIL, method=EVIL
    )
    source = page(
        [explanation],
        title=EVIL,
        labels=[EVIL],
        senses={EVIL: EVIL, "a": "music"},
        sense_names={EVIL: EVIL},
    )
    read = Reader(source)
    names = {tag for tag, _ in read.tags}
    assert "script" not in names
    assert "onerror" not in {key for _, attrs in read.tags for key in attrs}
    assert sum(tag == "style" for tag, _ in read.tags) == 1
    assert read.text.count(EVIL) >= 8  # it is all there, as text


@pytest.mark.parametrize("senses", [None, {"a": "music", "c": "computer"}])
def test_nothing_is_requested(senses):
    source = page([explain()], senses=senses)
    tags = Reader(source).tags
    for _, attributes in tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"url\(|@import|https?:", source)
    (policy,) = (attributes["content"] for _, attributes in tags if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("stem", [None, "english"])
def test_terms_are_marked_exactly_where_they_occur(stem):
    method = ix.QueryTerms(simple_rankers=(ix.TextMatching(),), analyzer=ix.Analyzer(stem=stem))
    explanation = explain(query="piano key keyboard", method=method)
    articles = Reader(page([explanation])).articles
    assert len(articles) == len(TEXTS)
    for position, text in enumerate(explanation.ranking.texts):
        shown, spans = articles[f"d0-{position + 1}"]
        assert shown == text
        assert spans == explanation.analyzer.spans(text, explanation.terms)
    assert [s for _, s in articles.values()] != [[]] * len(TEXTS)


def test_overlapping_ngrams_are_marked_once():
    analyzer = ix.Analyzer(ngrams=3)
    method = ix.QueryTerms(simple_rankers=(ix.TextMatching(),), analyzer=analyzer)
    texts = {"a": "big red piano keys, red piano", "b": "red boat", "c": "piano"}
    explanation = explain(texts, "big red piano keys", method)
    assert "big red piano" in explanation.terms
    assert "red piano keys" in explanation.terms
    text = texts["a"]
    shown, spans = Reader(page([explanation])).articles["d0-1"]
    assert shown == text
    within = {i for start, end in analyzer.spans(text, explanation.terms) for i in range(start, end)}
    assert [i for start, end in spans for i in range(start, end)] == sorted(within)


@settings(max_examples=25, deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="\r"), max_size=60))
def test_any_text_is_shown_as_it_is(extra):
    texts = {"a": f"piano {extra} keys", "b": "keys", "c": f"{extra} a boat"}
    explanation = explain(texts, "piano keys")
    shown, spans = Reader(page([explanation])).articles["d0-1"]
    kept = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", texts["a"])
    assert shown == kept
    assert spans == explanation.analyzer.spans(texts["a"], explanation.terms)


def test_every_document_stands_on_both_sides():
    texts = {f"doc-{i:03}": f"piano {'keys ' * (i % 7)}number{i}" for i in range(60)}
    source = page([explain(texts)])
    for doc_id in texts:
        assert source.count(f'title="{doc_id}"') >= 2


def test_one_explanation_states_its_real_numbers():
    explanation = explain()
    text = Reader(page([explanation], labels=["BM25"])).text
    fidelity = explanation.fidelity
    assert f"{percent(fidelity.all)} of its 10 preferences" in text
    assert "Where they differ" not in text
    assert "Which sense comes first" not in text
    assert math.isnan(fidelity.far)
    assert "ranks apart." not in text.split("Intent terms")[0]
    assert "of the held-out ones" not in text
    assert "held-out documents" not in text
    assert "not measured: every pair was fitted" in text
    assert "not measured: no pair is 10 or more ranks apart" in text


def test_heldout_pairs_are_named_when_there_are_some():
    method = ix.QueryTerms(simple_rankers=(ix.TextMatching(),), pairs=Pairs([0, 0, 1], [1, 2, 3]))
    explanation = explain(method=method)
    text = Reader(page([explanation])).text
    assert f"{percent(explanation.fidelity.heldout)} of the held-out ones" in text
    assert "every pair was fitted" not in text


def test_two_explanations_are_compared():
    one = explain(query="piano reviews")
    scores = {doc_id: float(i) for i, doc_id in enumerate("dbace")}
    ranking = ix.Ranking.from_run(scores, "piano reviews", TEXTS)
    other = ix.IntentGreedy(max_terms=2).explain(ranking)
    other = dataclasses.replace(other, terms=("piano", "boats")[: len(other.terms)])
    text = Reader(page([one, other], labels=["BM25", "MiniLM"])).text
    assert "Only BM25: reviews" in text
    assert "Both: piano" in text
    first = np.array([5.0, 4, 3, 2, 1])
    tau = kendall_tau_b(first, np.array([scores[i] for i in "abcde"]))
    assert f"τ-b {tau:.2f}".replace("-0", "−0") in text
    assert "BM25 and MiniLM" in text


def test_rankings_without_common_documents_are_not_compared():
    other = explain({"x": "piano", "y": "a boat", "z": "keys"})
    assert "0 documents in common: too few to compare" in Reader(page([explain(), other])).text


def test_senses_are_counted():
    senses = {"a": "music", "b": "music", "c": "computer", "d": "computer"}
    source = page([explain()], senses=senses, sense_names={"music": "pianos", "unused": "nothing"})
    text = Reader(source).text
    assert "2 music, 2 computer, 1 without" in text
    assert "pianos" in text
    assert "unused" not in text
    assert source.count('class="chip"') == 2 + 4  # legend and documents


@pytest.mark.parametrize(
    "text", ["مفاتيح البيانو piano", "🎹 piano 👩‍👩‍👧 keys", "", " \n\t", "\ud800 piano \x00"]
)
def test_odd_texts(text, tmp_path):
    explanation = explain({**TEXTS, "odd": text}, "piano keys 🎹")
    source = page([explanation], senses={"odd": "א"})
    article = Reader(source).articles["d0-6"]
    assert 'dir="auto"' in source
    if text.strip():
        assert len(article[1]) == len(explanation.analyzer.spans(text, explanation.terms))
    else:
        assert "(empty)" in source
        assert not article[1]
    assert write_page(tmp_path / "p.html", [explanation]).stat().st_size > 10_000


def test_long_documents_are_cut():
    long = "piano keys and so on " * 10_000  # 210 kB
    explanation = explain({**TEXTS, "long": long})
    source = page([explanation])
    shown, spans = Reader(source).articles["d0-6"]
    assert shown == long[:5000]
    assert spans == [
        s for s in explanation.analyzer.spans(long[:5200], explanation.terms) if s[1] <= 5000
    ]
    assert "205,000 more characters" in source
    assert len(source) < 200_000


def test_300_documents():
    texts = {f"doc-{i:03}": f"piano {'keys ' * (i % 7)}" + "filler words " * 40 for i in range(300)}
    source = page([explain(texts)])
    assert len(source.encode()) < 3_000_000
    assert "texts of 100 documents below rank 200 are left out" in source
    assert "mean over 3 × 3 documents" in source
    assert len(Reader(source).articles) == 200


def test_documents_that_no_term_scores():
    explanation = explain({"a": "a film", "b": "a boat", "c": ""}, "zebra crossings")
    text = Reader(page([explanation])).text
    assert "0 % of its 3 preferences".replace(" %", "\u00a0%") in text
    assert "τ-b – between" in text
    assert "undefined" in text


@pytest.mark.parametrize("finest", [100, 6, 3])
def test_vote_blocks_are_means_over_pairs(finest):
    generator = np.random.default_rng(0)
    scores = ix.Ranking("q", tuple("abcdefg"), ("",) * 7, np.array([7.0, 6, 6, 4, 3, 3, 1])).scores
    values = ix.preferences.TermScores(generator.normal(size=(2, 3, 7)))
    matrices = ix.preferences.PreferenceMatrices(values, Pairs([0], [1]))
    sums = matrices.scaled.sum(axis=1)
    size = -(-7 // finest)
    found = vote_blocks(matrices, scores, finest)
    for row in range(found.shape[1]):
        for column in range(found.shape[2]):
            votes = [
                np.tanh(sums[:, i] - sums[:, j])
                for i in range(7)
                for j in range(7)
                if i // size == row and j // size == column and scores[i] > scores[j]
            ]
            if votes:
                mean = np.mean(votes, axis=0)
                np.testing.assert_allclose(found[:, row, column], [mean.sum(), *mean])
            else:
                assert np.isnan(found[:, row, column]).all()


def test_ties_are_no_move():
    texts = {"a": "film", "b": "boat", "c": "piano", "d": "piano keys", "e": "sea", "f": "piano keys"}
    scores = np.array([9.0, 5.0, 5.0, 5.0, 5.0, 1.0])
    ranking = ix.Ranking("piano keys", tuple(texts), tuple(texts.values()), scores)
    explanation = ix.QueryTerms(simple_rankers=(ix.TextMatching(),)).explain(ranking)
    view = View(explanation, "", 0, Senses())
    # explained: d and f tied on places 0 and 1, c on 2, then a, b and e tied on 3 to 5
    assert [explanation.ranking.doc_ids[i] for i in explanation.explained_order] == list("dfcabe")
    assert view.tied == (
        (False, True, True, True, True, False),
        (True, True, False, True, True, True),
    )
    assert view.moves == (-3, 0, 0, 0, 0, 4)
    assert [view.move_colour(i) for i in range(6)] == ["m2", "m0", "m0", "m0", "m0", "m3"]


def test_colours_of_a_picture():
    import base64

    source = _image(np.array([[1.0, -1, 0, np.nan], [9, 0.001, -0.001, -9]]), 1, "x")
    data = base64.b64decode(source.split("base64,")[1].split('"')[0])
    assert struct.unpack(">II", data[16:24]) == (4, 2)
    start = data.index(b"IDAT") + 4
    (length,) = struct.unpack(">I", data[start - 8 : start - 4])
    rows = zlib.decompress(data[start : start + length])
    assert list(rows) == [0, 101, 201, 1, 0, 0, 101, 2, 102, 201]


def test_the_same_page_twice_and_after_a_round_trip():
    explanation = explain()
    again = ix.IntentExplanation.from_json(explanation.to_json())
    assert page([explanation]) == page([explanation]) == page([again])


def test_bad_input(tmp_path):
    with pytest.raises(ix.InputError, match=r"there is no folder .*nowhere; create it first"):
        write_page(tmp_path / "nowhere" / "p.html", [explain()])
    with pytest.raises(ix.InputError, match="cannot write"):
        write_page(tmp_path, [explain()])
    with pytest.raises(ix.InputError, match="at least one"):
        page([])
    with pytest.raises(ix.InputError, match="2 labels for 1"):
        page([explain()], labels=["a", "b"])
    with pytest.raises(ix.InputError, match="one query, not 2"):
        page([explain(), explain(query="piano")])
