import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.coverage.solve import METHODS as METHODS_OF_SOLVE
from intentx.preferences.candidates import candidate_terms
from intentx.rankers import BM25
from tests.toys import COMPUTER, MUSIC, Listwise, by_length, keyboards, ranked

QUICK = {"candidates": 20, "budget": 30, "max_terms": 4}
METHODS = [
    ix.Multiplex(**QUICK),
    ix.Multiplex(generality=0, candidates=20, max_terms=4),
    ix.IntentGreedy(candidates=20, max_terms=4),
    ix.QueryTerms(),
    ix.RandomTerms(max_terms=4),
]
NAMES = [f"{type(m).__name__} {getattr(m, 'generality', '')}" for m in METHODS]


def music(number=24, query="keyboard with pedal"):
    texts, scorer = keyboards(number=number)
    return ix.rank(scorer, query, texts), scorer


def without_seconds(explanation):
    plain = explanation.to_dict()
    del plain["seconds"]
    return json.dumps(plain, sort_keys=True)


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_what_every_explanation_has(method):
    ranking, scorer = music()
    before = len(scorer.texts)
    found = method.explain(ranking)
    assert found.method == type(method).__name__
    assert found.ranking is ranking
    assert 1 <= len(found.terms) == len(set(found.terms)) == len(found.weights) <= 4
    assert found.matrices.scores.terms == found.terms
    assert sum(found.weights) == pytest.approx(found.coverage)
    assert found.coverage == found.matrices.coverage(range(len(found.terms)))
    assert 0 <= found.coverage <= 1
    assert found.fidelity.all == found.coverage  # all pairs were fitted
    assert found.fidelity.all == ix.fidelity(found).all
    assert found.model_calls == len(scorer.texts) - before
    assert found.seconds["total"] >= found.seconds["model"] >= 0
    assert found.status in ("optimal", "feasible", "heuristic", "given")
    assert json.loads(json.dumps(found.settings)) == found.settings
    assert found.settings["seed"] == 0


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_the_same_seed_gives_the_same_explanation(method):
    first = without_seconds(method.explain(music()[0]))
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    assert without_seconds(method.explain(music()[0])) == first
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


@settings(max_examples=3)
@given(st.permutations(range(24)))
def test_permuting_the_documents_changes_nothing(order):
    texts, scorer = keyboards()
    scorer = scorer.scorer
    docs = {f"d{i}": text for i, text in enumerate(texts)}
    shuffled = {f"d{i}": texts[i] for i in order}
    assert len(set(scorer("q", texts))) == 24  # no ties, whose order the input decides
    for method in METHODS[1:]:
        straight = method.explain(ix.rank(scorer, "keyboard", docs))
        assert without_seconds(method.explain(ix.rank(scorer, "keyboard", shuffled))) == without_seconds(
            straight
        )


def test_the_sense_that_the_ranker_prefers_is_named():
    ranking, _ = music(40)
    for method in (METHODS[0], ix.Multiplex(max_terms=5, candidates=25, generality=0)):
        found = method.explain(ranking)
        assert set(found.terms) & set(MUSIC)
        assert not set(found.terms) & set(COMPUTER)
        assert found.fidelity.all > ix.QueryTerms().explain(ranking).fidelity.all
        assert found.fidelity.all > ix.RandomTerms(max_terms=5, seed=1).explain(ranking).fidelity.all


def test_query_terms_are_the_terms_of_the_query_also_where_no_document_holds_them():
    ranking, _scorer = music(query="The keyboards and pedal of a trombone")
    found = ix.QueryTerms(analyzer=ix.Analyzer(stem="english")).explain(ranking)
    assert set(found.terms[:2]) == {"keyboard", "pedal"}
    assert found.terms[2] == "trombon"  # the least useful
    assert found.model_calls == 0
    assert (found.bound, found.status) == (None, "given")
    assert found.weights[2] == 0


def test_random_terms_are_candidates_and_ask_nothing():
    ranking, _scorer = music()
    pool = candidate_terms(ranking, 9, importance="text-matching").terms
    drawn = [ix.RandomTerms(max_terms=3, candidates=9, seed=s).explain(ranking) for s in range(8)]
    assert len({found.terms for found in drawn}) > 4
    for found in drawn:
        assert len(found.terms) == 3
        assert set(found.terms) <= set(pool)
        assert found.model_calls == 0
    assert len(ix.RandomTerms(max_terms=99, candidates=9).explain(ranking).terms) == len(pool)


def test_query_terms_can_be_excluded():
    ranking, _ = music(query="keyboard piano pedal")
    for method in (
        ix.Multiplex(query_terms="exclude", **QUICK),
        ix.IntentGreedy(query_terms="exclude", candidates=20),
        ix.RandomTerms(query_terms="exclude", max_terms=99),
    ):
        assert not set(method.explain(ranking).terms) & {"keyboard", "piano", "pedal"}


@pytest.mark.parametrize("solver", sorted(set(METHODS_OF_SOLVE) - {"ilp", "exhaustive"}))
def test_every_solver_stays_within_the_limits(solver):
    ranking, _ = music()
    found = ix.Multiplex(method=solver, generality=0, candidates=12, max_terms=3, min_terms=2).explain(
        ranking
    )
    assert 2 <= len(found.terms) <= 3
    greedy = ix.Multiplex(method="greedy", generality=0, candidates=12, max_terms=3).explain(ranking)
    if solver != "tanh":
        assert found.coverage >= greedy.coverage or found.settings["min_terms"] == 2


def test_fitted_and_held_out_pairs_are_disjoint():
    ranking, _ = music()
    found = ix.Multiplex(pairs="random", m=50, generality=0, candidates=12, max_terms=3).explain(ranking)
    rows = {row.name: row for row in found.fidelity.rows}
    assert rows["fitted"].pairs == len(found.matrices.pairs) == 50
    assert rows["fitted"].pairs + rows["heldout"].pairs == rows["all"].pairs == 276
    together = found.fidelity.fitted * 50 + found.fidelity.heldout * 226
    assert found.fidelity.all == pytest.approx(together / 276)
    assert found.coverage == found.fidelity.fitted


def test_pairs_of_the_users_own():
    ranking, _ = music()
    pairs = ix.Pairs([0, 1], [5, 9])
    found = ix.IntentGreedy(pairs=pairs, candidates=12).explain(ranking)
    assert list(found.matrices.pairs) == [(0, 5), (1, 9)]
    assert found.settings["pairs"] == "2 given"
    for wrong in (ix.Pairs([], []), ix.Pairs([0], [24])):
        with pytest.raises(ix.InputError, match="must lie within the ranking's 24 documents"):
            ix.Multiplex(pairs=wrong).explain(ranking)


def test_generality_asks_the_ranker_within_the_budget():
    ranking, _ = music()
    plain = ix.Multiplex(generality=0, **QUICK).explain(ranking)
    candidates = plain.model_calls  # importance by perturbation
    assert candidates > 0
    ranking, _ = music()
    found = ix.Multiplex(generality=0.5, **QUICK).explain(ranking)
    assert 0 < found.model_calls <= 30  # edited documents alone: effects say what is important
    assert "edited documents" in found.seconds
    ranking, _scorer = music()
    none = ix.Multiplex(generality=0.5, **(QUICK | {"budget": 0})).explain(ranking)
    assert none.model_calls == 0


def test_a_recorded_ranking_is_explained_without_a_scorer():
    texts, scorer = keyboards()
    ranking = ranked(texts, scorer("q", texts), query="keyboard")
    for method in METHODS:
        found = method.explain(ranking)
        assert found.model_calls == 0
        assert found.seconds["model"] == 0


def test_a_listwise_ranker_is_asked_for_whole_lists_only():
    texts, _ = keyboards(number=10)
    scorer = Listwise()
    ranking = ix.rank(scorer, "keyboard", texts)
    scorer.calls.clear()
    found = ix.Multiplex(**QUICK).explain(ranking)
    assert found.terms
    assert all(len(batch) == 10 for _, batch in scorer.calls)
    assert 0 < len(scorer.calls) <= 30 // 10


def test_greedy_lm_is_the_default_of_intent_greedy():
    ranking, _ = music()
    found = ix.IntentGreedy(candidates=12).explain(ranking)
    assert found.settings["simple_ranker"] == "text matching (lm)"
    assert found.settings["generality"] == 0


def test_the_published_setting():
    ranking, _ = music()
    method = ix.Multiplex.published(candidates=12, m=40, seed=3)
    found = method.explain(ranking)
    assert found.settings["pairs"] == "random"
    assert found.settings["simple_rankers"] == ["text matching (tf)", "position aware", "semantic"]
    assert found.settings["literal"]
    assert 4 <= len(found.terms) <= 10
    assert len(found.matrices.pairs) == 40
    assert ix.Multiplex.published().m == 500


def test_numbers_of_numpy_are_settings_too():
    ranking, _ = music()
    found = ix.Multiplex(
        max_terms=np.int64(3), margin=np.float64(1e-9), generality=0, candidates=12
    ).explain(ranking)
    assert ix.IntentExplanation.from_json(found.to_json()).settings["max_terms"] == 3


def test_statistics_of_the_model_do_not_mix_between_explanations():
    ranking, _scorer = music()
    first = ix.Multiplex(**QUICK).explain(ranking)
    second = ix.Multiplex(**QUICK).explain(ranking)
    assert first.model_calls > 0
    assert second.model_calls == first.model_calls, "though all answers came from memory"
    assert second.seconds["model"] == 0
    assert second.terms == first.terms


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generality": 1.5}, "generality must be a number from 0 to 1, not 1.5"),
        ({"generality": float("nan")}, "generality must be a number from 0 to 1, not nan"),
        ({"budget": -1}, "budget must be a whole number, 0 or more, or None, not -1"),
        ({"max_terms": 0}, "max_terms must be a whole number, 1 or more, not 0"),
        ({"min_terms": 5, "max_terms": 4}, "not 5 and 4"),
        ({"method": "magic"}, "method must be one of .*not 'magic'"),
        ({"method": "exhaustive", "literal": True}, "literal settings exist for"),
        ({"pairs": "some"}, "pairs must be one of .* or a Pairs, not 'some'"),
        ({"pairs": "random"}, "needs m"),
        ({"query_terms": "no"}, "query_terms must be one of"),
        ({"candidates": 0}, "candidates must be a whole number, 1 or more, not 0"),
        ({"margin": -1.0}, "margin must be a number, 0 or more"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    ranking = ranked(["piano keys", "pedal", "desk"])
    with pytest.raises(ix.InputError, match=message):
        ix.Multiplex(**{"generality": 0, **settings}).explain(ranking)


def test_a_scorer_that_fails_on_edited_documents_is_reported():
    known = keyboards()[0]

    def scorer(query, texts):
        if not set(texts) <= set(known):
            raise RuntimeError("unknown token")
        return by_length(query, texts)

    ranking = ix.rank(scorer, "keyboard", known)
    with pytest.raises(ix.ScorerError, match="raised RuntimeError: unknown token"):
        ix.Multiplex(**QUICK).explain(ranking)


def test_a_leader_where_one_simple_ranker_is_the_ranker():
    """BM25 explains BM25: the words that match lead, the others hardly speak."""
    texts, _ = keyboards(number=40)
    ranking = ix.rank(BM25(texts), "keyboard with pedal", texts)
    method = ix.Multiplex(candidates=20, budget=0, max_terms=4)
    led, equal = (dataclasses.replace(method, balance=b).explain(ranking) for b in ("chosen", "equal"))
    assert any(note.startswith("text matching (bm25) leads") for note in led.notes)
    quieter = led.matrices.scale / equal.matrices.scale
    np.testing.assert_allclose(quieter, [1, 10, 10])
    assert led.coverage > equal.coverage
    assert equal.notes == ()


def test_published_settings_know_no_leader():
    found = ix.Multiplex.published(m=40, candidates=20).explain(music()[0])
    assert found.settings["balance"] == "equal"
    assert not any("leads" in note for note in found.notes)


def test_vectors_beside_simple_rankers_of_ones_own():
    vectors = ix.TermVectors.from_mapping({"tea": [1.0]})
    for make in (ix.Multiplex, ix.Multiplex.published):
        with pytest.raises(ix.InputError, match=r"give them to Semantic\(vectors\)"):
            make(simple_rankers=[ix.TextMatching()], vectors=vectors)
    assert ix.Multiplex.published(vectors=vectors).simple_rankers[2].vectors is vectors


def test_an_unknown_balance():
    with pytest.raises(ix.InputError, match=r"balance must be one of .*not 'loud'"):
        ix.Multiplex(balance="loud")
