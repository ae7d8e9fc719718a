"""Terms are taken out of an explanation: the others are judged as they were found."""

import json

import numpy as np
import pytest

import intentx as ix
from intentx.errors import InputError
from intentx.explainers.methods import make_method
from intentx.explainers.ranking.given import fewer_terms
from intentx.rankers import BM25
from intentx.saved import answer_of

WORDS = "running runs houses house lamps lamp desk boats boat rivers river".split()


@pytest.fixture(scope="module")
def ranking():
    """By a ranker that stems: none of its terms stands in the texts as it is."""
    drawn = np.random.default_rng(11)
    texts = [" ".join(drawn.choice(WORDS, 9)) for _ in range(24)]
    return ix.rank(BM25(texts), "running house boats", texts)


@pytest.mark.parametrize("method", ["multiplex", "greedy", "equivalent-query", "exs"])
def test_the_others_keep_their_scores_and_effects(ranking, method):
    whole = make_method(method, {}).explain(ranking)
    out = whole.terms[0]
    for given in (whole, answer_of(json.loads(whole.to_json()))):
        less = fewer_terms(given, [out, "nothing"])
        assert set(less.terms) == set(whole.terms) - {out}
        kept = [whole.terms.index(term) for term in less.terms]
        sums = whole.matrices.document_sums(kept)
        beaten = np.tanh(sums[:, :, None] - sums[:, None, :]).sum(axis=0) > whole.matrices.margin
        better = ranking.scores[:, None] > ranking.scores[None]
        assert less.fidelity.all == pytest.approx(beaten[better].mean())
        assert less.effects == tuple(whole.effects[i] for i in kept)
        assert less.avoids == whole.avoids
        assert less.analyzer == whole.analyzer
        asked = any(one.kind != "not asked" for one in less.effects)
        assert (less.verdict.wanted is not None) == asked
        assert answer_of(json.loads(less.to_json())).terms == less.terms


def test_one_term_at_least_is_left(ranking):
    whole = ix.QueryTerms().explain(ranking)
    with pytest.raises(InputError, match="keep at least one term"):
        fewer_terms(whole, whole.terms)
