import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx import Analyzer, InputError, rank
from intentx.perturbation import (
    EditedDocuments,
    edits_within,
    insert_terms,
    keep_units,
    remove_terms,
    score_edits,
)
from intentx.random_edits import randomised_edits
from intentx.text import TextIndex
from tests.strategies import texts
from tests.toys import Counting, Listwise, keyboards, ranked

ANALYZERS = [Analyzer(), Analyzer(stem="english"), Analyzer(ngrams=2)]
MARK = "\ue000"  # a private character: no token, and in no text


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=repr)
@given(text=texts, data=st.data())
def test_masking_replaces_exact_spans_and_nothing_else(analyzer, text, data):
    terms = data.draw(st.lists(st.sampled_from([*analyzer.terms(text), "absent"]), max_size=4))
    masked = remove_terms(text, terms, analyzer, how="mask", mask=MARK)
    spans = analyzer.spans(text, terms)
    inside = {i for start, end in spans for i in range(start, end)}
    assert masked.replace(MARK, "") == "".join(c for i, c in enumerate(text) if i not in inside)
    # Every mark stands where the characters taken out stood.
    assert (MARK in masked) == bool(spans)
    assert not set(analyzer.terms(masked)) & set(terms) or analyzer.ngrams > 1
    if not spans:
        assert masked == text


@given(text=texts, data=st.data())
def test_deleting_takes_the_word_and_the_blanks_before_it(text, data):
    analyzer = Analyzer()
    terms = data.draw(st.lists(st.sampled_from([*analyzer.terms(text), "absent"]), max_size=4))
    deleted = remove_terms(text, terms, analyzer)
    masked = remove_terms(text, terms, analyzer, how="mask", mask=MARK)
    while f" {MARK}" in masked or f"\t{MARK}" in masked:
        masked = masked.replace(f" {MARK}", MARK).replace(f"\t{MARK}", MARK)
    assert deleted == masked.replace(MARK, "")


@pytest.mark.parametrize(
    ("text", "terms", "analyzer", "deleted", "masked"),
    [
        ("The piano's keys", ["piano"], Analyzer(), "The's keys", "The [MASK]'s keys"),
        (
            "pianos, PIANO; pianist",
            ["piano"],
            Analyzer(stem="english"),
            ",; pianist",
            "[MASK], [MASK]; pianist",
        ),
        ("grand piano keys", ["grand piano"], Analyzer(ngrams=2), " keys", "[MASK] keys"),
        ("a piano a pianola", ["piano"], Analyzer(), "a a pianola", "a [MASK] a pianola"),
        ("<b>piano</b>\npiano", ["piano"], Analyzer(), "<b></b>\n", "<b>[MASK]</b>\n[MASK]"),
        ("用手机", ["手机"], Analyzer(), "用", "用[MASK]"),
        ("piano", [], Analyzer(), "piano", "piano"),
        ("", ["piano"], Analyzer(), "", ""),
    ],
)
def test_removal_by_example(text, terms, analyzer, deleted, masked):
    assert remove_terms(text, terms, analyzer, how="delete") == deleted
    assert remove_terms(text, terms, analyzer, how="mask", mask="[MASK]") == masked


def test_an_unknown_way_to_remove_is_named():
    with pytest.raises(InputError, match=r"removal must be one of \('delete', 'mask'\), not 'erase'"):
        remove_terms("text", ["text"], Analyzer(), how="erase")


@given(texts, st.lists(st.sampled_from(["piano", "grand piano", "漢"]), min_size=1, max_size=3))
def test_insertion_puts_a_sentence_in_front(text, terms):
    analyzer = Analyzer()
    edited = insert_terms(text, terms)
    assert edited.endswith(text)
    assert set(analyzer.terms(edited)) >= {term for words in terms for term in analyzer.terms(words)}


def test_edits_are_scored_together():
    texts, scorer = keyboards()
    ranking = rank(scorer, "keyboard", texts)
    index = TextIndex(ranking.texts, Analyzer())
    edits = randomised_edits(ranking, ("piano", "desk"), index, 40).edits
    calls = len(scorer.calls)
    scores = score_edits(ranking, edits, "a test")
    assert len(scorer.calls) == calls + 1
    np.testing.assert_array_equal(scores, scorer.scorer("keyboard", edits.texts))


def test_a_listwise_ranker_gets_the_list_with_one_document_exchanged():
    scorer = Listwise()
    ranking = rank(scorer, "q", ["ccccc", "bbb", "a"])
    scorer.calls.clear()
    edits = EditedDocuments(("xx", "yyyyyyy"), np.array([1, 2]))
    scores = score_edits(ranking, edits, "a test")
    assert [texts for _, texts in scorer.calls] == [
        ["ccccc", "xx", "a"],
        ["ccccc", "bbb", "yyyyyyy"],
    ]
    # Lengths 2 of 2, 5, 1 and 7 of 5, 3, 7, where the ranking has 2, 0, -2.
    np.testing.assert_allclose(scores, [-2 + 4 / 4, 2 + 2])


@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=7),
    edited=st.integers(0, 10),
    data=st.data(),
)
def test_a_ranker_that_knows_ranks_only_is_read_on_the_scale_of_the_ranking(lengths, edited, data):
    def ranks(query, texts):
        size = np.array([len(text) for text in texts])
        return -(size[:, None] < size).sum(axis=1)

    ranks.listwise = True
    plain = rank(lambda q, t: [len(x) for x in t], "q", ["x" * n for n in lengths])
    ranking = rank(ranks, "q", plain.texts)
    source = data.draw(st.integers(0, len(lengths) - 1))
    edits = EditedDocuments(("y" * edited,), np.array([source]))
    score = score_edits(ranking, edits, "a test")[0]
    others = np.delete(ranking.scores, source)
    np.testing.assert_array_equal(
        np.sign(score - others), np.sign(edited - np.delete(plain.scores, source))
    )


def test_several_documents_of_a_list_are_exchanged_at_a_time():
    scorer = Listwise()
    ranking = rank(scorer, "q", ["x" * (20 - n) for n in range(10)])
    scorer.calls.clear()
    edits = EditedDocuments(tuple("y" * n for n in (30, 3, 4, 5, 6)), np.array([0, 1, 1, 2, 9]))
    scores = score_edits(ranking, edits, "a test")
    exchanged = [{i for i in range(10) if texts[i] != ranking.texts[i]} for _, texts in scorer.calls]
    assert exchanged == [{0, 1}, {1, 2}, {9}]  # a fifth, and no document twice
    assert all(len(texts) == 10 for _, texts in scorer.calls)
    assert scores[0] > ranking.scores[0]
    assert all(scores[1:] < ranking.scores[-1])


@pytest.mark.parametrize(("budget", "edits"), [(0, 0), (9, 0), (10, 2), (29, 4), (100, 20)])
def test_edits_of_lists_within_a_budget(budget, edits):
    texts = [str(n) for n in range(10)]
    assert edits_within(rank(Listwise(), "q", texts), budget) == edits
    assert edits_within(rank(Counting(), "q", texts), budget) == budget
    assert edits_within(ranked(texts), budget) == 0


def test_a_recorded_ranking_cannot_score_edits():
    with pytest.raises(InputError, match="a test must ask the ranker"):
        score_edits(ranked(["a", "b"]), EditedDocuments(("x",), np.array([0])), "a test")


def test_counting_scorers_are_not_asked_without_edits():
    scorer = Counting()
    ranking = rank(scorer, "q", ["a", "b"])
    calls = len(scorer.calls)
    assert score_edits(ranking, EditedDocuments((), np.array([], dtype=int)), "a test").shape == (0,)
    assert len(scorer.calls) == calls


@given(text=texts, data=st.data())
def test_versions_keep_the_units_they_are_told_to(text, data):
    analyzer = Analyzer()
    terms = analyzer.terms(text)
    units = [analyzer.spans(text, [term]) for term in terms]
    rows = data.draw(st.lists(st.tuples(*[st.booleans()] * len(terms)), min_size=1, max_size=4))
    kept = np.array(rows, dtype=bool).reshape(len(rows), len(terms))
    for how in ("delete", "mask"):
        versions = keep_units(text, units, kept, how=how, mask=MARK)
        for row, version in zip(rows, versions, strict=True):
            gone = [term for term, keep in zip(terms, row, strict=True) if not keep]
            assert version == remove_terms(text, gone, analyzer, how=how, mask=MARK)


def test_versions_of_what_and_how():
    with pytest.raises(InputError, match=r"shape \(S, 1\)"):
        keep_units("tea", [[(0, 3)]], np.ones((2, 3), dtype=bool))
    with pytest.raises(InputError, match=r"removal must be one of .*not 'burn'"):
        keep_units("tea", [[(0, 3)]], np.ones((2, 1), dtype=bool), how="burn")
