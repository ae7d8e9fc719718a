"""Words that count only together."""

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.ranking.adjusted import Together, randomised_effects
from intentx.explainers.ranking.beside import CHANGES, effects_beside
from intentx.explainers.ranking.term_effect import TermEffect
from tests.explainers.ranking.test_adjusted import random_design
from tests.explainers.ranking.weighed_words import luck, weighing
from tests.toys import COMMON, COMPUTER, MUSIC, random_documents

WORDS = MUSIC + COMPUTER + COMMON


def together(first, second, plain=(), noise=0.0):
    """Two words that count only in one text, and others that count by themselves."""
    alone = weighing(dict(plain))

    def score(query, texts):
        held = [set(text.lower().replace(".", "").split()) for text in texts]
        both = [2.0 * ({first, second} <= words) for words in held]
        by_chance = [noise * luck(text) for text in texts]
        return [sum(parts) for parts in zip(alone(query, texts), both, by_chance, strict=True)]

    return score


def documents(seed, number=60, words=WORDS, absent=0.5):
    return random_documents(seed, number, words, absent=absent)


def test_each_number_is_that_of_a_loop():
    edits, was, generator = random_design(3, 50, 5)
    held = np.where(edits.change != 0, edits.change > 0, was)
    responses = generator.normal(size=(2, 50))
    left = generator.normal(size=(2, 50, 5))
    found = effects_beside(edits, held, left, responses)
    surprise = edits.change - edits.expected
    for other in range(5):
        for term in range(5):
            rows = np.flatnonzero(held[:, other])
            if other == term or np.count_nonzero(edits.change[rows, term]) < CHANGES:
                assert found.chance[other, term] == 1.0
                assert np.isinf(found.errors[other, term])
                continue
            z, x = surprise[rows, term], edits.change[rows, term]
            for k in range(2):
                effect = np.sum(z * left[k, rows, term]) / np.sum(z * x)
                assert found.effects[k, other, term] == pytest.approx(effect)
            freedom = np.sum(z**2) ** 2 / np.sum(z**4)
            apart = z * (left[0, rows, term] - x * found.effects[0, other, term])
            error = np.sqrt(np.sum(apart**2) * freedom / (freedom - 1)) / np.sum(z * x)
            assert found.freedom[other, term] == pytest.approx(freedom)
            assert found.errors[other, term] == pytest.approx(error, rel=1e-3)


def test_a_product_is_fitted_and_stays_with_its_members():
    edits, was, generator = random_design(4, 400, 6)
    held = np.where(edits.change != 0, edits.change > 0, was)
    both, had = held[:, 0] & held[:, 1], was[:, 0] & was[:, 1]
    change = both.astype(float) - had
    response = (2 * change + edits.change[:, 2] + 0.1 * generator.normal(size=400))[None]
    nothing, none = np.zeros((400, 6)), np.zeros((400, 0))
    alone = randomised_effects(response, edits, nothing, none)
    pair = Together(change[:, None], np.array([[0, 1]]))
    joined = randomised_effects(response, edits, nothing, none, together=pair)
    # The effect of a member is still that of a mean document; of others, more is known.
    np.testing.assert_allclose(joined.effects[0, :2], alone.effects[0, :2], atol=0.25)
    assert joined.effects[0, :2].min() > 0.6
    assert joined.errors[0, 2] < 0.4 * alone.errors[0, 2]
    assert joined.effects[0, 2] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_words_that_count_only_together_are_found_and_named(noise):
    ranking = ix.rank(together("chord", "switch", {"melody": 1.0}, noise), "q", documents(1))
    found = {one.term: one for one in ix.effects(ranking, budget=600)}
    assert {"chord", "switch", "melody"} <= {w for w, one in found.items() if one.kind == "wanted"}
    pairs = {w: one.beside for w, one in found.items() if one.beside}
    assert pairs.items() <= {"chord": "switch", "switch": "chord"}.items()


def test_one_that_no_mean_shows_has_its_numbers_beside_the_other(tmp_path):
    """Few documents hold either, so that each seems to do nothing."""
    docs = documents(1, 100, [*WORDS, *(f"word{i}" for i in range(100))], absent=0.87)
    plain = {"melody": 2.0, "piano": -2.0, "laptop": 1.5, "layout": 1.0}
    ranking = ix.rank(together("chord", "switch", plain), "q", docs)
    found = {one.term: one for one in ix.effects(ranking)}
    one = found["chord"] if found["chord"].beside else found["switch"]
    assert (one.term, one.beside) in {("chord", "switch"), ("switch", "chord")}
    assert one.kind == "wanted"
    assert one.low < one.effect < one.high
    assert one.effect == pytest.approx(2, abs=0.1)
    assert one.tested >= CHANGES
    assert one.verb == f"wants beside “{one.beside}”"
    assert TermEffect.from_dict(one.to_dict()) == one
    explanation = ix.Multiplex().explain(ranking)
    assert one.term in explanation.terms
    assert one.verb in explanation.to_html(tmp_path / "page.html").read_text(encoding="utf-8")


def test_no_pair_where_words_count_by_themselves_or_not_at_all():
    for seed in range(6):
        docs = documents(seed)
        for weights in ({}, {"chord": 1.0, "switch": 2.0}):
            found = ix.effects(ix.rank(weighing(weights, noise=1.0), "q", docs), budget=200, seed=seed)
            assert not [one for one in found if one.beside]


def test_older_files_have_no_such_word():
    plain = TermEffect("a", 1.0, 0.5, 1.5, 2.0, 30, "wanted").to_dict()
    del plain["beside"]
    assert TermEffect.from_dict(plain).beside == ""
