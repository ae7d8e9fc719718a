"""What every explanation of one document has in common, seen on the simplest method there is."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.markup import FORBIDDEN
from tests.strategies import texts as any_text
from tests.toys import Counting, Listwise, keyboards, ranked

EVIL = '<script>alert("1")</script> [bold]piano[/bold] & <img src=x onerror=alert(1)>'


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut(DocumentMethod):
    """A word weighs what the score loses without it."""

    def _weigh(self, subject, other):
        scores = subject.score_kept(~np.eye(len(subject.terms), dtype=bool))
        return subject.explanation(
            dict(zip(subject.terms, subject.score - scores, strict=True)),
            settings=self.settings(),
            metrics={"score": subject.score, "undefined": np.nan},
        )


def counting(query, texts):
    return [t.lower().count("piano") - 0.5 * t.lower().count("usb") for t in texts]


DOCS = {
    "a": "A stage piano: the piano's action. USB, too.",
    "b": "USB hub.",
    "c": "A piano stool",
    "d": "Desk",
    "e": "the of and",
}


def explained(doc="a", docs=DOCS, scorer=counting, **settings):
    return LeaveOneOut(**settings).explain(ix.rank(scorer, "keyboard reviews", docs), doc)


def test_terms_come_with_signed_weights_largest_first():
    found = explained()
    assert found.terms == ("piano", "usb", "a", "stage", "the", "action", "too")
    assert found.weights == (2.0, -0.5, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert found.intent_terms == ("piano",)
    assert found.content_terms == ("piano", "usb", "stage", "action")
    assert found.model_calls == 7  # the document itself was scored before
    assert 0 <= found.seconds["model"] <= found.seconds["total"]


@pytest.mark.parametrize("doc", ["c", 1, np.int64(1)])
def test_a_document_is_named_by_id_or_position(doc):
    assert explained(doc).position == 1
    assert explained(doc).document == DOCS["c"]


@pytest.mark.parametrize(
    ("doc", "message"), [("z", "no document 'z'"), (5, "no position 5"), (-1, "-1")]
)
def test_a_document_that_is_not_there(doc, message):
    with pytest.raises(ix.InputError, match=message):
        explained(doc)


def test_a_recorded_ranking_has_nobody_to_ask():
    with pytest.raises(ix.InputError, match=r"explanation by LeaveOneOut must ask the ranker"):
        LeaveOneOut().explain(ranked(["piano", "desk"]), 0)


def test_not_every_method_compares_two_documents():
    ranking = ix.rank(counting, "keyboard reviews", DOCS)
    with pytest.raises(
        ix.InputError, match=r"LeaveOneOut explains .*, not why one document is above another"
    ):
        LeaveOneOut().explain(ranking, "a", above="b")
    with pytest.raises(ix.InputError, match="not why one document is above another"):
        LeaveOneOut().explain(ranking, above="b")


def test_ngrams_are_no_words():
    with pytest.raises(ix.InputError, match="ngrams=1, not 2"):
        explained(analyzer=ix.Analyzer(ngrams=2))


@settings(max_examples=20)
@given(text=any_text)
def test_every_occurrence_has_its_span(text):
    found = explained("x", {**DOCS, "x": text})
    analyzer = ix.Analyzer(stopwords=frozenset())
    assert [(w.start, w.end) for w in found.words] == [(t.start, t.end) for t in analyzer.tokens(text)]
    assert set(found.terms) == set(analyzer.terms(text))
    weight = dict(zip(found.terms, found.weights, strict=True))
    assert all(word.weight == weight[word.term] for word in found.words)


def test_a_document_without_words_is_no_error():
    found = explained("e", {**DOCS, "e": "?! …"})
    assert found.terms == found.weights == found.words == ()
    assert "no word" in found.notes[0]
    assert "no word matters" in repr(found)
    assert found.fidelity is None
    assert DocumentExplanation.from_json(found.to_json()).text() == found.text()
    with pytest.raises(ix.InputError, match="no word speaks for 'e'"):
        found.as_intent()


class Cutting:
    """Reads the first eighteen characters."""

    def __call__(self, query, texts):
        return counting(query, self.seen(query, texts))

    def seen(self, query, texts):
        return [text[:18] for text in texts]


@pytest.mark.filterwarnings("ignore::intentx.errors.TruncationWarning")
def test_words_the_ranker_never_read_have_no_weight_and_are_named():
    found = explained(scorer=Cutting())
    assert found.terms == ("piano", "a", "stage", "the")
    assert found.weights == (
        1.0,
        0.0,
        0.0,
        0.0,
    )  # though a piano moves into view when words before it go
    assert found.unseen == ("action", "usb", "too")
    assert max(word.end for word in found.words) <= 18
    assert "never read: action, usb, too" in found.text()


def test_spans_refer_to_the_whole_document_when_its_beginning_is_cut_off():
    class Ending(Cutting):
        def seen(self, query, texts):
            return [text[-10:] for text in texts]

    with pytest.warns(ix.errors.TruncationWarning):
        found = explained(scorer=Ending())
    assert found.terms == ("usb", "too")
    word, _ = found.words
    assert found.document[word.start : word.end] == "USB"


def test_a_listwise_ranker_gets_whole_lists():
    scorer = Listwise()
    found = explained("c", scorer=scorer)
    assert len(found.terms) == 3
    sizes = [len(texts) for _, texts in scorer.calls]
    assert sizes == [5, 2, 2, 5, 5, 5], "all; best and worst twice, by ix.rank; all for each word"


def test_what_is_remembered_is_not_asked_again():
    scorer = Counting(counting)
    ranking = ix.rank(scorer, "keyboard reviews", DOCS)
    assert len(scorer.texts) == len(DOCS) + 3, "three are scored once more to see whether they can be"
    first, again = (LeaveOneOut().explain(ranking, "a") for _ in range(2))
    assert (first.model_calls, again.model_calls) == (7, 7)
    assert len(scorer.texts) == len(DOCS) + 3 + 7


def test_through_json_and_back():
    found = explained()
    text = found.to_json()
    again = DocumentExplanation.from_json(text)
    assert again.to_json() == text
    assert (again.words, again.weights, repr(again)) == (found.words, found.weights, repr(found))
    plain = json.loads(text)
    assert set(plain) >= {
        *("method", "query", "terms", "weights", "ranking", "fidelity", "settings"),
        *("model_calls", "seconds"),
    }
    assert plain["metrics"]["undefined"] is None
    assert plain["words"][2] == {"term": "piano", "start": 8, "end": 13, "weight": 2.0}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.update(format="intentx.intent/2"), "format is 'intentx.intent/2'"),
        (lambda p: p.pop("words"), "lacks 'words'"),
        (lambda p: p.update(doc_id="z"), "no document 'z'"),
        (lambda p: p.update(words=[{"term": "a"}]), "damaged"),
    ],
)
def test_damaged_json(spoil, message):
    plain = explained().to_dict()
    spoil(plain)
    with pytest.raises(ix.InputError, match=message):
        DocumentExplanation.from_dict(plain)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_no_json(text):
    with pytest.raises(ix.InputError):
        DocumentExplanation.from_json(text)


def test_the_judge_takes_the_words_that_speak_for_the_document():
    found = explained()
    judged = ix.fidelity(found)
    assert judged.all == found.fidelity.all == found.as_intent().fidelity.all
    terms = found.as_intent(max_terms=1, simple_rankers=[ix.TextMatching("tf")])
    assert (terms.terms, terms.status) == (("piano",), "given")


def test_a_whole_ranking_is_explained_by_its_first_documents():
    texts, scorer = keyboards(number=15)
    ranking = ix.rank(scorer, "keyboard reviews", texts)
    method = LeaveOneOut(documents=4, max_terms=3)
    found = method.explain(ranking)
    totals = {}
    for place in range(4):
        one = method.explain(ranking, place)
        for term, weight in zip(one.terms, one.weights, strict=True):
            share = weight / max(map(abs, one.weights)) / np.log2(place + 2)
            totals[term] = totals.get(term, 0) + share
    best = sorted(totals, key=lambda term: -totals[term])[:3]
    assert set(found.terms) == set(best)
    assert (found.method, found.settings["documents"]) == ("LeaveOneOut", 4)
    assert found.model_calls > 0
    assert found.seconds["total"] >= found.seconds["model"] > 0
    assert ix.heldout_fidelity(method, ranking, repeats=2).mean > 0.5


def test_a_ranking_that_no_word_speaks_for():
    ranking = ix.rank(lambda query, texts: [-len(t) for t in texts], "tea", ["piano", "stage piano"])
    with pytest.raises(ix.InputError, match="finds no word that speaks for any"):
        LeaveOneOut().explain(ranking)


@pytest.mark.parametrize("setting", ["documents", "max_terms"])
def test_of_nothing_comes_nothing(setting):
    with pytest.raises(ix.InputError, match="1 or more"):
        LeaveOneOut(**{setting: 0}).explain(ix.rank(counting, "tea", DOCS))


def test_what_is_shown_is_escaped():
    found = explained("x", {**DOCS, "x": EVIL})
    shown = found._repr_html_()
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;<span" in shown
    assert "piano" in found.text()


@given(text=any_text, data=st.data())
def test_the_notebook_shows_every_character(text, data):
    found = explained("x", {**DOCS, "x": text})
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        read = ""

        def handle_data(self, part):
            self.read += part

    reader = Reader()
    reader.feed(found._repr_html_())
    reader.close()
    written = FORBIDDEN.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
    assert reader.read.endswith(written or reader.read[-1:])


def test_the_notebook_has_a_legend_and_numbers():
    found = explained("a", DOCS)
    shown = found._repr_html_()
    assert "for the document" in shown
    assert "against it" in shown
    for term, weight in zip(found.terms[:10], found.weights[:10], strict=True):
        assert f"<td>{term}</td>" in shown
        assert f"<td>{weight:+.4g}</td>" in shown
    assert shown.count("display:inline-block") == min(10, len(found.terms))
