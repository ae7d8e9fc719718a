"""A limit in seconds: as many versions as there is time for, and how sure the weights are."""

import math

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.explainers.document.anytime import said_of, within
from intentx.explainers.document.interactions import expected_error, expected_shapley_values
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
    assert said_of(seconds, int(number), 300) in found.notes
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
        ratios.append(off / expected_error(kept, values, game[0], game[-1]))
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
    }


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
    assert main([*given, "--method", "deeplift", "--seconds", "5"]) == 2
    assert "--seconds is a setting of" in capsys.readouterr().err
