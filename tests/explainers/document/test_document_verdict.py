"""Verdicts on explanations of one document: whether their words hold, are weak, or may be chance."""

import dataclasses
import json

import numpy as np
import pytest

import intentx as ix
from intentx.cli import main
from intentx.explainers.document.verdict import FEWEST, MOST, DocumentVerdict
from intentx.explainers.verdicts import verdict as judged
from tests.explainers.inside.gradient_toys import METHODS, perceptron
from tests.explainers.ranking.test_verdict import WORDS, Counted, by_hash, counts

METHODS_OF_ALL = [ix.EXS(k=12, samples=120), ix.LIRME(samples=120), ix.KernelSHAP(samples=120)]
each = pytest.mark.parametrize("method", METHODS_OF_ALL, ids=lambda method: method.name)


def documents(number=12, words=16, seed=0):
    """Documents of different drawn words, of which the first ones hold "piano"."""
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(WORDS)[:words].tolist() for _ in range(number)]
    return [" ".join([*words, f"n{place}"]) for place, words in enumerate(drawn)]


def shuffled(found, seed):
    """The same weights on words at random."""
    weights = np.random.default_rng(seed).permutation(found.weights).tolist()
    return dataclasses.replace(found, weights=tuple(weights))


def planted(query, texts):
    return [3.0 * t.count("piano") + 2.0 * t.count("river") - t.count("lamp") for t in texts]


@each
def test_a_planted_ranker_holds(method):
    found = method.explain(ix.rank(planted, "x", documents()), 0)
    verdict = ix.verdict(found)
    assert verdict is found.verdict
    assert isinstance(verdict, DocumentVerdict)
    assert verdict.level == "holds"
    assert verdict.fit > 0.95 > 0.3 > abs(verdict.shuffled)
    assert verdict.p_value <= 0.02
    assert verdict.unseen
    assert verdict.score_falls >= 4.9
    assert verdict.falls > 2 * verdict.random_falls > 0
    assert verdict.random_error > 0
    assert verdict.falls_p_value <= 0.2
    assert verdict.sentence.startswith("Holds: on ")
    assert verdict.sentence.endswith(f"; for this verdict the ranker scored {verdict.asked} more texts.")
    assert found.unjudged == ""


@each
def test_rankers_of_nothing_do_not_hold(method):
    ranking = ix.rank(by_hash, "x", documents(20))
    levels = [method.explain(ranking, place).verdict.level for place in range(20)]
    assert levels.count("holds") <= 1
    assert levels.count("chance") >= 13


@each
@pytest.mark.parametrize("words", [3, 8])
def test_rankers_of_nothing_do_not_hold_on_short_documents_either(method, words):
    """All versions of them may be known to the method, which can fit any number."""
    ranking = ix.rank(by_hash, "x", documents(16, words))
    levels = [method.explain(ranking, place).verdict.level for place in range(16)]
    assert levels.count("holds") <= 1
    assert levels.count("chance") >= 11


@each
def test_weights_on_words_at_random_do_not_hold(method):
    ranking = ix.rank(planted, "x", documents(24))
    found = [method.explain(ranking, place) for place in range(0, 24, 3)]
    right = [one.verdict.level for one in found]
    levels = [shuffled(one, seed).verdict.level for one in found for seed in range(3)]
    assert right.count("holds") == 8
    assert levels.count("holds") <= 2
    assert levels.count("chance") >= 14


@pytest.mark.parametrize("words", [1, 2, 5, 16])
@each
def test_it_asks_no_more_than_it_says_and_at_most_three_times_as_much(method, words):
    for listwise in (False, True):
        scorer = Counted(planted)
        scorer.listwise = listwise
        found = method.explain(ix.rank(scorer, "x", documents(6, words)), 0)
        before = scorer.asked
        verdict = found.verdict
        new = scorer.asked - before
        list_of = 6 if listwise else 1
        assert new <= verdict.asked <= max(3 * found.model_calls, FEWEST * list_of)
        assert verdict.asked <= MOST * list_of
        assert found.verdict is verdict
        assert scorer.asked == before + new  # kept
        ix.verdict(found)
        assert found.verdict == verdict  # the same anew


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_methods_that_look_inside(method):
    ranking = ix.rank(perceptron(), "x", documents(6))
    found = method.explain(ranking, 3)
    before = ranking.scorer.texts_asked
    verdict = found.verdict
    assert verdict.asked <= max(3 * found.model_calls, FEWEST)
    assert ranking.scorer.texts_scored - before <= verdict.asked
    assert np.isnan(verdict.gap) == ("relative_gap" not in found.metrics)
    if method.name in ("DeepLIFT", "IntegratedGradients"):
        assert verdict.level == "holds"
        assert "; the weights add up to what they should" in verdict.sentence
        assert shuffled(found, 0).verdict.level == "chance"


def test_repr_asks_nothing():
    scorer = Counted(planted)
    found = ix.KernelSHAP(samples=120).explain(ix.rank(scorer, "x", documents()), 0)
    before = scorer.asked
    assert "piano" in repr(found) + repr([found])
    assert scorer.asked == before


def test_one_document_above_another():
    ranking = ix.rank(planted, "x", documents(words=9))
    for method in (ix.KernelSHAP(samples=200), ix.EXS(samples=200)):
        found = method.explain(ranking, 1, above=11)
        assert found.verdict.level == "holds"
        assert found.verdict.fit > 0.9
        assert found.verdict.asked <= 3 * found.model_calls
        assert shuffled(found, 0).verdict.level != "holds"


def test_rankers_that_score_alike_have_nothing_to_explain():
    ranking = ix.rank(lambda query, texts: [1.0] * len(texts), "x", documents())
    for method in METHODS_OF_ALL:
        verdict = method.explain(ranking, 0).verdict
        assert verdict.level == "chance"
        assert np.isnan(verdict.fit)
        assert "versions of the document alike, so no word of it matters" in verdict.sentence
    ranking = ix.rank(planted, "x", documents())
    found = ix.EXS(k=1).explain(ranking, 11)  # no version is above the first document
    if not any(found.weights):
        assert "no word has a weight" in found.verdict.sentence
        assert found.verdict.level == "chance"


def test_one_document_alone_says_nothing_of_a_ranker_that_compares():
    ranker = ix.PairwiseRanker(lambda query, one, other: one.count("piano") > other.count("piano"))
    sentence = ix.KernelSHAP().explain(ix.rank(ranker, "x", documents(1)), 0).verdict.sentence
    assert "alike: it compares documents, and this is the only one" in sentence
    assert "matters" not in sentence


def test_one_word_cannot_be_told_from_chance():
    ranking = ix.rank(planted, "x", ["piano", "lamp", "river piano", "desk"])
    verdict = ix.KernelSHAP().explain(ranking, "0").verdict
    assert (verdict.level, verdict.versions, verdict.words, verdict.draws) == ("weak", 2, 1, 0)
    assert verdict.asked == 0
    assert "with only one word, chance cannot be ruled out" in verdict.sentence
    assert ix.KernelSHAP().explain(ranking, "2").verdict.level == "holds"  # it adds up exactly


def test_a_ranking_of_one_document_is_judged_by_scores():
    found = ix.KernelSHAP().explain(ix.rank(planted, "x", documents(1)), 0)
    assert found.verdict.level == "holds"
    assert found.verdict.falls == found.verdict.random_falls == 0
    assert found.verdict.score_falls > found.verdict.random_score_falls
    assert " in score (" in found.verdict.sentence


def test_words_that_speak_against_a_document():
    against = lambda query, texts: [-t.count("lamp") - 0.5 * t.count("ink") for t in texts]  # noqa: E731
    found = ix.KernelSHAP(samples=200).explain(ix.rank(against, "x", documents()), 11)
    assert found.weights[:3] == pytest.approx((-1.0, -0.5, 0.0))
    assert (found.verdict.level, found.verdict.words) == ("holds", 0)
    assert np.isnan(found.verdict.falls)


def test_a_noisy_ranker_holds():
    def noisy(query, texts):
        return [a + 0.3 * b for a, b in zip(planted(query, texts), by_hash(query, texts), strict=True)]

    ranking = ix.rank(noisy, "x", documents())
    assert [m.explain(ranking, 0).verdict.level for m in METHODS_OF_ALL] == ["holds"] * 3


def test_ranks_only():
    def places(query, texts):
        order = np.argsort(np.argsort(-np.array(planted(query, texts)), kind="stable"))
        return [-float(place) for place in order]

    places.listwise = True
    ranking = ix.rank(places, "x", documents(8))
    assert ix.KernelSHAP(samples=120).explain(ranking, 0).verdict.level == "holds"


class Failing(Counted):
    """Raises from the n-th text on."""

    last = None

    def __call__(self, query, texts):
        if self.last is not None and self.asked + len(texts) > self.last:
            raise RuntimeError("the quota is used up")
        return super().__call__(query, texts)


def test_a_ranker_that_fails_is_told_and_breaks_nothing():
    scorer = Failing(planted)
    found = ix.KernelSHAP(samples=60).explain(ix.rank(scorer, "x", documents()), 0)
    scorer.last = scorer.asked + 5
    assert found.verdict is None
    assert "the scorer raised RuntimeError: the quota is used up" in found.unjudged
    assert found.text().startswith("No verdict: the scorer raised RuntimeError: the quota is used up")
    plain = json.loads(found.to_json())
    assert plain["verdict"] is None
    assert ix.DocumentExplanation.from_dict(plain).unjudged == found.unjudged
    with pytest.raises(ix.ScorerError, match="quota"):
        ix.verdict(found)
    scorer.last = None
    assert found.verdict is None  # kept, so that a table does not ask again
    assert ix.verdict(found).level == "holds"
    assert found.verdict.level == "holds"
    assert found.unjudged == ""


def test_through_json_and_back():
    found = ix.KernelSHAP(samples=60).explain(ix.rank(planted, "x", documents()), 0)
    plain = json.loads(found.to_json())
    assert plain["verdict"]["level"] == "holds"
    assert plain["verdict"]["additive"] is None
    again = ix.DocumentExplanation.from_json(found.to_json())
    assert str(again.verdict) == str(found.verdict)  # NaN is not NaN
    assert json.loads(again.to_json()) == plain
    assert judged(again) == again.verdict
    assert again.text().splitlines()[0] == found.text().splitlines()[0]
    old = ix.DocumentExplanation.from_dict({k: v for k, v in plain.items() if k != "verdict"})
    assert old.verdict is None
    without = {k: v for k, v in plain.items() if k not in ("verdict", "unjudged")}
    old = ix.DocumentExplanation.from_dict(without)
    assert (old.verdict, old.unjudged) == (None, "it was saved without a verdict")
    with pytest.raises(ix.InputError, match="explain the ranking again"):
        ix.verdict(old)
    with pytest.raises(ix.InputError, match="not 'sure'"):
        DocumentVerdict.from_dict(plain["verdict"] | {"level": "sure"})


def test_a_recorded_ranking_and_a_document_without_words():
    found = ix.KernelSHAP(samples=60).explain(ix.rank(planted, "x", documents()), 0)
    run = dict(zip(found.ranking.doc_ids, found.ranking.scores.tolist(), strict=True))
    texts = dict(zip(found.ranking.doc_ids, found.ranking.texts, strict=True))
    recorded = dataclasses.replace(found, ranking=ix.Ranking.from_run(run, "x", texts))
    assert recorded.verdict is None
    assert "this ranking is a recorded one" in recorded.unjudged
    empty = ix.KernelSHAP().explain(ix.rank(planted, "x", ["piano", "..."]), 1)
    assert empty.verdict is None
    assert "no word of the document" in empty.unjudged
    assert "No verdict: the explanation has no word" in empty._repr_html_()


def test_it_comes_first_wherever_an_explanation_is_shown():
    good = ix.KernelSHAP(samples=120).explain(ix.rank(counts, "x", documents()), 0)
    bad = ix.KernelSHAP(samples=120).explain(ix.rank(by_hash, "x", documents(seed=3)), 0)
    from intentx.report import page
    from intentx.report.pictures.words import word_bars

    for found, level in ((good, "holds"), (bad, "chance")):
        assert found.verdict.level == level
        sentence = found.verdict.sentence
        assert " ".join(found.text(300).split()).startswith(sentence)
        assert found._repr_html_().startswith(f"<p><b>{sentence}")
        shown = page([found])
        answer = shown.index(f'class="{level}">{sentence}')
        assert 'class="answer"' in shown[:answer]
        for word in ("speaks for", "speak for", "against its place"):
            assert word not in shown[:answer]
        title = [text.get_text() for text in word_bars(found).texts]
        assert " ".join(title).startswith(sentence)
    assert " for its place" in page([good])
    assert " for its place" not in page([bad])
    assert "The largest weights are those of" in page([bad])


def test_the_command_line_says_it_first(capsys, tmp_path):
    docs = tmp_path / "docs.jsonl"
    lines = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(documents())]
    docs.write_text("\n".join(lines), encoding="utf-8")
    start = ["explain", "--ranker", "bm25", "--query", "piano river", "--docs", str(docs), "--doc", "#1"]
    assert main([*start, "--method", "shap", "--samples", "100"]) == 0
    assert capsys.readouterr().out.startswith("Holds: on ")
    assert main([*start, "--method", "shap", "--method", "exs", "--samples", "100", "--json"]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert [one["verdict"]["level"] for one in plain["explanations"]] == ["holds", "holds"]
