"""Terms that Multiplex chooses by their effects on the ranker."""

import json
import re
from types import SimpleNamespace

import pytest

import intentx as ix
from intentx.datasets import demo_queries, load_demo
from intentx.explainers.ranking import evidence
from intentx.explainers.ranking.term_effect import TermEffect
from intentx.rankers import BM25
from intentx.text import TextIndex
from tests.explainers.ranking.weighed_words import WORDS, weighing
from tests.toys import Counting, random_documents, ranked


def demo(query):
    collection = load_demo(query)
    texts = [document.content for document in collection.documents]
    return ix.rank(BM25(texts), query, dict(enumerate(texts)))


@pytest.mark.parametrize("query", demo_queries()[::3])
def test_bm25_is_explained_by_the_words_of_the_query(query):
    found = ix.Multiplex().explain(demo(query))
    assert set(found.words) == set(query.split())
    assert {one.kind for one in found.effects} == {"wanted"}
    assert [one.term for one in found.effects] == list(found.terms)
    assert found.avoids == ()
    assert 0 < found.model_calls <= 400


def test_words_are_those_of_the_query_and_terms_are_stems():
    found = ix.Multiplex(budget=100).explain(demo("java beginners"))
    assert set(found.terms) == {"java", "beginn"}  # codespell:ignore beginn
    assert set(found.words) == {"java", "beginners"}
    assert "beginners" in found.text()
    assert "beginners" in found._repr_html_()
    own = ix.Multiplex(budget=0, analyzer=ix.Analyzer()).explain(demo("java beginners"))
    assert own.words == own.terms
    other = ix.RandomTerms(analyzer=ix.Analyzer(stem="english")).explain(demo("java beginners"))
    texts = " ".join(other.ranking.texts).lower()
    assert all(re.search(rf"\b{re.escape(word)}\b", texts) for word in other.words)


PLANTED = {"piano": 3.0, "pedal": 2.0, "desk": 1.5, "shop": 1.0, "laptop": -2.0, "typing": -3.0}


def planted(scorer=None, **settings):
    texts = random_documents(1, 24, WORDS, absent=0.7)
    ranking = ix.rank(scorer or weighing(PLANTED), "keyboard", texts)
    return ix.Multiplex(**{"budget": 300, **settings}).explain(ranking)


def test_effects_decide_as_far_as_they_are_told_to():
    wanted = {word for word, weight in PLANTED.items() if weight > 0}
    found = planted()
    assert set(found.terms) == wanted
    assert {one.term: one.kind for one in found.avoids} == {"laptop": "unwanted", "typing": "unwanted"}
    assert [one.term for one in found.avoids] == ["typing", "laptop"]  # the strongest first
    assert "the ranker avoids: typing" in found.text()
    assert set(planted(effects=1.0, max_terms=2).terms) == {"piano", "pedal"}
    for share in (0.1, 0.9):
        some = planted(effects=share, max_terms=3)
        assert len(some.terms) == 3
        assert set(some.terms) < wanted


def test_terms_of_the_first_documents_come_first():
    texts = [
        *(f"lead piano {word} tea" for word in WORDS[3:23]),
        *(f"cello {w} tea" for w in WORDS[3:23]),
    ]
    ranking = ix.rank(weighing({"lead": 5.0, "piano": 1.0, "cello": 1.5}), "keyboard", texts)
    known = {one.term: one for one in ix.effects(ranking)}
    assert known["cello"].effect > known["piano"].effect > 0
    assert {known[word].kind for word in ("lead", "piano", "cello")} == {"wanted"}
    assert set(ix.Multiplex(effects=1, max_terms=2).explain(ranking).terms) == {"lead", "piano"}


def test_what_could_be_chance_counts_as_far_as_the_first_documents_hold_it(monkeypatch):
    texts = [
        *(f"lead piano {word} tea" for word in WORDS[3:23]),
        *(f"cello {w} tea" for w in WORDS[3:23]),
    ]
    ranking = ix.rank(weighing({"lead": 5.0}), "keyboard", texts)
    index = TextIndex(ranking.texts, ix.Analyzer())
    kinds = {"lead": "wanted", "piano": "no effect", "cello": "no effect"}
    known = tuple(TermEffect(term, 2.0, 1.0, 3.0, 1.0, 9, kind) for term, kind in kinds.items())
    told = []
    monkeypatch.setattr(evidence, "with_effects", lambda matrices, effects, share: told.append(effects))
    matrices = SimpleNamespace(scores=SimpleNamespace(terms=tuple(kinds)))
    found = evidence.Evidence(effects=known)
    found.joined(matrices, ranking, index, (), edited=0.0, effects=0.3, seed=0)
    lead, piano, cello = told[0]
    assert lead == 2.0
    assert piano == pytest.approx(2.0 * evidence.EXPECTED)  # all of the first ten hold it
    assert cello == 0.0


def test_what_only_the_last_documents_hold_is_still_wanted():
    low = [f"viola cello cello {word} tea" for word in WORDS[3:6]]
    texts = [*(f"{word} tea" for word in WORDS[3:18]), *(f"cello {w} tea" for w in WORDS[3:18]), *low]
    ranking = ix.rank(weighing({"cello": -3.0, "viola": 2.0}), "keyboard", texts)
    for effects in (0.3, 1.0):
        found = ix.Multiplex(effects=effects).explain(ranking)
        assert found.terms[0] == "viola"
        assert found.effects[0].kind == "wanted"


def test_effects_of_nothing_leave_the_choice_alone():
    left = planted(effects=0.0)
    alone = planted(effects=0.0, seed=0)
    assert left.terms == alone.terms
    assert {one.kind for one in left.effects} <= {"wanted", "unwanted", "no effect"}
    off = planted(effects=0.0, generality=0.0)
    assert {one.kind for one in off.effects} == {"not asked"}


def test_without_generality_terms_are_those_of_coverage_alone():
    off, told = planted(generality=0), planted(generality=0, effects=0.0)
    assert off.terms == told.terms
    assert {one.kind for one in off.effects} == {"not asked"}
    asked = planted(generality=0, effects=0.5)
    assert set(asked.terms) <= {word for word, weight in PLANTED.items() if weight > 0}


def test_a_ranker_that_wants_nothing():
    found = planted(lambda query, texts: [float(len(text)) for text in texts])
    assert any("no term was found to have an effect" in note for note in found.notes)
    assert {one.verb for one in found.effects} == {"no effect"}
    assert "wants +" not in found.text()


def test_a_ranker_that_was_not_asked():
    texts = random_documents(1, 24, WORDS, absent=0.7)
    recorded = ix.Multiplex().explain(ranked(texts, weighing(PLANTED)("q", texts)))
    for found in (recorded, planted(budget=0), ix.QueryTerms().explain(recorded.ranking)):
        assert {one.kind for one in found.effects} == {"not asked"}
        assert found.avoids == ()
        assert "goes along" in found.text()
        assert "goes along" in found._repr_html_()
        assert "wants" not in found.text() + found._repr_html_()


def test_json_with_effects_and_without():
    found = planted()
    data = found.to_dict()
    again = ix.IntentExplanation.from_json(found.to_json())
    assert again.effects == found.effects
    assert again.avoids == found.avoids
    assert again.words == found.words
    assert again.to_json() == found.to_json()
    for key in ("effects", "avoids", "cautions"):
        del data[key]
    old = ix.IntentExplanation.from_dict(data)
    assert [one.term for one in old.effects] == list(found.terms)
    assert {one.kind for one in old.effects} == {"not asked"}
    assert old.avoids == ()


@pytest.mark.parametrize("budget", [1, 2, 5, 30])
def test_small_budgets_of_multiplex(budget):
    scorer = Counting(weighing(PLANTED))
    found = planted(scorer, budget=budget)
    assert 0 < found.model_calls <= budget
    assert len(set(scorer.texts) - set(found.ranking.texts)) == found.model_calls
    assert found.terms
    json.dumps(found.to_dict(), allow_nan=False)


def faintly(**settings):
    """What a ranker of one loud word and many faint ones looks for, asked with few texts."""
    faint = {word: 0.6 + 0.05 * number for number, word in enumerate(WORDS[1:13])}
    texts = random_documents(3, 60, WORDS, absent=0.6)
    ranking = ix.rank(weighing({WORDS[0]: 3.0, **faint}, noise=0.8), "keyboard", texts)
    return ix.Multiplex(**{"budget": 60, "candidates": 18, **settings}).explain(ranking)


def test_what_could_be_chance_is_added_where_effects_leave_the_order_open():
    found, alone, sure = faintly(), faintly(effects=1.0), faintly(budget=400)
    kinds = {one.term: one.kind for one in found.effects}
    assert kinds.pop("piano") == "wanted"
    assert set(kinds.values()) == {"no effect"}
    assert all(one.effect > 0 for one in found.effects)
    assert any(
        note.startswith("the ranker was found to want 1 of the candidates") for note in found.notes
    )
    assert "the ranker was found to want 1 of the candidates" in found.text()
    sizes = {one.term: one.effect for one in alone.effects}
    assert len(sizes) > 1
    assert max(sizes, key=lambda word: sizes[word]) == "piano"
    assert any("those that may matter most to the first" in note for note in alone.notes)
    assert {one.kind for one in sure.effects} == {"wanted"}
    assert not any("of the candidates" in note for note in sure.notes)


def test_nothing_is_added_to_what_reproduces_the_order():
    found = planted(weighing(PLANTED, noise=0.2))  # so that other words have effects that are chance
    others = [one for one in ix.effects(found.ranking) if one.kind == "no effect" and one.effect > 0]
    assert others
    assert not any("of the candidates" in note for note in found.notes)
    assert {one.kind for one in found.effects} == {"wanted"}
