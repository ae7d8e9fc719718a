import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from intentx import Analyzer, InputError, TextMatching, rank
from intentx.perturbation import LONGEST_EDITED, remove_terms
from intentx.preferences.candidates import Candidates, candidate_terms, perturbation_importance
from intentx.text import TextIndex
from tests import oracles
from tests.strategies import rankings
from tests.toys import Counting, Listwise, keyboards, ranked

ANALYZERS = [Analyzer(), Analyzer(stem="english"), Analyzer(ngrams=3), Analyzer(stem="german", ngrams=2)]


@pytest.mark.parametrize("analyzer", ANALYZERS, ids=repr)
@pytest.mark.parametrize("weighting", ["bm25", "tf"])
@settings(max_examples=15)
@given(ranking=rankings(), n=st.integers(1, 30))
def test_a_candidate_always_has_a_non_zero_row_in_text_matching(analyzer, weighting, ranking, n):
    index = TextIndex(ranking.texts, analyzer)
    assume(index.vocabulary)
    found = candidate_terms(ranking, n, index=index)
    rows = TextMatching(weighting).term_scores(found.terms, index)
    assert rows.shape == (len(found), len(ranking))
    assert (rows > 0).any(axis=1).all()
    assert len(set(found.terms)) == len(found) == len(found.importance)
    assert (found.importance >= 0).all()
    assert (np.diff(found.importance) <= 0).all()
    assert len(found) <= max(n, len(analyzer.terms(ranking.query)))


def test_the_pool_holds_the_highest_tf_idf_mass():
    ranking = ranked(keyboards()[0], query="nothing known")
    index = TextIndex(ranking.texts, Analyzer())
    mass = {t: oracles.tf_idf_mass(t, ranking.texts, Analyzer()) for t in index.vocabulary}
    best = sorted(mass, key=lambda term: -mass[term])
    for size in (1, 4, 9):
        found = candidate_terms(ranking, size, index=index, pool=size)
        assert set(found.terms) == set(best[:size])


@pytest.mark.parametrize("removal", ["mask", "delete"])
def test_importance_is_the_mean_score_change_over_the_top_documents(removal):
    texts, scorer = keyboards()
    scorer.mask_token = "[gone]"  # noqa: S105
    ranking = rank(scorer, "keyboard", texts)
    index = TextIndex(ranking.texts, Analyzer())
    calls = len(scorer.calls)
    found = perturbation_importance(ranking, index.vocabulary, index, 7, removal)
    assert len(scorer.calls) == calls + 1  # all terms and documents in one call
    expected = [
        oracles.importance(
            term,
            ranking,
            scorer.scorer,
            Analyzer(),
            7,
            lambda text, term: remove_terms(text, [term], Analyzer(), how=removal, mask="[gone]"),
        )
        for term in index.vocabulary
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert max(expected) > 0


def test_importance_of_a_listwise_ranker_needs_whole_lists_and_so_is_not_the_default():
    scorer = Listwise()
    ranking = rank(scorer, "keyboard", ["piano pedal", "desk", "a longer piano text"])
    scorer.calls.clear()
    assert candidate_terms(ranking, 5).source == "text-matching"
    assert scorer.calls == []
    assert candidate_terms(ranking, 5, importance="perturbation").source == "perturbation"
    assert all(len(texts) == 3 for _, texts in scorer.calls)


def test_importance_without_a_scorer_is_the_sum_of_text_matching():
    ranking = ranked(keyboards()[0])
    index = TextIndex(ranking.texts, Analyzer())
    found = candidate_terms(ranking, 6, index=index)
    assert found.source == "text-matching"
    for term, importance in zip(found.terms, found.importance, strict=True):
        weights = [oracles.bm25(term, text, ranking.texts, Analyzer()) for text in ranking.texts]
        assert importance == pytest.approx(sum(weights))


def test_query_terms_by_one_setting():
    texts, _ = keyboards()
    ranking = ranked(texts, query="Keyboards with pedal or a trombone")
    analyzer = Analyzer(stem="english")
    allowed = candidate_terms(ranking, 1, analyzer=analyzer)
    assert set(allowed.terms) == {"keyboard", "pedal"}  # more than n: they always stay
    excluded = candidate_terms(ranking, 50, analyzer=analyzer, query_terms="exclude")
    assert not set(excluded.terms) & {"keyboard", "pedal", "trombon"}


def test_the_model_is_asked_about_the_top_documents_only():
    texts, scorer = keyboards()
    ranking = rank(scorer, "keyboard", texts)
    scorer.calls.clear()
    candidate_terms(ranking, 5, pool=6, perturbed_documents=3)
    assert 0 < len(scorer.texts) <= 3 * 7
    tops = [set(Analyzer().terms(text)) | {"mask"} for text in ranking.texts[:3]]
    assert all(any(set(Analyzer().terms(t)) <= top for top in tops) for t in scorer.texts)


def test_documents_too_long_to_edit_leave_importance_to_the_others():
    scorer = Counting()
    long = "piano pedal " * (LONGEST_EDITED // 12 + 1)
    assert len(long) > LONGEST_EDITED
    only = candidate_terms(rank(scorer, "keyboard", [long, long + "desk"]), 5)
    assert only.source == "text-matching"
    mixed = rank(scorer, "keyboard", [long, "a pedal"])
    scorer.calls.clear()
    found = candidate_terms(mixed, 5)
    assert (found.source, found.terms) == ("perturbation", ("pedal", "piano"))
    assert scorer.texts == ["a"], "no mask for a ranker that names none"


@pytest.mark.parametrize(
    ("texts", "settings", "message"),
    [
        (["", " \n"], {}, "no candidate term for 'piano keys': the documents hold no word that is not"),
        (["the of", "and the"], {}, "no candidate term"),
        (["piano", "keys keys"], {"query_terms": "exclude"}, "not a stopword or a query term"),
        (["piano"], {"n": 0}, "n must be 1 or more, not 0"),
        (["piano"], {"pool": 0}, "pool must be 1 or more, not 0"),
        (["piano"], {"perturbed_documents": 0}, "perturbed_documents must be 1 or more, not 0"),
        (["piano"], {"query_terms": "never"}, r"query_terms must be one of \('allow', 'exclude'\)"),
        (["piano"], {"importance": "guess"}, "importance must be one of .*not 'guess'"),
        (["piano"], {"importance": "perturbation"}, "importance by perturbation must ask the ranker"),
    ],
)
def test_what_cannot_be_done_is_said(texts, settings, message):
    with pytest.raises(InputError, match=message):
        candidate_terms(ranked(texts), **settings)


def test_an_unknown_way_to_remove_is_named():
    with pytest.raises(InputError, match=r"removal must be one of .*not 'erase'"):
        candidate_terms(rank(Counting(), "q", ["piano"]), removal="erase")


def test_candidates_are_as_long_as_their_terms():
    assert len(Candidates(("a", "b"), np.ones(2), "text-matching")) == 2
