"""What one cell of a study measures."""

import dataclasses

import pytest

import intentx as ix
from intentx.errors import TextWarning
from intentx.study.cells import measure
from intentx.study.plan import Measures
from tests.toys import ranked


def test_an_explanation_at_hand_is_measured_and_not_made_again():
    ranking = ranked(["piano keys", "piano", "a desk", "a boat"], query="piano")
    few = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
    method = ix.QueryTerms(simple_rankers="text")
    found = dataclasses.replace(method.explain(ranking), model_calls=77)
    anew, at_hand = (measure(method, ranking, few, explanation=one) for one in (None, found))
    assert at_hand.terms == anew.terms == ("piano",)
    assert at_hand.metrics == {**anew.metrics, "model_calls": 77}
    assert anew.metrics["all"] == pytest.approx(4 / 6)


@pytest.mark.filterwarnings("default::intentx.errors.TextWarning")
def test_what_documents_are_is_told_once_and_not_of_their_random_order_too():
    texts = ["piano keysâ€™", "piano", "a desk", "a boat", "a lamp", "piano stool"]
    few = Measures(heldout=1, heldout_pairs=False, stability=0, faithfulness=0, shuffled=True)
    with pytest.warns(TextWarning, match="decoded wrongly") as told:
        found = measure(ix.QueryTerms(simple_rankers="text"), ranked(texts, query="piano"), few)
    assert [one.category for one in told] == [TextWarning]
    assert "shuffled_all" in found.metrics


def test_the_vote_of_axioms_is_a_column_where_it_is_asked_for():
    ranking = ix.rank(lambda query, texts: [text.count("tea") for text in texts], "tea", TEA)
    few = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
    without = measure(ix.QueryTerms(), ranking, few).metrics
    found = measure(ix.QueryTerms(), ranking, dataclasses.replace(few, axioms=True)).metrics
    assert {*found} - {*without} == {"axioms", "axioms_heldout"}
    expected = ix.axioms(ranking)
    assert (found["axioms"], found["axioms_heldout"]) == (expected.fitted, expected.heldout)
    assert "axioms" not in few.to_dict()  # cells that were measured before there were axioms stay


def test_the_way_out_is_a_column_where_it_is_asked_for():
    """Of the first documents, planted words: the explanation's are as good as the smallest change."""
    texts = [f"tea lamp{i} stone" for i in range(6)] + [f"{'pot ' * i}stone" for i in range(6)]
    ranking = ix.rank(lambda query, some: [3 * t.count("tea") + len(t) / 99 for t in some], "tea", texts)
    few = Measures(heldout=0, heldout_pairs=False, stability=0, faithfulness=0, shuffled=False)
    method = ix.QueryTerms(simple_rankers="text")
    assert "changes" not in few.to_dict()
    asked = dataclasses.replace(few, changes=3)
    found = measure(method, ranking, asked).metrics
    assert (found["change_success"], found["change_size"]) == (1.0, 1.0)
    assert (found["smallest_success"], found["smallest_size"]) == (1.0, 1.0)
    assert found["random_change_success"] == 1.0  # all words of a document in the end
    other = ix.rank(lambda query, some: [len(t) for t in some], "tea", texts)
    assert measure(method, other, asked).metrics["change_success"] == 0.0
    held = dict(zip(ranking.doc_ids, ranking.texts, strict=True))
    recorded = ix.Ranking.from_run(ranking.doc_ids, "tea", held)
    assert "change_success" not in measure(method, recorded, asked).metrics


TEA = [f"{'tea ' * (place % 4)}cup number {place} of {'rice ' * (place % 3)}" for place in range(12)]
