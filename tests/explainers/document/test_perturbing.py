"""What the sampling methods, EXS, LIRME and KernelSHAP, owe to every ranker, document and reader."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intentx as ix
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.exs import EXS
from intentx.explainers.document.lirme import LIRME
from intentx.explainers.document.shap import KernelSHAP
from tests.explainers.document.linear import Linear, chaotic, planted, weights_of
from tests.strategies import texts as any_text
from tests.toys import Counting, Failing, ranked

METHODS = {
    "EXS": EXS(k=3, samples=60),
    "EXS, score": EXS(k=3, samples=60, labels="score"),
    "EXS, score, SVR": EXS(k=3, samples=60, labels="score", surrogate="svr"),
    "EXS, top k": EXS(k=3, samples=60, labels="topk"),
    "EXS, top k, SVM": EXS(k=3, samples=60, labels="topk", surrogate="svm"),
    "LIRME": LIRME(samples=60),
    "LIRME, L2": LIRME(samples=60, sampler="uniform", penalty="l2", weighting="tf-idf"),
    "LIRME, tf-idf": LIRME(samples=60, sampler="tf-idf"),
    "KernelSHAP": KernelSHAP(samples=60, exact_up_to=4),
}
LINEAR = Linear({"piano": 2.0, "cable": -1.5, "stage": 0.7})
DOCS = {
    "a": "A stage piano with cable: the piano's action, wood, lamp and oak.",
    "b": "USB hub, cable.",
    "c": "A piano stool",
    "d": "Desk",
    "e": "the of and",
    "f": "lamp cable, lamp oak",
}

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


def comparable(found):
    plain = json.loads(found.to_json())
    del plain["seconds"]
    return plain


@every_method
def test_constants_give_weights_of_exactly_zero(method):
    for constant in (0.0, 0.1, -7.3):
        ranking = ix.rank(Linear({}, constant), "keyboard", DOCS)
        found = method.explain(ranking, "a")
        assert set(found.weights) == {0.0}
        assert len(found.terms) == 11
        if not isinstance(method, EXS):
            assert found.rest == constant
        assert found.notes
        assert found.intent_terms == ()


@every_method
def test_a_document_of_one_word(method):
    ranking = ix.rank(LINEAR, "keyboard", {**DOCS, "x": "Piano"})
    found = method.explain(ranking, "x")
    assert found.terms == ("piano",)
    assert found.weights[0] > 0
    [word] = found.words
    assert (word.start, word.end) == (0, 5)


@every_method
@pytest.mark.parametrize("text", ["", "?! …"])
def test_a_document_without_a_word_the_analyzer_knows(method, text):
    found = method.explain(ix.rank(LINEAR, "keyboard", {**DOCS, "x": text}), "x")
    assert found.terms == found.weights == found.words == ()
    assert any("no word" in note for note in found.notes)
    assert DocumentExplanation.from_json(found.to_json()).text() == found.text()


@every_method
def test_a_ranking_of_one_document(method):
    found = method.explain(ix.rank(LINEAR, "keyboard", ["stage piano and cable"]), 0)
    assert len(found.terms) == 4


@every_method
def test_the_same_seed_gives_the_same_json_and_another_seed_another(method):
    weights, texts = planted(0)
    one, two = (method.explain(ix.rank(Linear(weights), "tea", texts), 2) for _ in range(2))
    assert comparable(one) == comparable(two)
    other = type(method)(**{**vars(method), "seed": 1}).explain(
        ix.rank(Linear(weights), "tea", texts), 2
    )
    assert comparable(other)["weights"] != comparable(one)["weights"] or one.metrics.get("exact")


@every_method
def test_it_does_not_matter_what_was_asked_before(method):
    ranking = ix.rank(LINEAR, "keyboard", DOCS)
    method.explain(ranking, "b")
    one, again = method.explain(ranking, "a"), method.explain(ranking, "a")
    fresh = method.explain(ix.rank(LINEAR, "keyboard", DOCS), "a")
    assert comparable(one) == comparable(again) == comparable(fresh)
    assert again.model_calls > 0


@every_method
def test_global_random_numbers_are_left_alone(method):
    import random

    before, python = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    method.explain(ix.rank(LINEAR, "keyboard", DOCS), "a")
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert random.getstate() == python


@every_method
def test_the_ranker_is_asked_in_one_go(method):
    scorer = Counting(LINEAR)
    ranking = ix.rank(ix.BlackBox(scorer, batch_size=5000), "keyboard", DOCS)
    scorer.calls.clear()
    found = method.explain(ranking, "a")
    assert len(scorer.calls) == 1
    assert found.model_calls == len(scorer.texts) == len({*scorer.texts} - {*DOCS.values()})


class Cutting(Linear):
    """Reads the first thirty characters."""

    def __call__(self, query, texts):
        return super().__call__(query, self.seen(query, texts))

    def seen(self, query, texts):
        return [text[:30] for text in texts]


@pytest.mark.filterwarnings("ignore::intentx.errors.TruncationWarning")
@every_method
def test_words_the_ranker_never_read_have_no_weight_and_are_named(method):
    text = "Stage piano, oak, lamp, brass; cable hub piano"
    scorer = Cutting({"piano": 2.0, "cable": -9.0, "hub": 9.0, "oak": 0.5})
    found = method.explain(ix.rank(scorer, "keyboard", {**DOCS, "x": text}), "x")
    assert set(found.terms) == {"stage", "piano", "oak", "lamp", "brass"}
    assert found.unseen == ("cable", "hub")
    assert max(word.end for word in found.words) <= 30
    assert weights_of(found)["piano"] == max(found.weights)


@every_method
def test_a_recorded_ranking_has_nobody_to_ask(method):
    with pytest.raises(ix.InputError, match=f"explanation by {method.name} must ask the ranker"):
        method.explain(ranked(["piano", "desk"]), 0)


@every_method
def test_a_document_that_is_not_there(method):
    ranking = ix.rank(LINEAR, "keyboard", DOCS)
    with pytest.raises(ix.InputError, match="no document 'z'"):
        method.explain(ranking, "z")
    with pytest.raises(ix.InputError, match="no position 6"):
        method.explain(ranking, 6)


@every_method
def test_a_ranker_that_fails_on_a_version_names_it(method):
    scorer = Failing(word="[MASK] [MASK]")
    ranking = ix.rank(scorer, "keyboard", DOCS)
    if isinstance(method, LIRME):
        scorer.word = "'s,"  # the piano and its action gone
    else:
        method = type(method)(**{**vars(method), "removal": "mask", "mask": "[MASK]"})
    with pytest.raises(ix.ScorerError, match="cannot read this"):
        method.explain(ranking, "a")


@every_method
@settings(max_examples=15)  # of each of nine methods
@given(text=any_text, seed=st.integers(0, 5))
def test_any_text_can_be_explained(method, text, seed):
    ranking = ix.rank(chaotic, "keyboard", {**DOCS, "x": text})
    found = method.explain(ranking, "x")
    analyzer = ix.Analyzer(stopwords=frozenset())
    assert set(found.terms) == set(analyzer.terms(text))
    assert [(w.term, w.start, w.end) for w in found.words] == [
        (t.term, t.start, t.end) for t in analyzer.tokens(text)
    ]
    assert np.isfinite(found.weights).all()
    assert list(map(abs, found.weights)) == sorted(map(abs, found.weights), reverse=True)


@every_method
def test_the_judge_takes_the_words(method):
    weights, texts = planted(1)
    ranking = ix.rank(Linear(weights), "tea", texts)
    found = method.explain(ranking, 0)
    assert found.intent_terms
    assert 0 <= ix.fidelity(found).all <= 1
    assert set(found.as_intent().terms) == set(found.intent_terms)


@every_method
def test_a_whole_ranking_by_its_documents(method):
    weights, texts = planted(1)
    ranking = ix.rank(Linear(weights), "tea", texts)
    gathered = type(method)(**{**vars(method), "documents": 3, "max_terms": 4, "samples": 300})
    found = gathered.explain(ranking)
    assert (found.method, len(found.terms)) == (method.name, 4)
    assert sum(weights.get(term, 0) > 0 for term in found.terms) >= 2
    assert found.settings["documents"] == 3


def everything():
    """What all methods say of two rankings, as JSON; `tests.test_determinism` compares two processes."""
    weights, texts = planted(2)
    found = []
    for scorer, docs in ((LINEAR, DOCS), (Linear(weights), texts)):
        ranking = ix.rank(scorer, "tea", docs)
        for method in METHODS.values():
            found.append(comparable(method.explain(ranking, 1)))
            if "pair" in method.questions:
                found.append(comparable(method.explain(ranking, 0, above=2)))
    return json.dumps(found)
