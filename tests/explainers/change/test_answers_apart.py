"""Several answers: each is another text, none is smaller than the smallest; queries without a word."""

import pytest

import intentx as ix

STRONG = {f"strong{i}": 1 - i / 1000 for i in range(11)}


def test_a_smaller_set_that_a_search_for_others_meets_is_the_answer():
    """Eleven words weigh .99 to 1 each; two others weigh nothing alone, and 3 as a pair."""

    def weighed(query, texts):
        sums = [sum(w for word, w in STRONG.items() if word in t.split()) for t in texts]
        gone = ["left" not in t.split() and "right" not in t.split() for t in texts]
        fixed = ["bar" in t.split() for t in texts]
        bar = sum(STRONG.values()) - 2.5
        return [bar if f else s - 3 * g for s, g, f in zip(sums, gone, fixed, strict=True)]

    ranking = ix.rank(weighed, "any", {"a": " ".join([*STRONG, "left", "right"]), "b": "bar"})
    for most in (1, 2):
        found = ix.Counterfactual(goal="leave", k=1, most=most).explain(ranking, "a")
        assert {one.text for one in found.changes} == {"left", "right"}
        assert found.status == "minimal"
    assert len(found.alternatives) == 1
    assert len(found.alternatives[0].changes) == 3


@pytest.mark.parametrize("most", [3, 5])
def test_each_answer_is_another_text_by_changes_that_all_do_something(most):
    """Sets with both the removal and a replacement of one word read the same as smaller ones."""
    docs = {f"d{i}": text for i, text in enumerate(["piano tea", "piano", "tea", "lamp", "desk lamp"])}

    def matches(query, texts):
        return [float(len(set(query.split()) & set(t.split()))) for t in texts]

    ranking = ix.rank(matches, "piano tea", docs)
    seen = 0
    for doc in docs:
        for goal in ("leave", "enter"):
            method = ix.QueryCounterfactual(goal=goal, k=2, most=most)
            found = method.explain(ranking, doc)
            texts = [one.edited_text for one in (found.answer, *found.alternatives)]
            assert len(set(texts)) == len(texts)
            for one in found.alternatives:
                assert len(one.changes) >= len(found.changes)
                spans = [span for edit in one.changes if edit.kind != "insert" for span in edit.places]
                assert len(set(spans)) == len(spans)
                seen += 1
    assert seen > 3


def test_a_query_without_a_word_is_not_asked():
    """What is left of "What, is?" is signs: no answer, and nothing to ask a ranker that refuses it."""

    def refusing(query, texts):
        if not any(sign.isalnum() for sign in query):
            raise ValueError("no word")
        return [float(len(set(query.lower().split()) & set(t.split()))) for t in texts]

    docs = {"a": "what is", "b": "what", "c": "tea"}
    ranking = ix.rank(refusing, "What is ?", docs)
    found = ix.QueryCounterfactual(goal="leave", k=2, edits=("drop",)).explain(ranking, "a")
    assert not found.reached

    def short(query, texts):
        return [-abs(len(t) - len(query)) for t in texts]

    ranking = ix.rank(short, "what is ?", {"a": "what then", "b": "?"})
    found = ix.QueryCounterfactual(goal="enter", k=1, edits=("drop",)).explain(ranking, "b")
    assert found.edited_text.strip() != "?"
