import dataclasses
import json
import math

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.ranking.explanation import FORMAT
from tests import oracles
from tests.toys import keyboards, ranked

EVIL = '<script>alert("1")</script> & <img src=x onerror=alert(1)>'


def explained(**settings):
    texts, scorer = keyboards(number=15)
    settings = {"candidates": 12, "max_terms": 3, "generality": 0, **settings}
    return ix.Multiplex(**settings).explain(ix.rank(scorer, "keyboard reviews", texts))


CASES = {
    "plain": {},
    "some pairs": {"pairs": "random", "m": 20},
    "weights": {"log_weights": True, "min_rank_gap": 2},
    "analyzer": {"analyzer": ix.Analyzer(stem="english", stopwords=frozenset({"desk"}), ngrams=2)},
    "one ranker": {"simple_rankers": [ix.TextMatching("tf")]},
    "general": {"generality": 0.5, "budget": 20},
}


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_through_json_and_back(settings):
    found = explained(**settings)
    text = found.to_json()
    again = ix.IntentExplanation.from_json(text)
    assert again.to_json() == text
    assert (again.terms, again.weights, again.coverage) == (found.terms, found.weights, found.coverage)
    np.testing.assert_array_equal(again.matrices.scores.values, found.matrices.scores.values)
    np.testing.assert_array_equal(again.matrices.scale, found.matrices.scale)
    assert list(again.matrices.pairs) == list(found.matrices.pairs)
    assert again.ranking.doc_ids == found.ranking.doc_ids
    np.testing.assert_array_equal(again.ranking.scores, found.ranking.scores)
    assert again.analyzer == found.analyzer
    assert repr(again) == repr(found)
    assert again.text() == found.text()
    assert again._repr_html_() == found._repr_html_()
    assert repr(ix.fidelity(again)) == repr(found.fidelity)  # judged anew from what came back
    assert again.roles == found.roles
    assert json.loads(found.to_json(indent=2)) == json.loads(text)


def test_what_the_json_has_at_least():
    plain = json.loads(explained().to_json())
    assert set(plain) >= {
        *("method", "query", "terms", "weights", "ranking", "fidelity", "settings"),
        *("model_calls", "seconds"),
    }
    assert set(plain["ranking"]) >= {"doc_ids", "scores"}
    assert plain["format"] == FORMAT
    assert plain["pairs"] == {"strategy": "all", "log_weights": False}
    assert plain["fidelity"]["heldout"] is None  # every pair was fitted: nothing undefined is 0


def test_weights_are_on_with_generality_unless_set():
    for settings, expected in (
        ({"generality": 0.5, "budget": 0}, True),
        ({"generality": 0.5, "budget": 0, "log_weights": False}, False),
        ({"generality": 0, "log_weights": True}, True),
    ):
        found = explained(**settings)
        assert found.to_dict()["pairs"] == {"strategy": "all", "log_weights": expected}
        high, low, weight = (getattr(found.matrices.pairs, part) for part in ("high", "low", "weight"))
        assert (weight is not None) == expected
        if expected:
            np.testing.assert_allclose(weight, 1 + np.log(low - high))


def test_all_pairs_but_in_another_order_or_with_other_weights_are_written_out():
    pairs = ix.preference_pairs(explained().ranking)
    for other in (pairs.take(np.arange(len(pairs))[::-1]), ix.Pairs(pairs.high, pairs.low, pairs.low)):
        plain = explained(pairs=other).to_dict()["pairs"]
        assert plain["high"] == other.high.tolist()
        assert plain["weight"] == (None if other.weight is None else other.weight.tolist())


def test_roles_count_pairs_won_and_lost():
    found = explained(generality=0.5, budget=0)
    values, scale = found.matrices.scores.values, found.matrices.scale
    everything = range(len(found.terms))

    def covered(indices):
        margin = found.matrices.margin
        return [oracles.vote(values, scale, indices, *pair) > margin for pair in found.matrices.pairs]

    with_all = covered(everything)
    for i, role in enumerate(found.roles):
        without = covered([j for j in everything if j != i])
        assert role.term == found.terms[i]
        assert role.share == found.weights[i]
        assert role.won == sum(w and not wo for w, wo in zip(with_all, without, strict=True))
        assert role.lost == sum(wo and not w for w, wo in zip(with_all, without, strict=True))
        assert role.documents == sum(found.terms[i] in text.lower() for text in found.ranking.texts)


def test_which_documents_it_gets_wrong():
    found = explained()
    lost = [0] * len(found.ranking)
    values, scale = found.matrices.scores.values, found.matrices.scale
    for high, low in oracles.pairs(found.ranking.scores):
        vote = oracles.vote(values, scale, range(len(found.terms)), high, low)
        if not vote > found.matrices.margin:
            lost[high] += 1
            lost[low] += 1
    assert found.lost_pairs.tolist() == lost
    scores = found.document_scores
    assert found.explained_order.tolist() == sorted(range(15), key=lambda i: (-scores[i], i))


def test_one_line_and_a_table():
    found = explained()
    assert "\n" not in repr(found)
    assert repr(found).startswith("<Multiplex for 'keyboard reviews': ")
    text = found.text()
    for part in (*found.terms, "won/lost", "fitted pairs covered", "Kendall"):
        assert part in text
    assert "keyboard reviews" in text
    narrow = found.text(width=40)
    assert max(map(len, narrow.splitlines())) <= 40


def test_words_of_documents_are_escaped_and_no_markup_is_followed():
    words = {"[bold]x[/bold]": 3.0, EVIL: 2.0, "[/red]": 1.0}
    ranking = ranked(list(words), list(words.values()), query=f"{EVIL} [red] [/x]")
    analyzer = ix.Analyzer(stopwords=frozenset())
    found = ix.Multiplex(generality=0, analyzer=analyzer).explain(ranking)
    page = found._repr_html_()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert "[red]" in found.text(width=200)  # rich markup in a query is text


def test_terms_of_any_kind_are_shown_as_they_are():
    ranking = ranked(["😀 [b] x", "عربي", ""], query="😀 عربي [/b]")
    found = ix.Multiplex(generality=0, simple_rankers=[ix.TextMatching()]).explain(ranking)
    again = ix.IntentExplanation.from_json(found.to_json().encode().decode())
    assert again.terms == found.terms
    for term in found.terms:
        assert term in found.text()
        assert term in found._repr_html_()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "a JSON object expected"),
        ("{}", "format is None, not 'intentx.intent/2'"),
        ('{"format": "intentx.intent/99"}', "format is 'intentx.intent/99'"),
        (f'{{"format": "{FORMAT}"}}', "the explanation lacks 'query'"),
    ],
)
def test_json_of_something_else_is_refused(text, message):
    with pytest.raises(ix.InputError, match=message):
        ix.IntentExplanation.from_json(text)


@pytest.mark.parametrize(
    "broken", [None, [], "text", {"doc_ids": ["a"], "texts": ["t"], "scores": ["x"]}]
)
def test_broken_parts_are_refused(broken):
    plain = explained().to_dict() | {"ranking": broken}
    with pytest.raises(ix.InputError, match="explanation"):
        ix.IntentExplanation.from_dict(plain)


def test_undefined_numbers_are_null_and_come_back_as_nan():
    ranking = ranked(["piano piano", "desk"], query="zyzzyva")
    found = ix.QueryTerms().explain(ranking)
    assert found.coverage == 0
    plain = json.loads(found.to_json())
    assert plain["fidelity"]["tau"] is plain["fidelity"]["far"] is None
    again = ix.IntentExplanation.from_dict(plain)
    assert math.isnan(again.fidelity.tau)
    assert again.to_json() == found.to_json()


@pytest.mark.parametrize(
    ("kinds", "level", "wanted", "claim"),
    [
        (("wanted", "wanted"), "holds", "all", "words that the ranker wants"),
        (("wanted", "wanted"), None, "all", "words that the ranker wants"),
        (("wanted", "no effect"), "holds", "some", "or that go along with its order"),
        (("wanted", "wanted"), "chance", "none", "words that go along with the ranker’s order"),
        (("not asked", "unwanted"), "holds", "none", "words that go along with the ranker’s order"),
        ((), "holds", "none", "words that go along with the ranker’s order"),
    ],
)
def test_it_is_claimed_that_terms_are_wanted_only_where_the_ranker_said_so(kinds, level, wanted, claim):
    found = explained()
    effects = tuple(ix.TermEffect(str(i), 1, 0, 2, 1, 9, kind) for i, kind in enumerate(kinds))
    verdict = None if level is None else dataclasses.replace(found.verdict, level=level)
    one = dataclasses.replace(found, judge=None)
    one.__dict__["verdict"] = verdict
    object.__setattr__(one, "effects", effects)
    assert one.wanted == wanted
    assert claim in one.claim
    assert one.sentence == ("" if verdict is None else verdict.sentence)
