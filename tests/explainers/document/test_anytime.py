"""A limit in seconds: as many versions as there is time for, and how sure the weights are."""

import dataclasses
import math

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.explainers.document.anytime import said_of, stable_first, within
from intentx.explainers.document.interactions import expected_errors, expected_shapley_values
from tests.explainers.document.linear import Linear, chaotic, planted
from tests.toys import Counting

METHODS = {
    "EXS": ix.EXS(k=3, samples=300),
    "LIRME": ix.LIRME(samples=300),
    "KernelSHAP": ix.KernelSHAP(samples=300, exact_up_to=0),
}
SURE = {"versions", "stability", "error"}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


class Clocked(Counting):
    """A ranker of so many seconds a text, by a clock that nothing else moves."""

    def __init__(self, monkeypatch, scorer, each=0.01):
        super().__init__(scorer)
        self.now, self.each = 0.0, each
        monkeypatch.setattr("intentx.explainers.document.anytime.time.perf_counter", lambda: self.now)

    def __call__(self, query, texts):
        self.now += self.each * len(texts)
        return super().__call__(query, texts)


def changed(method, **settings):
    return type(method)(**{**vars(method), **settings})


def without_sureness(found):
    return {name: value for name, value in found.metrics.items() if name not in SURE}


WEIGHTS, TEXTS = planted(0)


@every_method
@pytest.mark.parametrize(("seconds", "least", "most"), [(1e-9, 16, 16), (1.5, 50, 150), (99, 300, 300)])
def test_weights_depend_on_the_number_of_versions_alone(monkeypatch, method, seconds, least, most):
    scorer = Clocked(monkeypatch, Linear(WEIGHTS))
    ranking = ix.rank(scorer, "tea", TEXTS)
    began = scorer.now
    found = changed(method, seconds=seconds).explain(ranking, 2)
    number = found.metrics["versions"]
    assert least <= number <= most
    assert scorer.now - began <= max(seconds, 17 * scorer.each)
    assert found.model_calls <= (scorer.now - began) / scorer.each + 1
    plain = changed(method, samples=int(number)).explain(ix.rank(Linear(WEIGHTS), "tea", TEXTS), 2)
    assert (found.terms, found.weights) == (plain.terms, plain.weights)
    assert without_sureness(found) == plain.metrics
    assert not SURE & set(plain.metrics)
    said = said_of(seconds, int(number), 300, None, found.metrics["stability"])
    assert said in found.notes
    again = type(found).from_json(found.to_json())
    assert again.metrics == found.metrics
    assert again.settings["seconds"] == seconds


@every_method
def test_a_ranker_that_gets_slower_keeps_what_is_known(monkeypatch, method):
    scorer = Clocked(monkeypatch, Linear(WEIGHTS))
    ranking = ix.rank(scorer, "tea", TEXTS)
    scorer.each = 1.0  # the first block takes sixteen seconds, and is asked all the same
    found = changed(method, seconds=2).explain(ranking, 2)
    assert found.metrics["versions"] == 16
    assert any("16 versions of 300 were asked about within 2 s" in note for note in found.notes)


def test_blocks_grow_and_the_last_one_fits(monkeypatch):
    now, asked = [0.0], []
    monkeypatch.setattr("intentx.explainers.document.anytime.time.perf_counter", lambda: now[0])

    def ask(number):
        asked.append(number)
        now[0] += number
        return number

    assert within(1100.0, 1000, ask) == (860, 860)
    assert asked == [16, 128, 860]
    assert now[0] <= 1100
    asked.clear()
    assert within(35.0, 1000, ask) == (16, 16)  # 17 would hardly be more
    assert within(None, 1000, ask) == (1000, 1000)
    assert within(0.001, 9, ask) == (9, 9)
    assert asked == [16, 1000, 9]


@every_method
def test_a_whole_ranking_shares_the_seconds(monkeypatch, method):
    scorer = Clocked(monkeypatch, Linear(WEIGHTS))
    ranking = ix.rank(scorer, "tea", TEXTS)
    began = scorer.now
    found = changed(method, seconds=4, documents=3, simple_rankers="text").explain(ranking)
    assert scorer.now - began <= 4
    assert found.settings["seconds"] == 4
    assert found.terms


@every_method
@pytest.mark.parametrize("text", ["Piano", "stage piano", ""])
def test_few_words_and_none(method, text):
    ranking = ix.rank(Linear({"piano": 2.0}), "tea", {"x": text, "y": "desk", "z": "a stage"})
    more = {"labels": "score"} if isinstance(method, ix.EXS) else {}
    found = changed(method, seconds=60, **more).explain(ranking, "x")
    assert dict(zip(found.terms, found.weights, strict=True)).get("piano", 1) > 0
    if text:
        whole = len(text.split())
        assert found.metrics["versions"] == (
            300 if isinstance(method, ix.LIRME) and whole > 1 else 2**whole
        )


def test_stability_is_high_where_words_are_clear_and_unknown_where_none_matters():
    clear = Linear({"piano": 9.0, "stage": 6.0, "cable": -4.0})
    docs = ["a stage piano with cable and lamp of oak", "piano stool", "desk", "cable hub"]
    for method in (ix.EXS(labels="score", k=4, seconds=60), ix.LIRME(seconds=60, sampler="uniform")):
        found = method.explain(ix.rank(clear, "tea", docs), 0)
        assert found.metrics["stability"] == 1.0
        assert math.isnan(method.explain(ix.rank(Linear({}), "tea", docs), 0).metrics["stability"])


@pytest.mark.parametrize("number", [25, 120])  # single coalitions, and pairs
def test_the_error_is_about_that_of_the_estimate(number):
    # Twelve players, any three of whom interact; the values of all coalitions are known.
    from intentx.explainers.document.coalitions import coalitions
    from intentx.explainers.document.shap import shapley_values
    from intentx.perturbation import all_subsets

    generator = np.random.default_rng(0)
    ratios = []
    for _ in range(3):
        weights, pairs = generator.normal(size=12), generator.normal(size=(12, 12, 12))
        table = all_subsets(12).astype(float)
        game = table @ weights + 0.2 * np.einsum("si,sj,sk,ijk->s", table, table, table, pairs)
        true = shapley_values(game)
        kept = coalitions(12, number, generator)
        values = game[kept @ (1 << np.arange(12))]
        found = expected_shapley_values(kept, values, game[0], game[-1])
        off = math.sqrt(np.mean((found - true) ** 2))
        errors = expected_errors(kept, values, game[0], game[-1])
        ratios.append(off / math.sqrt(np.mean(errors**2)))
        assert (errors > 0).all()
    assert 0.3 < np.median(ratios) < 2


def test_the_error_is_none_where_all_is_known():
    some = ix.KernelSHAP(seconds=60, samples=40, exact_up_to=0)
    chaos = some.explain(ix.rank(chaotic, "tea", TEXTS), 2)
    assert chaos.metrics["error"] > 0
    assert some.explain(ix.rank(Linear(WEIGHTS), "tea", TEXTS), 2).metrics["error"] == 0
    assert ix.KernelSHAP(seconds=60).explain(ix.rank(chaotic, "tea", ["a stage piano"]), 0).metrics == {
        **ix.KernelSHAP().explain(ix.rank(chaotic, "tea", ["a stage piano"]), 0).metrics,
        "versions": 8,
        "error": 0,
        "stability": 1.0,
    }


@pytest.mark.parametrize("paired", [False, True])
def test_what_is_left_open_of_each_player_by_all_coalitions(paired):
    from intentx.explainers.document import interactions as game
    from intentx.explainers.document.shap import shapley_values
    from intentx.perturbation import all_subsets

    generator = np.random.default_rng(1)
    prior = game.Prior(generator.uniform(0.1, 2, 5), 0.7, 0.5, 0.3, 0.2, cubic=0.1)
    every = np.where(all_subsets(5), 1.0, -1.0)
    shapley = np.stack([shapley_values(one) for one in np.eye(32)], axis=1)  # (T, 32)
    between = game._covariance(prior, every) + prior.noise * np.eye(32)
    known = [3, 9, 17, 25, 31] if paired else [0, 3, 9, 17, 30, 31]
    seen = np.zeros((len(known), 32))
    for row, place in enumerate(known):
        seen[row, place] += 1.0
        if paired:  # only half of the difference to the complement is known
            seen[row, place], seen[row, 31 - place] = 0.5, -0.5
    crossed = shapley @ between @ seen.T
    explained = np.linalg.solve(seen @ between @ seen.T, crossed.T)
    left = np.diag(shapley @ between @ shapley.T) - np.einsum("tk,kt->t", crossed, explained)
    prior = dataclasses.replace(prior, noise=prior.noise / 2) if paired else prior
    found = game._left_open(prior, every[known], paired)
    np.testing.assert_allclose(found, left, rtol=1e-6, atol=1e-9)


def by_loops(weights, errors):
    first = {int(i) for i in np.argsort(-np.abs(weights))[:3]}
    shares = []
    for row in np.random.default_rng(5).standard_normal((4000, len(weights))):
        drawn = np.abs(weights + errors * row)
        shares.append(len(first & {int(i) for i in np.argsort(-drawn)[:3]}) / 3)
    return np.mean(shares)


def test_the_share_of_first_words_that_stay_by_loops():
    generator = np.random.default_rng(0)
    for _ in range(5):
        weights, errors = generator.normal(size=9), generator.uniform(0, 0.6, 9)
        assert abs(stable_first(weights, errors) - by_loops(weights, errors)) < 0.06
    assert stable_first(np.array([3.0, 2.0, 1.0, 0.5]), np.zeros(4)) == 1.0


@every_method
def test_a_wanted_stability_ends_it_and_is_said(method):
    clear = Linear({"piano": 9.0, "stage": 6.0, "cable": -4.0})
    docs = ["a stage piano with cable and a lamp of oak beside it", "piano stool", "desk", "cable hub"]
    more = {"labels": "score"} if isinstance(method, ix.EXS) else {}
    more |= {"sampler": "uniform"} if isinstance(method, ix.LIRME) else {}
    scorer = Counting(clear)
    found = changed(method, stability=0.9, **more).explain(ix.rank(scorer, "tea", docs), 0)
    assert found.metrics["stability"] >= 0.9
    assert found.metrics["versions"] < 300
    assert any("of the first three words is 100%, as wanted" in note for note in found.notes)
    same = changed(method, samples=int(found.metrics["versions"]), **more)
    assert same.explain(ix.rank(clear, "tea", docs), 0).weights == found.weights
    assert found.settings["stability"] == 0.9


def test_a_stability_that_is_not_reached_is_said():
    ranking = ix.rank(chaotic, "tea", TEXTS)
    found = ix.EXS(k=3, samples=60, stability=1.0, labels="score").explain(ranking, 2)
    assert found.metrics["versions"] == 60
    assert found.metrics["stability"] < 1
    assert any("and 100% was wanted: more samples may give it" in note for note in found.notes)
    clocked = ix.KernelSHAP(samples=300, stability=1.0, seconds=1e-9).explain(ranking, 2)
    assert clocked.metrics["versions"] == 16
    assert any("and 100% was wanted: more seconds may give it" in note for note in clocked.notes)


@pytest.mark.parametrize("kind", [ix.EXS, ix.LIRME, ix.KernelSHAP, ix.Multiplex])
@pytest.mark.parametrize("value", [0, 1.5, math.nan, "x", True])
def test_what_is_no_stability(kind, value):
    with pytest.raises(ix.InputError, match="stability must be a number above 0, at most 1"):
        kind(stability=value)


@pytest.mark.parametrize("kind", [ix.EXS, ix.LIRME, ix.KernelSHAP])
@pytest.mark.parametrize("value", [0, -1.5, math.nan, math.inf, "5", True])
def test_what_is_no_number_of_seconds(kind, value):
    with pytest.raises(ix.InputError, match="seconds must be a finite number above 0 or None, not"):
        kind(seconds=value)


def test_on_the_command_line(tmp_path, capsys):
    docs = tmp_path / "docs.tsv"
    docs.write_text("a\tA stage piano with USB.\nb\tUSB hub.\nc\tPiano stool.\n")
    given = ["explain", "--ranker", "bm25", "--query", "piano", "--docs", str(docs), "--doc", "a"]
    for method in ("exs", "lirme", "shap"):
        assert main([*given, "--method", method, "--seconds", "60", "--json"]) == 0
        assert '"versions": ' in capsys.readouterr().out
        assert main([*given, "--method", method, "--seconds", "0"]) == 2
        assert "seconds must be a finite number above 0" in capsys.readouterr().err
        assert main([*given, "--method", method, "--stability", "0.5", "--json"]) == 0
        assert '"stability": 0.5' in capsys.readouterr().out
    assert main([*given, "--method", "deeplift", "--seconds", "5"]) == 2
    assert "--seconds is a setting of" in capsys.readouterr().err
