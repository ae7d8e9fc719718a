"""Effects of terms where rankers, texts, numbers or settings are unusual."""

import json
import math

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.ranking.effects import check_budget, effects
from intentx.explainers.ranking.term_effect import TermEffect
from intentx.perturbation import LONGEST_EDITED
from intentx.scoring import BlackBox
from tests.explainers.ranking.weighed_words import (
    ASKED,
    FOUND,
    TEA,
    WORDS,
    asked,
    kinds,
    likes_green,
    weighing,
)
from tests.toys import Counting, random_documents


class InLists(Counting):
    """Asked for whole lists; its scores are places in the list, or are shifted by all of them."""

    listwise = True

    def __init__(self, weights, how):
        super().__init__(weighing(weights))
        self.how = how

    def __call__(self, query, texts):
        scores = np.array(super().__call__(query, texts))
        if self.how == "ranks":
            return -(scores[:, None] < scores).sum(axis=1)
        return scores - scores.mean()


@pytest.mark.parametrize("how", ["ranks", "shifted"])
def test_a_listwise_ranker(how):
    texts = random_documents(3, 20, WORDS, absent=0.7)
    scorer = InLists({"piano": 4.0, "laptop": -4.0}, how)
    ranking = ix.rank(scorer, "q", texts)
    scorer.calls.clear()
    found = {one.term: one for one in effects(ranking, WORDS, budget=1000)}
    assert found["piano"].kind == "wanted"
    assert found["laptop"].kind == "unwanted"
    assert sum(one.kind in FOUND for one in found.values()) <= 4
    assert {len(batch) for _, batch in scorer.calls} == {20}
    assert 0 < len(scorer.texts) <= 1000
    assert {sum(t not in ranking.texts for t in batch) for _, batch in scorer.calls} <= {1, 2, 3, 4}


@pytest.mark.parametrize(("budget", "lists"), [(0, 0), (19, 0), (20, 1), (59, 2)])
def test_a_listwise_ranker_gets_whole_lists_within_the_budget(budget, lists):
    scorer = InLists({"piano": 4.0}, "ranks")
    ranking = ix.rank(scorer, "q", random_documents(3, 20, WORDS, absent=0.7))
    scorer.calls.clear()
    found = effects(ranking, WORDS, budget=budget)
    assert len(found) == len(WORDS)
    assert [len(batch) for _, batch in scorer.calls] == [20] * lists


def test_a_ranker_that_knows_ranks_among_all_texts():
    """Only three scores there are: fine, middling, poor."""
    scorer = weighing({"piano": 1.0, "laptop": -1.0})
    texts = random_documents(3, 20, WORDS, absent=0.7)
    found = kinds(effects(ix.rank(lambda q, t: np.sign(scorer(q, t)), "q", texts), WORDS))
    assert (found["piano"], found["laptop"]) == FOUND


@pytest.mark.parametrize("value", [0.0, 1.0, -7.5e9])
def test_a_constant_ranker(value):
    found = asked(lambda query, texts: [value] * len(texts))
    assert {one.kind for one in found.values()} == {"no effect"}
    assert {(one.effect, one.low, one.high, one.places) for one in found.values()} == {(0, 0, 0, 0)}


class Spoilt:
    """Fails, or answers badly, at the n-th text; remembers which that was."""

    def __init__(self, n, bad):
        self.left, self.bad, self.text = n, bad, None

    def __call__(self, query, texts):
        scores = likes_green(query, texts)
        for i, text in enumerate(texts):
            self.left -= 1
            if not self.left:
                self.text = text
                if self.bad is None:
                    raise ValueError("cannot read this")
                scores[i] = self.bad
        return scores


@pytest.mark.parametrize(
    ("bad", "message"),
    [(None, "raised ValueError: cannot read this"), (math.nan, "nan for 1"), (math.inf, "inf for 1")],
)
@pytest.mark.parametrize("n", [15, 31])  # after 9 documents, and a few of them once more
def test_a_failure_at_the_nth_edited_text(bad, message, n):
    scorer = Spoilt(n, bad)
    ranking = ix.rank(BlackBox(scorer, batch_size=1), "tea", TEA)
    with pytest.raises(ix.ScorerError, match=message) as failure:
        effects(ranking, ASKED)
    assert repr(scorer.text) in str(failure.value)
    assert scorer.text not in TEA


@pytest.mark.parametrize("size", [1e300, 1e-300, 1e200, 5e-324])
def test_huge_and_tiny_scores(size):
    found = asked(lambda query, texts: [size * ("green" in t) for t in texts])
    assert found["green"].effect == pytest.approx(size, rel=1e-6)
    assert found["green"].kind == "wanted"
    assert {found[t].kind for t in ASKED[1:]} == {"no effect"}
    json.dumps([one.to_dict() for one in found.values()], allow_nan=False)


def test_scores_at_both_ends_of_what_a_number_can_be():
    found = asked(lambda query, texts: [1.7e308 if "green" in t else -1.7e308 for t in texts])
    assert found["green"].effect == np.finfo(float).max  # twice 1.7e308 is no number
    json.dumps([one.to_dict() for one in found.values()], allow_nan=False)


def test_a_score_that_stands_for_never():
    found = asked(lambda query, texts: [-1e9 if "cup" in t else 1.0 for t in texts])
    assert found["cup"].kind == "unwanted"
    assert found["cup"].effect == pytest.approx(-1e9)
    assert found["cup"].places < -2
    assert found["green"].kind == "no effect"


def test_a_ranker_that_never_takes_short_texts():
    """Words add up to lengths exactly: effects must not grow beyond what scores can be."""
    found = asked(lambda query, texts: [-1e9 if len(t) < 14 else 1.0 * len(t) for t in texts])
    for one in found.values():
        assert abs(one.effect) <= 1e9
        assert abs(one.places) <= len(TEA)


@pytest.mark.parametrize(
    ("texts", "truth"),
    [(["green"], 3.0), ([""], 3.0), (["green pot tea cup leaf cold"], 3.0), (["", "", "tea"], 3.0)],
)
def test_few_and_short_documents(texts, truth):
    found = asked(likes_green, texts=texts)
    assert found["green"].effect == pytest.approx(truth, rel=0.02)
    assert found["green"].kind == "wanted"


@pytest.mark.parametrize("text", ["我喜欢用手机搜索引擎。", "ฉันชอบดื่มชาเขียวร้อนๆ"])
def test_languages_without_spaces(text):
    word = ix.Analyzer().terms(text)[1]
    other = ["手机很贵", "กาแฟร้อน", "tea", ""]
    ranking = ix.rank(lambda query, texts: [float(word in t) for t in texts], "q", [text, *other])
    found = effects(ranking, budget=200)
    assert [one.term for one in found if one.kind in FOUND] == [word]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"budget": -1}, "budget must be a whole number, 0 or more, .*not -1"),
        ({"budget": 2.5}, "budget must be a whole number, 0 or more, or None, not 2.5"),
        ({"budget": "10"}, "not '10'"),
        ({"budget": True}, "not True"),
        ({"budget": math.nan}, "not nan"),
        ({"budget": None}, "give seconds, too"),
        ({"seconds": 0}, "seconds must be a finite number above 0 or None, not 0"),
        ({"seconds": -1.5}, "not -1.5"),
        ({"seconds": math.nan}, "not nan"),
        ({"seconds": "1"}, "not '1'"),
        ({"terms": []}, "there are no terms to ask about"),
        ({"terms": "green"}, r"terms must be a list of terms, such as \['green'\]"),
        ({"terms": ["green", ""]}, "a term is a text with at least one character, not ''"),
        ({"terms": [3]}, "not 3"),
    ],
)
def test_wrong_arguments(settings, message):
    ranking = ix.rank(likes_green, "tea", TEA)
    with pytest.raises(ix.InputError, match=message):
        effects(ranking, **settings)
    if "terms" not in settings:
        with pytest.raises(ix.InputError, match=message):
            ix.Multiplex(**settings)


def test_budgets_of_numpy():
    assert check_budget(np.int64(3), np.float64(0.5)) == 3
    assert check_budget(None, 1) >= 10_000


def test_documents_that_cannot_be_edited():
    long = "green pot " * (LONGEST_EDITED // 10 + 1)
    ranking = ix.rank(likes_green, "tea", [long, long + "tea"])
    with pytest.raises(ix.InputError, match="all documents are too long to be edited"):
        effects(ranking, ["green"])
    with pytest.raises(ix.InputError, match="no word that is not a stopword"):
        effects(ix.rank(likes_green, "tea", ["", "the"]))


def test_plain_data_and_back():
    ranking = ix.rank(likes_green, "tea", TEA)
    for one in [*effects(ranking, ASKED), *effects(ranking, ASKED, budget=0)]:
        data = json.loads(json.dumps(one.to_dict(), allow_nan=False))
        assert str(TermEffect.from_dict(data)) == str(one)
        assert TermEffect.from_dict(data).to_dict() == one.to_dict()
    with pytest.raises(ix.InputError, match="not 'liked'"):
        TermEffect.from_dict(one.to_dict() | {"kind": "liked"})
    assert effects(ranking, ["green"])[0].cells()[0].startswith("wants +3 ± ")
