"""Every word of a document is explained, stopwords too; what no word carries is a number."""

import json

import pytest

import intentx as ix
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.rankers.transformers.cross_encoder import CrossEncoder
from tests import tiny_models
from tests.explainers.document.linear import weights_of

DOCS = ["phone without camera", "phone with camera", "camera", "phone and a lens"]


def negating(query, texts):
    return [5 * t.split().count("without") + t.split().count("phone") for t in texts]


PLANTED = {
    "negation": ("a lens not for phones", "not"),
    "question": ("who made the lens", "who"),
    "pronoun": ("a lens they like", "they"),
    "preposition": ("a lens under glass", "under"),
}
METHODS = {
    "KernelSHAP": ix.KernelSHAP(),
    "EXS": ix.EXS(labels="score", k=3),
    "EXS, top k": ix.EXS(labels="topk", k=1),
    "LIRME": ix.LIRME(),
    "LIRME, L2": ix.LIRME(sampler="uniform", penalty="l2"),
}


def test_without_is_why_one_stands_above_the_other():
    found = ix.KernelSHAP().explain(ix.rank(negating, "phone", DOCS), 0, above=1)
    assert weights_of(found) == pytest.approx({"without": 5, "phone": 0, "camera": 0, "with": 0})
    assert found.rest == 0
    assert not any("no word makes a difference" in note for note in found.notes)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
@pytest.mark.parametrize(("text", "word"), PLANTED.values(), ids=PLANTED.keys())
def test_a_function_word_that_decides_comes_first(method, text, word):
    def scorer(query, texts):
        return [3.0 * t.split().count(word) for t in texts]

    found = method.explain(ix.rank(scorer, "lens", [text, "lens", "lens lens", "desk"]), "0")
    assert found.terms[0] == word
    assert found.weights[0] > 0
    assert word in {part.term for part in found.words}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_a_stopword_is_no_intent_term(method):
    ranking = ix.rank(negating, "phone", DOCS)
    found = method.explain(ranking, 0)
    assert "without" in found.terms
    assert "without" not in {*found.intent_terms, *found.as_intent().terms, *found.content_terms}
    assert set(method.explain(ranking).terms) <= {"phone", "camera", "lens"}
    assert found.fidelity == found.as_intent().fidelity
    again = DocumentExplanation.from_json(found.to_json())
    assert again.intent_terms == found.intent_terms


def test_stopwords_of_ones_own_stay_out_of_the_intent_alone():
    method = ix.KernelSHAP(analyzer=ix.Analyzer(stopwords=frozenset({"phone"})))
    ranking = ix.rank(negating, "phone", DOCS)
    assert weights_of(method.explain(ranking, 0))["phone"] == pytest.approx(1)
    assert method.explain(ranking).terms == ("without",)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())
def test_what_no_word_carries_is_shown(method):
    """A ranker that counts exclamation marks: no word explains its score of 4."""
    ranking = ix.rank(lambda q, texts: [4.0 * t.count("!") for t in texts], "a", ["tea!", "pot", "mug"])
    found = method.explain(ranking, "0")
    assert found.weights == (0.0,)
    assert found.rest == (1.0 if isinstance(method, ix.EXS) else 4.0)
    shown = "+1.00" if isinstance(method, ix.EXS) else "+4.00"
    assert f"│ the rest: no word │  {shown} │" in found.text()
    assert "the rest, which no word carries" in found._repr_html_()
    assert json.loads(found.to_json())["rest"] == found.rest
    assert "; the rest +" in repr(found)


def test_signs_that_set_two_documents_apart():
    ranking = ix.rank(lambda q, texts: [4.0 * t.count("!") for t in texts], "a", ["tea!", "tea", "mug"])
    found = ix.KernelSHAP().explain(ranking, 0, above=1)
    assert (set(found.weights), found.rest) == ({0.0}, 4.0)


def test_weights_and_the_rest_add_up():
    text = "tea, not coffee! the pot is old; the tea is not."

    def scorer(query, texts):
        return [2 + t.count("!") + 3 * t.count("not") * t.count("tea") - t.count("old") for t in texts]

    ranking = ix.rank(scorer, "tea", [text, "coffee", "pot", "old tea"])
    shap = ix.KernelSHAP().explain(ranking, "0")
    assert sum(shap.weights) + shap.rest == pytest.approx(shap.metrics["score"])
    assert shap.rest == 3
    lirme = ix.LIRME().explain(ranking, "0")
    carried = sum(word.weight for word in lirme.words)
    assert carried + lirme.rest == pytest.approx(lirme.metrics["score"])


def test_the_words_behind_the_table_are_added_up():
    text = " ".join(f"w{i}" for i in range(30))
    ranking = ix.rank(lambda q, texts: [len(t.split()) for t in texts], "a", [text, "w0"])
    found = ix.KernelSHAP().explain(ranking, "0")
    assert sum("│ w" in line for line in found.text().splitlines()) == 20
    assert "│ 10 smaller words  │" in found.text()
    assert "+10.00" in found.text()


def test_older_json_has_no_rest_and_still_loads():
    found = ix.KernelSHAP().explain(ix.rank(negating, "phone", DOCS), 0)
    plain = found.to_dict()
    del plain["rest"], plain["intent_analyzer"], plain["metrics"]["rest"]
    again = DocumentExplanation.from_dict(plain)
    assert again.to_dict()["rest"] is None
    assert "the rest" not in again.text() + again._repr_html_() + repr(again)
    assert again.terms == found.terms


def test_faithfulness_takes_stopwords_away():
    texts = ["without a phone", "phone one", "phone two", "lens"]
    found = ix.KernelSHAP().explain(ix.rank(negating, "phone", texts), "0")
    judged = ix.faithfulness(found, words=1)
    assert judged.deletion == (0.0, 1.0)  # the phone is left, as in two others, that tie with it


def test_correctness_leaves_stopwords_out():
    ranking = ix.rank(negating, "phone", DOCS)
    found = ix.KernelSHAP().explain(ranking, 0)
    assert ix.correctness(found, ["the phone without the phone"]) == pytest.approx(1.0)


GRADIENTS = [ix.Saliency(), ix.GradientInput(), ix.IntegratedGradients(steps=8), ix.DeepLIFT()]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """A ranking by a real transformer, with random weights."""
    scorer = CrossEncoder(tiny_models.cross_encoder(tmp_path_factory.mktemp("model"), window=40))
    return ix.rank(scorer, "piano", ["a key, not a desk!", "stage desk", "piano key"])


@pytest.mark.parametrize("method", [*GRADIENTS, ix.DeepSHAP(number=2)], ids=lambda m: m.name)
def test_gradients_weigh_every_word_and_signs_are_the_rest(encoded, method):
    found = method.explain(encoded, "0")
    assert set(found.terms) == {"a", "key", "not", "desk"}
    assert all(found.weights)
    assert found.rest != 0
    assert "│ the rest: no word │" in found.text()
    if method.compares:
        gap = found.metrics["score"] - found.metrics["reference"] + found.metrics["gap"]
        assert sum(found.weights) + found.rest == pytest.approx(gap, rel=1e-6)
    assert set(found.content_terms) == {"key", "desk"}
    assert set(method.explain(encoded).terms) <= {"key", "desk", "stage", "piano"}
