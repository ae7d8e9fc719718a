import numpy as np
import pytest
from coverage_oracles import make, matrices, slow_value
from hypothesis import given, settings
from hypothesis import strategies as st

from intentx.coverage.kernel import WIDTH, Exact, Kernel
from intentx.coverage.objective import Objective
from intentx.coverage.problem import Problem
from intentx.preferences import Pairs, PreferenceMatrices, TermScores


@settings(deadline=None, max_examples=60)
@given(matrices, st.sampled_from([(0.0, 1.0), (0.3, 1.0), (0.3, 0.4)]), st.integers(0, 1000))
def test_value_and_kernels_against_loops(problem, soft, seed):
    generator = np.random.default_rng(seed)
    rest = generator.choice(
        problem.n_terms, size=int(generator.integers(problem.n_terms)), replace=False
    )
    objective = Objective(problem, *soft)
    terms = np.setdiff1d(np.arange(problem.n_terms + 1), rest)
    expected = [
        slow_value(problem, [t for t in (*rest, new) if t < problem.n_terms], *soft) for new in terms
    ]
    assert Exact(objective).values(rest.tolist(), terms) == pytest.approx(expected, abs=1e-12)
    # votes between margin and NOISE do not occur in these problems
    assert Kernel(objective).values(rest.tolist(), terms) == pytest.approx(expected, abs=1e-5)
    assert Kernel(objective).values(rest.tolist())[terms] == pytest.approx(expected, abs=1e-5)


def test_soft_share_goes_from_strict_to_soft():
    problem = make(3, weighted=True)
    strict, soft = Objective(problem), Objective(problem, 0.2)
    for share, same in ((0.0, strict), (1.0, soft)):
        mixed = Objective(problem, 0.2, share)
        for terms in ([0], [1, 4], [2, 3, 5]):
            assert mixed.value(terms) == pytest.approx(same.value(terms), abs=1e-12)
        assert Kernel(mixed).values([1]) == pytest.approx(Kernel(same).values([1]), abs=1e-6)
    half = Objective(problem, 0.2, 0.5).value([1, 4])
    assert half == pytest.approx((strict.value([1, 4]) + soft.value([1, 4])) / 2)


@pytest.mark.parametrize("rankers", [1, 3])
@pytest.mark.parametrize("soft", [(0.0, 1.0), (0.1, 0.5), (0.9, 0.5)])
def test_short_lists_by_slope(rankers, soft):
    problem = make(6, rankers=rankers, terms=9, documents=8, pairs=20, weighted=True)
    kernel, rest = Kernel(Objective(problem, *soft)), [2, 5]
    weight = problem.pairs.weight / problem.pairs.weight.sum()
    width = max(WIDTH, 2 * soft[0])  # with much softness, the slopes are those of the objective itself

    def smooth(step, term):
        """What short lists climb, with a step along one term."""
        views = [problem.view(ranker) for ranker in range(rankers)]
        votes = sum(np.tanh(view[2] + view[5] + step * view[term]) for view in views)
        return weight @ np.tanh((votes - problem.margin) / width) * width

    slopes = [(smooth(1e-5, term) - smooth(-1e-5, term)) / 2e-5 for term in range(9)]
    assert kernel._slopes(kernel._base(rest)) == pytest.approx([*slopes, 0.0], abs=1e-4)
    allowed = np.ones(10, dtype=bool)
    allowed[rest] = False
    moves, values = kernel.steepest(rest, allowed, 4)
    steep = sorted((t for t in range(9) if allowed[t]), key=lambda t: -slopes[t])[:3]
    assert moves.tolist() == [*sorted(steep), 9]  # "no term" is always among them
    assert values == pytest.approx(kernel.values(rest, moves), abs=0)
    allowed[9] = False
    assert kernel.steepest(rest, allowed, 7)[0].tolist() == np.flatnonzero(allowed).tolist()
    assert len(kernel.steepest(rest, allowed, 4)[0]) == 4


@pytest.mark.parametrize("rankers", [1, 2])
def test_kernel_blocks_cover_all_terms(rankers, monkeypatch):
    problem = make(5, rankers=rankers, terms=23, documents=9, pairs=31)
    objective = Objective(problem)
    whole = Kernel(objective).values([4, 2])
    monkeypatch.setattr("intentx.coverage.kernel.BLOCK", 200)
    small = Kernel(objective)
    assert 1 < small.rows < 23
    assert small.values([4, 2]) == pytest.approx(whole, abs=0)


@pytest.mark.parametrize("rankers", [1, 3])
@pytest.mark.parametrize("soft", [(0.0, 1.0), (0.1, 0.5)])
def test_a_kernel_under_another_scale_and_softness(rankers, soft):
    problem = make(4, rankers=rankers, terms=9, documents=8, pairs=20, weighted=True)
    other = Objective(problem.rescaled(np.array([10.0, 0.5, 1.0])[:rankers]), *soft)
    first, direct = Kernel(Objective(problem)), Kernel(other)
    before = first.values([1, 5])
    shared = first.under(other)
    assert shared.values([1, 5]) == pytest.approx(direct.values([1, 5]), abs=1e-5)
    allowed = np.ones(10, dtype=bool)
    for ours, theirs in zip(
        shared.steepest([1], allowed, 3), direct.steepest([1], allowed, 3), strict=True
    ):
        assert ours == pytest.approx(theirs, abs=1e-5)
    slopes = (kernel._slopes(kernel._base([1, 5])) for kernel in (shared, direct))
    assert next(slopes) == pytest.approx(next(slopes), abs=1e-4)
    assert first.values([1, 5]) == pytest.approx(before, abs=0)


def test_kernel_over_some_pairs():
    problem = make(8, terms=5, documents=8, pairs=20, weighted=True)
    chosen = np.array([1, 4, 5, 17])
    part = PreferenceMatrices(problem.scores, problem.pairs.take(chosen), scale=problem.scale)
    kernel = Kernel(Objective(problem), chosen)
    assert kernel.values([0, 3]) == pytest.approx(Exact(Objective(part)).values([0, 3]), abs=1e-6)


def test_ties_are_not_covered():
    # term 0 ties the pair, terms 1 and 2 cancel, term 3 wins it
    values = np.array([[[0.3, 0.3], [0.7, 0.1], [0.1, 0.7], [0.2, 0.0]]])
    problem = PreferenceMatrices(TermScores(values), Pairs([0], [1]))
    kernel, objective = Kernel(Objective(problem)), Objective(problem)
    for terms, expected in (([0], 0.0), ([1, 2], 0.0), ([0, 3], 1.0), ([], 0.0)):
        assert objective.value(terms) == expected
        assert kernel.values(terms, np.array([4])) == pytest.approx([expected], abs=0)


def test_extreme_scores_do_not_overflow():
    values = np.array([[[1e30, 0.0, -1e30], [1e-30, 0.0, 0.0]], [[0.0, 1.0, 2.0], [5.0, 0.0, 1e5]]])
    problem = PreferenceMatrices(TermScores(values), Pairs([0, 0, 1], [1, 2, 2]), scale=1.0)
    for softness in (0.0, 1e-6):
        objective = Objective(problem, softness)
        found = Kernel(objective).values([0], np.array([1, 2]))
        assert np.isfinite(found).all()
        assert found == pytest.approx(Exact(objective).values([0], np.array([1, 2])), abs=1e-4)


def test_best_prefers_value_then_size_then_index():
    problem = PreferenceMatrices(TermScores(np.ones((1, 4, 2)) * [1, 0]), Pairs([0], [1]))
    assert Objective(problem).best([[3, 1], [2], [1], [0, 1]]) == [1]


def test_many_pairs_are_sampled_and_judged_exactly(monkeypatch):
    monkeypatch.setattr("intentx.coverage.problem.DENSE_PAIRS", 10)
    problem = make(1, terms=3, documents=60, pairs=1500)
    several = Problem(Objective(problem), 1, 2)
    assert not several.dense
    assert several.kernel.n_pairs == 1000
    assert isinstance(several.judge, Exact)
    few = Problem(Objective(make(1)), 1, 2)
    assert few.dense
    assert few.judge is few.kernel
    assert not few.limits.any


@pytest.mark.parametrize("margin", [0.0, 1e-9, 0.3])
@pytest.mark.parametrize("soft", [(0.0, 1.0), (0.4, 1.0), (0.001, 0.6)])
@pytest.mark.parametrize("far", [1.0, 80.0, 500.0])  # the last is beyond exponentials
def test_values_over_all_pairs_of_scores_near_and_far(monkeypatch, margin, soft, far):
    monkeypatch.setattr("intentx.coverage.kernel.PART", 7)  # pairs come in several parts
    near = make(5, rankers=2, terms=6, documents=9, pairs=30, weighted=True, margin=margin)
    scores = TermScores(near.scores.values * np.array([1.0, far])[:, None, None])
    objective = Objective(PreferenceMatrices(scores, near.pairs, (1.0, 1.0), margin), *soft)
    exact = Exact(objective)
    for one in ([], [0], [5, 2], [3, 1, 4]):
        assert exact.value(one) == pytest.approx(objective.value(one), abs=1e-12)


@settings(max_examples=20)
@given(matrices, st.sampled_from([(0.0, 1.0), (0.3, 0.4)]), st.integers(0, 1000))
def test_the_best_of_some_sets_is_the_best_by_exact_values(problem, soft, seed):
    generator = np.random.default_rng(seed)
    sets = [np.flatnonzero(generator.random(problem.n_terms) < 0.5).tolist() for _ in range(6)]
    objective = Objective(problem, *soft)
    assert Exact(objective).best(sets) == objective.best(sets)
