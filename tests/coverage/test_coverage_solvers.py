import itertools
import math
from functools import partial

import numpy as np
import pytest
from coverage_oracles import brute_force, make, matrices, slow_value
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx.coverage import Selection, solve
from intentx.coverage.exhaustive import _blocks, _highest, _tails
from intentx.coverage.greedy import grow, shortlist
from intentx.coverage.kernel import Exact
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.coverage.refine import anneal, descend
from intentx.coverage.solve import LITERAL, METHODS
from intentx.errors import InputError
from intentx.preferences import Pairs, PreferenceMatrices, TermScores

QUICK = [method for method in METHODS if method != "ilp"]
SOFT = st.sampled_from([(0.0, 1.0), (0.2, 1.0), (0.2, 0.3)])  # softness and its share
TWO = settings(deadline=None, max_examples=25)


def check(problem, selection, most, least=1, soft=()):
    """What holds for every selection of every method."""
    indices = selection.indices
    assert isinstance(selection, Selection)
    assert least <= len(indices) <= most
    assert len(set(indices)) == len(indices)
    assert all(type(index) is int and 0 <= index < problem.n_terms for index in indices)
    assert selection.objective == pytest.approx(slow_value(problem, indices, *soft), abs=1e-9)
    plain = PreferenceMatrices(
        problem.scores,
        Pairs(problem.pairs.high, problem.pairs.low),
        scale=problem.scale,
        margin=problem.margin,
    )
    assert selection.coverage == pytest.approx(slow_value(plain, indices), abs=1e-9)
    assert 0 <= selection.coverage <= 1
    if selection.bound is not None:
        assert selection.bound >= selection.objective
    if selection.status == "optimal":
        assert selection.objective == pytest.approx(selection.bound, abs=1e-6)


@TWO
@given(matrices, st.integers(1, 4), SOFT)
def test_exhaustive_is_brute_force(problem, most, soft):
    best = brute_force(problem, most, 1, *soft)
    for method in ("exhaustive", "auto"):
        selection = solve(problem, most, method=method, softness=soft[0], soft_share=soft[1])
        check(problem, selection, most, 1, soft)
        assert selection.objective == pytest.approx(best, abs=1e-12)
        assert selection.status == "optimal"


@TWO
@given(matrices, st.integers(1, 5), st.integers(1, 3), SOFT, st.sampled_from(QUICK))
def test_every_method_keeps_the_limits(problem, most, least, soft, method):
    least = min(least, most, problem.n_terms)
    softness, share = soft
    selection = solve(problem, most, min_terms=least, method=method, softness=softness, soft_share=share)
    check(problem, selection, most, least, soft)
    assert brute_force(problem, most, least, *soft) >= selection.objective - 1e-9


@TWO
@given(matrices, st.integers(1, 5))
def test_nothing_is_worse_than_greedy(problem, most):
    greedy = solve(problem, most, method="greedy").objective
    for method in ("auto", "descent", "anneal", "exhaustive"):
        assert solve(problem, most, method=method).objective >= greedy


@pytest.mark.parametrize(("seed", "softness"), [(1, 0.0), (2, 0.3), (3, 0.3), (4, 0.0)])
def test_search_beats_greedy_and_relaxation_where_sets_are_many(seed, softness):
    problem = make(seed, rankers=3, terms=60, documents=25, pairs=290, weighted=seed % 2 == 1)
    found = {
        method: solve(problem, 6, method=method, softness=softness)
        for method in ("greedy", "tanh", "descent", "anneal", "auto")
    }
    assert found["descent"].objective >= found["greedy"].objective
    assert found["anneal"].objective >= found["greedy"].objective
    assert found["auto"].objective >= max(found["greedy"].objective, found["tanh"].objective)
    assert found["auto"].objective > found["greedy"].objective  # strictly, on these four
    assert found["auto"].status == "heuristic"
    assert found["auto"].bound is None
    assert found["auto"].method in ("greedy+anneal", "tanh+anneal")


@TWO
@given(matrices, st.integers(0, 999))
def test_search_never_lowers(problem, seed):
    generator = np.random.default_rng(seed)
    size = int(generator.integers(1, problem.n_terms + 1))
    start = generator.choice(problem.n_terms, size=size, replace=False).tolist()
    several = Problem(Objective(problem), 1, problem.n_terms, seed)
    for found in (anneal(several, start, sweeps=2), descend(several, start)):
        assert slow_value(problem, found) >= slow_value(problem, start) - 1e-12


def test_search_keeps_the_start_when_the_search_fails(monkeypatch):
    problem = make(3, terms=25, documents=14, pairs=77)
    start = list(solve(problem, 4).indices)
    monkeypatch.setattr("intentx.coverage.refine._anneal", lambda *_: [])
    monkeypatch.setattr("intentx.coverage.refine._descend", lambda *_: [24])
    for search in (anneal, descend):
        assert sorted(search(Problem(Objective(problem), 1, 4), start)) == sorted(start)


@pytest.mark.parametrize("search", [partial(anneal, sweeps=0), partial(descend, thorough=True)])
def test_search_ends_where_no_single_move_helps(search):
    problem = make(3, rankers=2, terms=25, documents=14, pairs=77)
    several = Problem(Objective(problem), 1, 4)
    found = search(several, [0, 1, 2, 3])
    value, others = slow_value(problem, found), [t for t in range(25) if t not in found]
    moves = [[*found[:i], *found[i + 1 :], t] for i in range(len(found)) for t in others]
    moves += [[*found[:i], *found[i + 1 :]] for i in range(len(found))]
    moves += [[*found, t] for t in others] if len(found) < 4 else []
    assert value >= max(slow_value(problem, move) for move in moves)


def test_annealing_completes_a_start_that_is_too_small():
    several = Problem(Objective(make(3)), 3, 4)
    assert 3 <= len(anneal(several, [2])) <= 4


def test_greedy_against_loops():
    problem = make(17, rankers=2, terms=9, documents=12, pairs=50)
    chosen = []
    for _ in range(5):
        values = [-1 if t in chosen else slow_value(problem, [*chosen, t]) for t in range(9)]
        chosen.append(int(np.argmax(values)))
    sets = grow(Problem(Objective(problem), 1, 5), [], 5)
    assert sets == [chosen[:size] for size in range(6)]
    prefixes = [slow_value(problem, chosen[:size]) for size in range(1, 6)]
    assert solve(problem, 5, method="greedy").objective == pytest.approx(max(prefixes))


def test_greedy_looks_past_a_fall():
    problem = make(7, rankers=1, terms=5, documents=6, pairs=12)
    values = [solve(problem, 1, method="greedy").objective]
    values += [
        solve(problem, 3, method="greedy", literal=literal).objective for literal in (True, False)
    ]
    assert values[0] == values[1] < values[2]


def test_fewer_terms_at_equal_value():
    values = np.zeros((2, 6, 3))
    values[:, 4] = [2, 1, 0]
    problem = PreferenceMatrices(TermScores(values), Pairs([0, 1, 0], [1, 2, 2]))
    for method in METHODS:
        selection = solve(problem, 5, method=method)
        assert selection.indices == (4,), method
        assert selection.coverage == 1.0
        assert (selection.status, selection.bound) == ("optimal", 1.0)


def test_most_useful_first():
    problem = make(23, rankers=3, terms=40, documents=20, pairs=150)
    indices = solve(problem, 6).indices
    for place in range(len(indices)):
        before = indices[:place]
        values = {t: slow_value(problem, [*before, t]) for t in indices[place:]}
        assert indices[place] == min(values, key=lambda t: (-values[t], t))


@pytest.mark.parametrize("method", METHODS)
def test_all_zero_matrices(method):
    problem = PreferenceMatrices(TermScores(np.zeros((2, 5, 4))), Pairs([0, 1], [2, 3]))
    selection = solve(problem, 3, method=method)
    assert (selection.coverage, selection.objective) == (0.0, 0.0)
    assert selection.indices == (0,)


@pytest.mark.parametrize("method", METHODS)
def test_one_pair_one_term(method):
    problem = PreferenceMatrices(TermScores([[[1.0, 0.0]]]), Pairs([0], [1]))
    assert solve(problem, method=method).indices == (0,)
    assert solve(problem, method=method).coverage == 1.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("least", "most"), [(1, 1), (7, 99), (3, 3)])
def test_limits(method, least, most):
    problem = make(2)
    selection = solve(problem, most, min_terms=least, method=method, step_limit=100_000)
    check(problem, selection, min(most, 7), least)


def test_margin_is_respected():
    problem = make(4, rankers=1, margin=0.5)
    strict = solve(problem, 2)
    assert strict.objective == pytest.approx(brute_force(problem, 2))
    assert solve(make(4, rankers=1, margin=1.0), 2).objective == 0.0  # one tanh is never above 1


def test_weights_decide():
    values = np.array([[[1, 0, 0, 0], [0, 0, 1, 0.5]]], dtype=float)
    pairs = Pairs([0, 0, 2], [1, 3, 3], [1.0, 1.0, 5.0])
    for method in METHODS:
        selection = solve(PreferenceMatrices(TermScores(values), pairs), 1, method=method)
        assert selection.indices == (1,), method
        assert selection.coverage == pytest.approx(1 / 3)
        assert selection.objective == pytest.approx(5 / 7)


@pytest.mark.parametrize("method", ["auto", "exhaustive", "ilp"])
@pytest.mark.parametrize("seed", range(2))
def test_order_of_documents_and_terms_changes_nothing(method, seed):
    count = 8 if method == "ilp" else 15  # of pairs: the tree grows fast with them
    problem = make(seed, rankers=2, terms=6, documents=7, pairs=count)
    generator = np.random.default_rng(seed)
    terms = generator.permutation(6)
    # a pair names positions high < low, so documents move by padding, and pairs by reordering
    values = np.zeros((2, 6, 11))
    places = np.sort(generator.choice(11, size=7, replace=False))
    values[:, :, places] = problem.scores.values[:, terms]
    order = generator.permutation(count)
    pairs = Pairs(places[problem.pairs.high[order]], places[problem.pairs.low[order]])
    moved = PreferenceMatrices(TermScores(values), pairs, scale=problem.scale)
    first, second = (solve(one, 3, method=method, step_limit=100_000) for one in (problem, moved))
    assert first.objective == pytest.approx(second.objective, abs=1e-12)
    assert slow_value(problem, terms[list(second.indices)]) == pytest.approx(second.objective)


@pytest.mark.parametrize("method", ["auto", "anneal", "descent", "tanh", "greedy"])
def test_same_seed_same_selection(method):
    problem = make(31, terms=50, documents=60, pairs=1700)
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, second = (solve(problem, 5, method=method, seed=3) for _ in range(2))
    assert first.indices == second.indices
    assert first.objective == second.objective
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002


def test_share_0_of_softness_is_strict():
    problem = make(13, terms=40, documents=20, pairs=150)
    strict, zero = (solve(problem, 3, softness=one, soft_share=0.0) for one in (0.0, 0.3))
    assert (strict.indices, strict.objective) == (zero.indices, zero.objective)
    assert solve(make(13), 2, method="ilp", softness=0.3, soft_share=0.0).status == "optimal"


def test_short_lists_when_pairs_are_very_many(monkeypatch):
    monkeypatch.setattr("intentx.coverage.problem.DENSE_PAIRS", 1000)
    problem = Problem(Objective(make(7, rankers=2, terms=30, documents=90, pairs=4000)), 1, 4)
    allowed = np.ones(31, dtype=bool)
    allowed[[3, 8]] = False
    exact = Exact(problem.objective).values([3, 8])
    moves, values = shortlist(problem, [3, 8], allowed, 31)
    assert values == pytest.approx(exact[moves], abs=0)
    assert 1 <= len(moves) <= 8
    assert exact[allowed].max() in values
    best = [3, 8, int(moves[values.argmax()])]
    fewer = shortlist(problem, [3], np.ones(31, dtype=bool), 31, best)[0]
    assert len(fewer) <= len(shortlist(problem, [3], np.ones(31, dtype=bool), 31)[0])


def test_very_many_pairs(monkeypatch):
    monkeypatch.setattr("intentx.coverage.problem.DENSE_PAIRS", 1000)
    problem = make(7, rankers=2, terms=30, documents=90, pairs=4000)
    several = Problem(Objective(problem), 1, 4)
    assert isinstance(several.judge, Exact)
    found = {method: solve(problem, 4, method=method) for method in ("greedy", "tanh", "anneal")}
    auto = solve(problem, 4)
    assert auto.objective >= max(one.objective for one in found.values()) - 0.01
    assert auto.objective >= max(found["greedy"].objective, found["tanh"].objective)
    assert auto.objective == problem.coverage(auto.indices)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"method": "best"}, "choose one of.*'auto'.*'greedy'"),
        ({"method": "auto", "literal": True}, "literal settings exist for.*'greedy'"),
        ({"max_terms": 0}, "max_terms must be"),
        ({"max_terms": 2.5}, "max_terms must be"),
        ({"min_terms": 0}, "min_terms must be"),
        ({"min_terms": 4, "max_terms": 3}, "min_terms=4 exceeds max_terms=3"),
        ({"min_terms": 8}, "min_terms=8 exceeds the number of terms, 7"),
        ({"softness": -1.0}, "softness must be"),
        ({"softness": math.nan}, "softness must be"),
        ({"softness": 0.1, "soft_share": 1.5}, "soft_share must lie"),
        ({"softness": 0.1, "soft_share": math.nan}, "soft_share must lie"),
        ({"soft_share": -0.1}, "soft_share must lie"),
        ({"method": "ilp", "softness": 0.1}, "softness must be 0"),
    ],
)
def test_bad_settings(settings_, message):
    with pytest.raises(InputError, match=message):
        solve(make(1), **settings_)


def test_nothing_to_choose_or_to_cover():
    with pytest.raises(InputError, match="no term"):
        solve(PreferenceMatrices(TermScores(np.zeros((1, 0, 3))), Pairs([0], [1])))
    with pytest.raises(InputError, match="no preference pair"):
        solve(PreferenceMatrices(TermScores(np.zeros((1, 2, 3))), Pairs([], [])))


def test_exhaustive_refuses_what_would_never_end():
    problem = make(1, terms=100, documents=30, pairs=400)
    with pytest.raises(InputError, match="too many to try"):
        solve(problem, 10, method="exhaustive")


def test_exhaustive_blocks_hold_every_set_once(monkeypatch):
    problem = make(6, rankers=2, terms=9, documents=8, pairs=25)
    entry = np.stack([problem.view(ranker) for ranker in range(2)], axis=1)
    for tails in (1, 9 * 8 // 2 * 2 * 25, 10**6):
        monkeypatch.setattr("intentx.coverage.exhaustive.TAILS", tails)
        monkeypatch.setattr("intentx.coverage.exhaustive.BLOCK", 150)
        every = _tails(entry, 4)
        found = [
            (*head, *tail) for head, block in _blocks(entry, every, 4) for tail in every[block].tolist()
        ]
        assert sorted(found) == list(itertools.combinations(range(9), 4))


@given(matrices, SOFT, st.sampled_from([-1.0, -0.001, 0.0, 0.5]), st.sampled_from([1, 10**6]))
def test_the_best_set_of_a_block_whatever_its_bounds_promise(problem, soft, more, block):
    objective = Objective(problem, *soft)
    entry = np.stack([problem.view(ranker) for ranker in range(problem.n_rankers)], axis=1)
    tails = np.array(list(itertools.combinations(range(problem.n_terms), min(2, problem.n_terms))))
    values = np.array([slow_value(problem, one, *soft) for one in tails.tolist()])
    most = values + np.random.default_rng(0).uniform(1e-9, 1e-3, size=len(values))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("intentx.coverage.exhaustive.BLOCK", block)
        row, value = _highest(objective, entry, ((), tails), most, values.max() + more)
    assert value == pytest.approx(values.max() + max(0.0, more))
    if more < 0:
        assert row in np.flatnonzero(values > values.max() - 1e-9)


@pytest.mark.parametrize("block", [1, 10**6])
def test_of_equal_sets_the_first_is_found(monkeypatch, block):
    problem = make(9, terms=8, documents=8, pairs=4, sparse=True)
    tails = np.array(list(itertools.combinations(range(8), 3)))
    values = np.array([problem.coverage(one) for one in tails.tolist()])
    best = np.flatnonzero(values == values.max())
    assert len(best) > 8  # more than are looked at before the others
    monkeypatch.setattr("intentx.coverage.exhaustive.BLOCK", block)
    entry = np.stack([problem.view(ranker) for ranker in range(3)], axis=1)
    most = np.linspace(1.1, 1.2, len(tails))  # the last promises most
    assert _highest(Objective(problem), entry, ((), tails), most, -1.0) == (best[0], values.max())


@pytest.mark.parametrize("method", LITERAL)
def test_literal(method):
    problem = make(12, rankers=1, terms=15, documents=12, pairs=40)
    selection = solve(problem, 10, method=method, literal=True, step_limit=100_000)
    check(problem, selection, 10)
    if method == "tanh":
        assert 4 <= len(selection.indices) <= 10
        assert selection.method == "GPC"


@pytest.mark.parametrize("method", ["auto", "exhaustive", "tanh", "anneal", "descent"])
@pytest.mark.parametrize("steps", [1, 12])
def test_however_few_steps_there_is_a_valid_bound_and_no_less_than_greedy(method, steps):
    for seed in range(3):
        generator = np.random.default_rng(seed)
        scores = TermScores(generator.normal(size=(2, 12, 9)))
        matrices = PreferenceMatrices(scores, Pairs(*np.triu_indices(9, 1)))
        best = solve(matrices, 4, method="exhaustive").coverage
        found = solve(matrices, 4, method=method, step_limit=steps)
        assert found.bound is not None
        assert found.coverage <= best <= found.bound + 1e-12
        assert found.status != "optimal" or found.coverage == best
        if steps > 4:
            assert found.coverage >= solve(matrices, 4, method="greedy").coverage


def test_cheap_problems_are_proven_under_a_limit_too():
    generator = np.random.default_rng(0)
    scores = TermScores(generator.normal(size=(3, 30, 25)))
    high, low = np.triu_indices(25, 1)
    matrices = PreferenceMatrices(scores, Pairs(high[::3], low[::3]))
    found = solve(matrices, 5, step_limit=10_000_000)
    assert found.status == "optimal"
    assert found.bound == found.coverage
