"""What users really hand over: every case ends in a clear error or in a stated result."""

import json
import math

import pytest
from hypothesis import given, settings

import intentx as ix
from tests.strategies import rankings
from tests.toys import Counting, Planted, by_length, keyboards, ranked, returning

METHODS = [
    ix.Multiplex(candidates=30, budget=30, max_terms=4),
    ix.Multiplex(candidates=30, generality=0, max_terms=4, method="greedy"),
    ix.IntentGreedy(candidates=30),
    ix.RandomTerms(candidates=30),
    ix.QueryTerms(),
]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
ODD = {
    "emoji": ["👍🏽 great 👩‍👩‍👧 keyboard 😀", "😀 😀", "no symbol here", "🎹"],
    "right to left": [
        "مفتاح بيانو جميل",
        "לוח מקשים של פסנתר",
        "mixed עברית and English",
        "بيانو بيانو",
    ],
    "html": ["<script>alert('x')</script> keyboard", "<b>bold</b> &amp; more", "</td></table>", "plain"],
    "empty and blank": ["keyboard", "", " \n\t ", "a keyboard of keys"],
    "only stopwords": ["the of and", "keyboard", "it's the", "to be or not to be"],
    "duplicate texts": ["keyboard keys", "keyboard keys", "desk", "keyboard keys"],
    "one word repeated": ["key " * 50, "key " * 7, "key", "desk"],
    "control characters": ["key\x00board\x07", "key\ufeff board", "\u202ekeyboard", "key\u200bboard"],
}


REASONS = ("no preference pair", "no candidate term", "has no term that is not a stopword")


def check(found):
    """Whatever the input, an explanation has these."""
    assert found.terms
    assert 0 <= found.coverage <= 1
    assert 0 <= found.fidelity.all <= 1
    assert sum(found.weights) == pytest.approx(found.coverage)
    again = ix.IntentExplanation.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert found.terms[0] in found.text(width=300)
    assert "<script" not in found._repr_html_()


@every_method
@pytest.mark.parametrize("texts", ODD.values(), ids=ODD)
@pytest.mark.parametrize("with_scorer", [True, False])
def test_odd_documents_are_explained(texts, method, with_scorer):
    query = "keyboard 😀 بيانو"
    docs = {f"d{i}": text for i, text in enumerate(texts)}
    scorer = Counting(lambda query, batch: [math.sin(len(text)) for text in batch])
    ranking = ix.rank(scorer, query, docs) if with_scorer else ranked(texts, query=query)
    check(method.explain(ranking))


@settings(max_examples=8)
@given(rankings())
def test_any_texts_are_explained_or_refused_with_a_reason(ranking):
    for method in METHODS:
        try:
            found = method.explain(ranking)
        except ix.InputError as error:
            reason = str(error)
        else:
            reason = check(found)
        assert not reason or any(why in reason for why in REASONS)


@every_method
def test_no_documents(method):
    with pytest.raises(ix.InputError, match="no documents to rank"):
        method.explain(ix.rank(by_length, "keyboard", []))


@every_method
def test_one_document(method):
    with pytest.raises(
        ix.InputError, match="'keyboard' has no preference pair: it has one document only"
    ):
        method.explain(ix.rank(by_length, "keyboard", ["a keyboard"]))


@every_method
def test_all_scores_equal(method):
    ranking = ix.rank(
        returning(lambda texts: [0.5] * len(texts)), "keyboard", ["one key", "two", "three"]
    )
    with pytest.raises(ix.InputError, match="all 3 documents have the same score"):
        method.explain(ranking)


def test_two_documents_are_enough():
    for method in METHODS:
        found = method.explain(ix.rank(by_length, "keyboard", ["keyboard keyboard", "desk"]))
        check(found)
        assert math.isnan(found.fidelity.far)
        assert found.fidelity.rows[0].pairs == 1


def test_identical_texts_with_different_scores_cannot_be_told_apart():
    found = METHODS[1].explain(ranked(["keyboard keys"] * 6))
    assert found.coverage == found.fidelity.all == 0
    assert found.fidelity.rows[0].ties == 15
    assert math.isnan(found.fidelity.tau)


@every_method
def test_no_candidate_terms(method):
    ranking = ranked(["the of", "", "and"], query="keyboard")
    if isinstance(method, ix.QueryTerms):  # its terms need no document
        assert method.explain(ranking).fidelity.all == 0
        return
    with pytest.raises(
        ix.InputError, match="no candidate term for 'keyboard': the documents hold no word"
    ):
        method.explain(ranking)


@pytest.mark.parametrize("query", ["the of and", "to be or not to be", "???"])
def test_a_query_of_stopwords(query):
    texts, scorer = keyboards(number=10)
    ranking = ix.rank(scorer, query, texts)
    with pytest.raises(ix.InputError, match="has no term that is not a stopword"):
        ix.QueryTerms().explain(ranking)
    for method in METHODS[:4]:
        check(method.explain(ranking))


def test_a_query_in_no_vocabulary():
    texts, scorer = keyboards(number=10)
    ranking = ix.rank(scorer, "zyzzyva quux", texts)
    found = ix.QueryTerms().explain(ranking)
    assert found.terms == ("zyzzyva", "quux")
    assert found.coverage == found.fidelity.all == 0
    assert found.fidelity.rows[0].ties == 45
    for method in METHODS[:4]:
        check(method.explain(ranking))


def test_no_pair_left_after_the_gap_filters():
    ranking = ranked(["a key", "b desk", "c shop"], [3, 2, 1])
    for settings_, message in (
        ({"min_rank_gap": 3}, "min_rank_gap=3 leaves nothing of 3 documents"),
        ({"min_score_gap": 9.0}, "min_score_gap=9.0 exceeds the spread of the scores, 2"),
    ):
        with pytest.raises(ix.InputError, match=message):
            ix.Multiplex(**settings_).explain(ranking)


def test_unknown_names_are_refused_with_what_is_allowed():
    ranking = ranked(["a key", "b desk"])
    with pytest.raises(ix.InputError, match=r"method must be one of 'auto', 'greedy'.*not 'simplex'"):
        ix.Multiplex(method="simplex").explain(ranking)
    with pytest.raises(ix.InputError, match=r"pairs must be one of 'all', 'random'.*not 'both'"):
        ix.IntentGreedy(pairs="both").explain(ranking)
    with pytest.raises(TypeError, match="max_term"):
        ix.Multiplex(max_term=3)


def test_duplicate_ids_and_missing_documents_are_named():
    with pytest.raises(ix.InputError, match="distinct; repeated: 'a'"):
        ix.rank(by_length, "q", [ix.Document("a", "x"), ix.Document("a", "y")])
    with pytest.raises(ix.InputError, match=r"names 1 of 2 documents that are not among .*'z'"):
        ix.Ranking.from_run({"a": 1.0, "z": 2.0}, "q", {"a": "text"})


@pytest.mark.parametrize(
    "answer", [lambda t: [math.nan] * len(t), lambda t: ["x"] * len(t), lambda t: [1]]
)
def test_a_scorer_that_turns_bad_on_edited_documents(answer):
    texts, good = keyboards(number=10)

    def scorer(query, batch):
        return good(query, batch) if set(batch) <= set(texts) else answer(batch)

    with pytest.raises(ix.ScorerError, match="scorer") as caught:
        METHODS[0].explain(ix.rank(scorer, "keyboard reviews", texts))
    assert "query: 'keyboard reviews'" in str(caught.value)


@pytest.mark.parametrize("with_scorer", [True, False])
def test_half_a_megabyte_in_one_document_takes_seconds(with_scorer):
    texts, scorer = keyboards(number=8)
    texts[3] = "A keyboard with words number{}. ".format(" piano") * 16_000
    assert len(texts[3]) > 510_000
    ranking = ix.rank(scorer, "keyboard", texts) if with_scorer else ranked(texts, query="keyboard")
    by_ranking = len(scorer.calls)  # which scores each document, and three of them once more
    found = METHODS[0].explain(ranking)
    check(found)
    if with_scorer:
        by_method = [text for _, batch in scorer.calls[by_ranking:] for text in batch]
        assert by_method, "versions of documents are scored"
        assert max(map(len, by_method)) <= 500_000


@pytest.mark.parametrize("with_scorer", [True, False])
def test_a_megabyte_of_one_word_and_of_many_words(with_scorer):
    texts = ["x" * 1_000_000, " ".join(f"w{i}" for i in range(15_000)), "keyboard", "a key"]
    ranking = ix.rank(by_length, "key", texts) if with_scorer else ranked(texts, query="key")
    found = METHODS[1].explain(ranking)
    assert found.coverage > 0
    assert json.loads(found.to_json())["terms"] == list(found.terms)


def test_the_largest_and_smallest_scores_are_scores():
    for scale in (1e100, 1e-100):
        texts, _scorer = keyboards(number=8)
        base = Planted(ix.TextMatching(), ["piano"], texts)
        ranking = ix.rank(lambda q, t, base=base, scale=scale: base(q, t) * scale, "keyboard", texts)
        found = METHODS[0].explain(ranking)
        check(found)
