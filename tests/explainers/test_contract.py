"""What every method answers, what it refuses, and a method of a user's own among ours."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import intentx as ix
from intentx.checks import Seed, Size
from intentx.errors import TextWarning
from intentx.explainers.ranking.given import given_terms
from tests.explainers.test_every_setting import METHODS
from tests.toys import keyboards


@dataclass(frozen=True, kw_only=True)
class FirstWords(ix.Explainer[ix.IntentExplanation]):
    """Words of the first document, drawn at random."""

    max_terms: Size = 3
    seed: Seed = 0

    def _explain(self, ranking, doc, above):
        words = ranking.analyzer.terms(ranking.texts[0])
        drawn = np.random.default_rng(self.seed).permutation(len(words))[: self.max_terms]
        terms = tuple(words[i] for i in drawn)
        return given_terms(ranking, self.name, terms, settings=self.settings())


class Plain(ix.Explainer[ix.IntentExplanation]):
    """One that is no dataclass."""

    questions = ("ranking", "rankings")

    def __init__(self, term):
        self.term, self._asked = term, 0

    def _explain(self, ranking, doc, above):
        first = ranking if isinstance(ranking, ix.Ranking) else ranking[0]
        return given_terms(first, self.name, (self.term,), settings=self.settings())


@pytest.fixture(scope="module")
def ranking():
    texts, scorer = keyboards(number=12)
    return ix.rank(scorer, "keyboard reviews", texts)


OF_TEXTS = [kind for kind in METHODS if ix.Ranking in kind.takes]
OF_RANKINGS = [kind for kind in OF_TEXTS if kind.questions == ("ranking",)]
ALONE = [kind for kind in OF_TEXTS if "pair" not in kind.questions]
AT_A_TIME = [kind for kind in METHODS if "rankings" not in kind.questions]


@pytest.mark.parametrize("kind", OF_RANKINGS)
def test_a_document_is_no_question_for_methods_of_rankings(kind, ranking):
    for given in ({"doc": 3}, {"doc": "3"}, {"doc": 0, "above": 1}, {"above": 1}):
        with pytest.raises(ix.InputError, match=f"{kind.__name__} explains a whole ranking") as caught:
            kind().explain(ranking, **given)
        assert "EXS, " in str(caught.value)
        assert "Multiplex, " not in str(caught.value)
    assert len(OF_RANKINGS) >= 5


@pytest.mark.parametrize("kind", ALONE)
def test_a_pair_is_no_question_for_these(kind, ranking):
    with pytest.raises(ix.InputError, match="not why one document is above another") as caught:
        kind().explain(ranking, 0, above=1)
    for able in ("DeepLIFT", "DeepSHAP", "EXS", "IntegratedGradients", "KernelSHAP"):
        assert f"{able}" in str(caught.value)
    assert len(OF_TEXTS) - len(ALONE) >= 7


def test_the_messages_say_what_can_be_done(ranking):
    with pytest.raises(ix.InputError) as caught:
        ix.Multiplex().explain(ranking, doc=3)
    first, able = str(caught.value).split("; ")
    assert first == "Multiplex explains a whole ranking, not one document (doc=3)"
    able = able.removesuffix(" can explain one document").split(", ")
    assert able == sorted(able, key=str.casefold)
    assert set(able) >= {kind.__name__ for kind in METHODS if "document" in kind.questions}
    assert not set(able) & {kind.__name__ for kind in OF_RANKINGS}
    with pytest.raises(ix.InputError, match=r"above=1 needs a document to compare .*give doc, too"):
        ix.EXS().explain(ranking, above=1)


@pytest.mark.parametrize("kind", AT_A_TIME)
def test_one_ranking_at_a_time(kind, ranking):
    for several in ([ranking, ranking], (ranking,)):
        with pytest.raises(ix.InputError, match=r"one ranking at a time, not \d; .*Plain.* can"):
            kind().explain(several)
    for nothing in ([], None, "keyboard", {"a": 1.0}, [ranking, 3]):
        with pytest.raises(ix.InputError, match=r"explains a (Feature)?Ranking, as (ix\.rank|Feature)"):
            kind().explain(nothing)
    assert len(AT_A_TIME) >= len(METHODS) - 2


def test_several_rankings_reach_a_method_that_takes_them(ranking):
    assert Plain("piano").explain([ranking, ranking]).terms == ("piano",)
    assert Plain("piano").explain(ranking).settings["term"] == "piano"


def test_a_method_of_ones_own_is_checked_as_ours_are(ranking):
    with pytest.raises(ix.InputError, match="FirstWords: max_terms must be a whole number, 1 or more"):
        FirstWords(max_terms=0)
    with pytest.raises(ix.InputError, match="FirstWords explains a whole ranking, not one document"):
        FirstWords().explain(ranking, 0)
    found = FirstWords(seed=2).explain(ranking)
    assert found.method == "FirstWords"
    assert {key: found.settings[key] for key in ("max_terms", "seed")} == {"max_terms": 3, "seed": 2}
    assert found.verdict is not None
    assert found.text().splitlines()
    with pytest.raises(TypeError):
        ix.Explainer()


def test_a_method_of_ones_own_is_evaluated_as_ours_are(ranking, tmp_path):
    method = FirstWords()
    heldout = ix.heldout_fidelity(method, ranking, repeats=2)
    assert len(heldout.terms[0]) == 3
    assert heldout.mean == heldout.mean  # measured
    stable = ix.stability(method, ranking, seeds=3)
    assert stable.pairs == 3
    assert stable.jaccard < 1  # it draws
    assert ix.stability(FirstWords(max_terms=100), ranking, seeds=2).jaccard == 1
    both = ix.agreement([method.explain(ranking), ix.QueryTerms().explain(ranking)])
    assert 0 <= both.rbo <= 1
    found = method.explain(ranking)
    assert ix.fidelity(found).all == found.fidelity.all
    assert ix.insertion(found, ranking, draws=2).terms == found.terms
    other = ix.sanity(method, ranking, other=lambda query, texts: [len(text) for text in texts])
    assert other.pairs == 1
    again = ix.load(found.save(tmp_path / "own.json"))
    assert again.to_json() == found.to_json()


def test_a_dataclass_of_ones_own_with_a_type_that_only_checkers_know(ranking):
    @dataclass(frozen=True)
    class Hidden(FirstWords):
        other: Unknown = None  # noqa: F821

    assert Hidden(other=3).explain(ranking).method == "Hidden"
    with pytest.raises(ix.InputError, match="Hidden: seed must be"):
        Hidden(seed=-1)


def test_without_a_seed_there_is_no_stability(ranking):
    with pytest.raises(ix.InputError, match="Plain has no seed"):
        ix.stability(Plain("piano"), ranking)


@pytest.mark.parametrize("kind", METHODS)
def test_settings_are_those_of_the_fields(kind):
    names = {field.name for field in dataclasses.fields(kind)} - {"vectors"}
    assert set(kind().settings()) == names


def test_every_answer_has_the_same(ranking):
    for found in (
        ix.QueryTerms().explain(ranking),
        ix.EXS(samples=40).explain(ranking, 0),
        ix.EXS(samples=40, documents=2).explain(ranking),
    ):
        assert isinstance(found, ix.Explanation)
        assert found.ranking is ranking
        assert isinstance(found.method, str)
        assert isinstance(found.notes, tuple)
        assert found.model_calls >= 0
        assert found.seconds["total"] > 0
        assert found.verdict.level in ("holds", "weak", "chance")
        assert found.settings
        assert found.text()
        assert "<p>" in found._repr_html_()
        assert type(found).from_json(found.to_json()).to_json() == found.to_json()


@pytest.mark.parametrize("asked", [ix.QueryTerms().explain, lambda r: ix.EXS(samples=9).explain(r, 0)])
def test_warnings_about_texts_name_the_line_of_the_user(asked):
    ranking = ix.rank(lambda query, texts: [len(text) for text in texts], "tea", ["<b>tea</b>", "pot"])
    with pytest.warns(TextWarning, match="look like HTML") as caught:
        asked(ranking)
    assert {one.filename for one in caught} == {__file__}
