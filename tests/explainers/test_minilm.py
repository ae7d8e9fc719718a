"""A real encoder: as the ranker to explain, and as the fourth simple ranker."""

import pytest

import intentx as ix
from intentx.datasets import load_demo
from intentx.rankers import BiEncoder


@pytest.fixture(scope="module")
def minilm():
    return BiEncoder.minilm()


def test_a_real_ranking_is_explained(minilm):
    demo = load_demo("jaguar speed")
    ranking = ix.rank(minilm, demo.query, demo.documents[::2])
    explanation = ix.Multiplex(budget=30).explain(ranking)
    control = ix.RandomTerms().explain(ranking)
    assert explanation.fidelity.all > max(0.8, control.fidelity.all)
    assert 0 < explanation.model_calls <= 10 * 60 + 30
    asked = ranking.scorer.texts_scored
    again = ix.Multiplex(budget=30).explain(ranking)
    assert again.terms == explanation.terms
    assert ranking.scorer.texts_scored == asked, "the second time every score is remembered"


def test_dense_finds_the_terms_that_expand_the_query(minilm):
    demo = load_demo("jaguar speed")
    others = [load_demo(query) for query in ("python care", "keyboard reviews")]
    texts = [document.content for some in (demo, *others) for document in some.documents]

    def planted(query, some):
        return 2 * minilm(query, some) + minilm("car", some) + minilm("prey", some)

    method = ix.Multiplex(simple_rankers=[ix.Dense(minilm)], min_terms=2, max_terms=2, budget=0)
    found = method.explain(ix.rank(planted, demo.query, texts))
    assert set(found.terms) == {"car", "prey"}
    assert found.fidelity.all == 1
    itself = ix.rank(minilm, demo.query, texts)
    by_itself = ix.QueryTerms(simple_rankers=[ix.Dense(minilm)]).explain(itself)
    assert found.simple_rankers[0].query == demo.query
    assert by_itself.simple_rankers[0].query == ""
