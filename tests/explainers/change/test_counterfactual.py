"""Smallest changes: planted rankers whose smallest edits are known, and input of every kind."""

import itertools

import numpy as np
import pytest

import intentx as ix
from intentx.explainers.change.edits import written
from intentx.explainers.change.kept import Kept
from tests.explainers.change.weighed_documents import DOCS, weighed
from tests.toys import Counting, ranked


@pytest.fixture
def ranking():
    return ix.rank(weighed, "piano", DOCS)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_planted_smallest_edits_are_found_and_proven(ranking, k):
    found = ix.Counterfactual(goal="leave", k=k).explain(ranking, "a")
    words = DOCS["a"].split()
    distinct = list(dict.fromkeys(words))
    bar = sorted(weighed("", [DOCS[i] for i in "bcde"]), reverse=True)[k - 1]
    enough = [
        size
        for size in range(len(distinct) + 1)
        if any(
            weighed("", [" ".join(w for w in words if w not in gone)])[0] < bar
            for gone in itertools.combinations(distinct, size)
        )
    ]
    assert len(found.changes) == enough[0]
    assert found.status == "minimal"
    assert (found.rank_before, found.rank_after > k) == (1, True)
    assert found.ranks[-1] == found.rank_after
    again = ix.rank(weighed, "piano", DOCS | {"a": found.edited_text})
    assert again.position("a") + 1 == found.rank_after
    assert all(DOCS["a"][one.start : one.end] == one.text for one in found.changes)
    assert all(part.asked == part.of for part in found.searched)
    assert len(found.searched) == len(found.changes) - 1
    assert all(one.rank <= k for one in found.tried)


def test_entering_above_below_and_a_rank(ranking):
    found = ix.Counterfactual(goal="enter", k=1, keep="query").explain(ranking, "d")
    assert {one.text for one in found.changes} <= {"keys", "tea", "milk"}
    assert not found.reached
    found = ix.Counterfactual(goal="enter", k=3).explain(ranking, "d")
    assert [one.text for one in found.changes] == ["piano"]
    assert (found.edited_text, found.rank_before, found.rank_after) == ("piano tea milk", 4, 3)
    # A tie with the second is not past it.
    found = ix.Counterfactual(goal="enter", k=2).explain(ranking, "d")
    assert {one.text for one in found.changes} == {"piano", "keys"}
    assert found.robustness == 1
    above = ix.Counterfactual(goal="above").explain(ranking, "e", above="d")
    assert above.status == "minimal"
    assert above.above == ranking.position("d")
    below = ix.Counterfactual(goal="below").explain(ranking, "b", above="d")
    assert {one.text for one in below.changes} == {"piano", "keys"}
    fallen = ix.Counterfactual(goal="rank", rank=4).explain(ranking, "c")
    assert [one.text for one in fallen.changes] == ["piano"]
    assert (fallen.rank_after, fallen.status) == (4, "minimal")
    risen = ix.Counterfactual(goal="rank", rank=2).explain(ranking, "c")
    assert ([one.text for one in risen.changes], risen.rank_after) == (["keys"], 2)


def test_the_query_is_kept_in_every_form():
    kept = Kept(["is an atheist right"], ix.Analyzer())
    assert all(word in kept for word in ("atheism", "Atheists", "atheistic", "is", "rights"))
    assert not any(word in kept for word in ("theory", "this", "island", "ant"))
    for query, forms in {
        "run": ("ran", "running"), "mouse": ("mice",), "children": ("child",), "goes": ("went", "gone"),
        "best": ("better", "good"), "decide": ("decision",), "vary": ("variety",), "colour": ("color",),
        "sell": ("sold", "sale"), "is": ("was", "were"), "analyst": ("analysis",), "pelvic": ("pelvis",),
        "judgment": ("judgement",), "social": ("society",), "key": ("keys.Named",),
    }.items():  # fmt: skip
        assert all(form in Kept([query], ix.Analyzer()) for form in forms), query
    assert not any(w in Kept(["run"], ix.Analyzer()) for w in ("rang", "ruin", "rung", "brand"))
    assert not any(w in Kept(["print"], ix.Analyzer()) for w in ("prince", "paint"))
    docs = {"a": "atheists and atheism beat all", "b": "atheist", "c": "x"}
    scorer = Counting(lambda q, texts: [t.lower().count("athe") + 0.01 * len(t) for t in texts])
    ranking = ix.rank(scorer, "atheist", docs)
    found = ix.Counterfactual(goal="leave", k=1, keep="query").explain(ranking, "a")
    assert not found.reached
    assert "no set of" in found.finding
    assert all("atheists and" in t or "atheism" in t for t in scorer.texts if t not in docs.values())
    entering = ix.Counterfactual(goal="enter", k=1, keep="query").explain(ranking, "c")
    assert not any("athe" in one.text for one in entering.changes)


def test_several_answers_have_other_words():
    docs = {"a": "one two three four", "b": "one"}
    ranking = ix.rank(lambda q, texts: [len(t.split()) >= 4 or 0.5 for t in texts], "x", docs)
    found = ix.Counterfactual(goal="leave", k=1, most=3).explain(ranking, "a")
    assert not found.reached  # a tie is not past the other one
    ranking = ix.rank(
        lambda q, texts: [1.0 if len(t.split()) >= 4 else 0.5 if t == "one" else 0.1 for t in texts],
        "x", docs,
    )  # fmt: skip
    found = ix.Counterfactual(goal="leave", k=1, most=3).explain(ranking, "a")
    answers = [found.changes, *(one.changes for one in found.alternatives)]
    assert len(answers) == 3
    assert len({one.text for changes in answers for one in changes}) == 3


def test_met_already_and_beyond_the_list(ranking):
    found = ix.Counterfactual(goal="leave", k=2).explain(ranking, "e")
    assert found.reached
    assert (found.changes, found.rank_after, found.model_calls) == ((), 5, 0)
    nothing = ix.Counterfactual(goal="enter", k=99).explain(ranking, "e")
    assert nothing.changes == ()
    assert "the first 99" in repr(nothing)
    with pytest.raises(ix.InputError, match="k must be smaller than the number of documents"):
        ix.Counterfactual(goal="leave", k=5).explain(ranking, "a")
    alone = ix.rank(weighed, "piano", {"a": "piano"})
    with pytest.raises(ix.InputError, match="first 10 of 1"):
        ix.Counterfactual().explain(alone, "a")


@pytest.mark.parametrize(
    ("settings", "above", "message"),
    [
        ({"goal": "above"}, None, "name the other one"),
        ({"goal": "leave", "k": 1}, "b", "leave above out"),
        ({"goal": "below"}, "a", "never below itself"),
        ({"goal": "rank", "rank": 6}, None, "from 1 to 5"),
        ({"k": 1, "edits": ("insert-sentences",), "keep": ("piano", "tea", "desk")}, None, "no edit of"),
    ],
)
def test_questions_that_cannot_be_asked(ranking, settings, above, message):
    with pytest.raises(ix.InputError, match=message):
        ix.Counterfactual(**settings).explain(ranking, "a", above=above)


def test_settings_that_do_not_fit():
    for settings in (
        {"goal": "rank"},
        {"rank": 3},
        {"edits": ("insert-own-words",)},
        {"words": ("tea",), "edits": ("remove-words",)},
    ):
        with pytest.raises(ix.InputError):
            ix.Counterfactual(**settings)
    recorded = ranked(["piano", "keys", "tea"])
    with pytest.raises(ix.InputError, match="recorded"):
        ix.Counterfactual(k=1).explain(recorded, 0)


class Cut:
    """Reads the first two words."""

    def __call__(self, query, texts):
        return weighed(query, self.seen(query, texts))

    def seen(self, query, texts):
        return [" ".join(text.split()[:2]) for text in texts]


def test_edits_behind_the_cut_are_not_offered():
    docs = {"a": "piano keys and tea", "b": "tea milk", "c": "desk"}
    with pytest.warns(ix.errors.TruncationWarning):
        ranking = ix.rank(Cut(), "x", docs)
    found = ix.Counterfactual(k=1).explain(ranking, "a")
    assert found.offered == 2
    assert all(one.end <= len("piano keys") for one in found.changes)


def test_noisy_rankers_must_hold_when_asked_again():
    generator = np.random.default_rng(0)

    def noisy(query, texts):
        return np.array(weighed(query, texts)) + generator.normal(0, 0.2, len(texts))

    with pytest.warns(ix.errors.ScorerWarning):
        ranking = ix.rank(noisy, "x", DOCS)
    found = ix.Counterfactual(k=2).explain(ranking, 0)
    assert found.status == "feasible"
    assert any("different scores" in note for note in found.notes)
    assert found.calls["asked again"] >= 5
    assert "piano" in [one.text for one in found.changes]


def test_the_others_are_asked_again_where_scores_vary():
    """One word less is a tie but for noise: with one old list of scores, it seemed to be enough."""
    docs = {"a": "alpha beta gamma", "b": "beta gamma", "c": "gamma delta", "d": "delta epsilon"}
    sizes = []
    for seed in (0, 12, 16, 20, 21, 26, 32, 35):
        generator = np.random.default_rng(seed)

        def noisy(query, texts, generator=generator):
            plain = [2 * sum(word in ("alpha", "beta") for word in t.split()) for t in texts]
            return np.array(plain) + generator.normal(0, 0.1, len(texts))

        with pytest.warns(ix.errors.ScorerWarning):
            ranking = ix.rank(noisy, "x", docs)
        found = ix.Counterfactual(k=1, edits=("remove-words",)).explain(ranking, "a")
        sizes.append({one.text for one in found.changes})
    assert sizes == [{"alpha", "beta"}] * 8


def test_where_nothing_is_found_it_is_said_what_is_known():
    docs = {"a": "one two three four", "b": "one"}
    ranking = ix.rank(lambda q, texts: [len(texts) * 0.0 + (t != "one") for t in texts], "x", docs)
    few = ix.Counterfactual(k=1).explain(ranking, "a")
    assert "all 15 were asked about" in few.finding
    assert all(part.asked == part.of for part in few.searched)
    words = " ".join(f"word{i}" for i in range(40))
    ranking = ix.rank(lambda q, texts: [float(t != "x") for t in texts], "x", {"a": words, "b": "x"})
    found = ix.Counterfactual(k=1).explain(ranking, "a")
    assert found.finding.startswith("no set of these edits was found that does it; with all of them")
    found = ix.Counterfactual(goal="enter", k=1, words=tuple(words.split())).explain(ranking, "b")
    assert found.finding == "none within the budget; no single one of 40 offered edits does it"
    assert found.status == "none within the budget"


def test_a_search_that_finds_nothing_asks_about_all_sets_where_it_can():
    """Three certain words of eight, none of which does anything without the others."""
    docs = {"a": "a1 b1 c1 d1 e1 f1 g1 h1", "b": "other"}

    def hidden(query, texts):
        gone = [{"b1", "e1", "h1"} & set(t.split()) for t in texts]
        kept = [{"a1", "c1", "d1", "f1", "g1"} <= set(t.split()) for t in texts]
        return [
            0.5 if t == "other" else 0.0 if not g and k else 1.0
            for t, g, k in zip(texts, gone, kept, strict=True)
        ]

    found = ix.Counterfactual(k=1, budget=40).explain(ix.rank(hidden, "x", docs), "a")
    assert {one.text for one in found.changes} == {"b1", "e1", "h1"}
    assert found.status == "minimal"


def test_listwise_rankers_are_given_whole_lists():
    class Listed(Counting):
        listwise = True

        def __init__(self):
            super().__init__(lambda q, texts: np.array(weighed(q, texts)) - np.mean(weighed(q, texts)))

    scorer = Listed()
    found = ix.Counterfactual(k=1).explain(ix.rank(scorer, "x", DOCS), "a")
    assert found.status == "minimal"
    assert all(len(texts) == len(DOCS) for _, texts in scorer.calls if len(texts) != 2)
    assert found.model_calls % len(DOCS) == 0


def test_scorers_that_raise_say_so():
    def fails(query, texts):
        if any("piano" not in text for text in texts if "keys" in text):
            raise ValueError("cannot read this")
        return weighed(query, texts)

    ranking = ix.rank(fails, "x", DOCS)
    with pytest.raises(ix.ScorerError, match="cannot read this"):
        ix.Counterfactual(k=1).explain(ranking, "a")


def test_a_ranker_that_refuses_blank_texts_is_asked_about_the_others():
    def strict(query, texts):
        if not all(text.strip() for text in texts):
            raise ValueError("no text")
        return weighed(query, texts)

    found = ix.Counterfactual(goal="leave", k=1).explain(ix.rank(strict, "piano", DOCS), "a")
    assert found.status == "minimal"
    assert "takes no blank text" in " ".join(found.notes)
    only = ix.rank(strict, "x", {"a": "piano", "b": "keys"})
    assert not ix.Counterfactual(goal="leave", k=1).explain(only, "a").reached


def test_scripts_without_spaces():
    docs = {"a": "我喜欢钢琴和茶", "b": "我喜欢钢琴", "c": "桌子"}
    ranking = ix.rank(lambda q, texts: [2 * ("钢琴" in t) + ("茶" in t) for t in texts], "钢琴", docs)
    found = ix.Counterfactual(k=1).explain(ranking, "a")
    assert [one.text for one in found.changes] == ["钢琴"]
    kept = ix.Counterfactual(k=1, keep="query").explain(ranking, "a")
    assert not kept.reached


@pytest.mark.parametrize(
    ("edits", "kinds"),
    [
        (("remove-sentences",), {("remove", "sentence")}),
        (("remove-passages",), {("remove", "passage")}),
        (("replace-words",), {("replace", "word")}),
    ],
)
def test_other_kinds_of_edits(edits, kinds):
    first = "A piano is here. The keys are white. Tea is hot. Milk."
    docs = {"a": first, "b": "keys milk", "c": "tea oak", "d": "oak keys tea"}
    ranking = ix.rank(weighed, "x", docs)
    found = ix.Counterfactual(k=1, edits=edits).explain(ranking, "a")
    assert {(one.kind, one.unit) for one in found.changes} <= kinds
    assert written(docs["a"], sorted(found.changes, key=lambda one: one.start)) == found.edited_text
    own = ix.Counterfactual(goal="enter", k=1, words=("nowhere", "keys", "piano", "milk")).explain(
        ranking, "c"
    )
    assert own.reached
    assert {one.text for one in own.changes} == {"keys", "piano", "milk"}
    assert own.status == "minimal"
    sentences = ix.Counterfactual(goal="enter", k=2, edits=("insert-sentences",)).explain(ranking, "c")
    assert sentences.changes[0].text == "A piano is here."


def test_what_is_inserted_is_a_word_as_it_is_written():
    """Neither a stem nor a folded form: the ranker sees capitals and endings."""
    docs = {"a": "Batteries from Japan", "b": "Batteries of Japan, too", "c": "a lamp"}
    scorer = lambda query, texts: [t.count("Batteries") + t.count("Japan") for t in texts]  # noqa: E731
    ranking = ix.rank(scorer, "x", docs)
    for analyzer in (ix.Analyzer(), ix.Analyzer(stem="english")):
        found = ix.Counterfactual(goal="rank", rank=2, analyzer=analyzer).explain(ranking, "c")
        assert {one.text for one in found.changes} <= {"Batteries", "Japan"}
        assert not found.reached or found.rank_after == 2
    # A word of the query that better documents hold, too, is offered once, and first.
    ranking = ix.rank(scorer, "batteries", docs)
    found = ix.Counterfactual(goal="enter", k=2).explain(ranking, "c")
    assert found.offered <= 4


def test_the_smallest_change_of_a_query():
    docs = {"a": "piano tea", "b": "piano milk", "c": "milk"}

    def match(query, texts):
        return [sum(text.count(word) for word in query.split()) for text in texts]

    ranking = ix.rank(match, "piano tea", docs)
    found = ix.QueryCounterfactual(k=1).explain(ranking, "a")
    again = ix.rank(match, found.edited_text, docs)
    assert again.position("a") >= 1
    assert found.of == "query"
    assert ix.ChangeExplanation.from_json(found.to_json()).to_json() == found.to_json()
    pair = ix.QueryCounterfactual(goal="above").explain(ranking, "c", above="a")
    assert (
        match(pair.edited_text, [docs["c"]]) > match(pair.edited_text, [docs["a"]]) or not pair.reached
    )


def test_signs_of_a_word_are_taken_out_with_it():
    def scorer(query, texts):
        return [t.count("%") + t.count("$") + t.count("#") + 0.001 * t.count("tea") for t in texts]

    docs = {"a": "3% of the $5 for C# and tea", "b": "% tea", "c": "# tea", "d": "a+b tea"}
    ranking = ix.rank(scorer, "percent", docs)
    found = ix.Counterfactual(k=1, edits=("remove-words",)).explain(ranking, "a")
    assert [one.text for one in found.changes] == ["3%", "$5", "C#"]
    assert (found.edited_text.strip(), found.status) == ("of the for and tea", "minimal")
