"""The query whose ranking is most like a ranker's."""

import re

import numpy as np
import pytest

import intentx as ix
from intentx.evaluation.orders import rbo_ext
from intentx.explainers.change.lucene import lucene_query
from intentx.explainers.change.query_search import best_first, greedy, search
from intentx.explainers.change.term_sets import Likeness, TermSets
from intentx.explainers.change.whole import Whole
from intentx.explainers.methods import make_method
from intentx.search import SearchIndex

WORDS = ("piano", "stool", "lamp", "desk", "boat", "keys", "cable", "pedal", "tea", "pot", "cup", "milk")


def documents(n, seed=0):
    draws = np.random.default_rng(seed)
    return [" ".join(draws.choice(WORDS, size=draws.integers(4, 12))) for _ in range(n)]


def planted(n=24):
    """BM25 for a query of other words than the one asked: it must be found."""
    texts = documents(n)
    scorer = ix.rankers.BM25(texts, analyzer=ix.Analyzer())
    return ix.rank(lambda query, some: scorer("tea cup milk", some), "keyboard", texts)


def test_values_are_those_of_rbo_of_sums():
    draws = np.random.default_rng(3)
    values = draws.integers(0, 4, size=(7, 13)) / 4.0  # many ties
    sets = TermSets(values, 13, max_terms=3, max_weight=2)
    likeness = Likeness("rbo", 13, 13)
    beside = sets.beside((2, 8), likeness)  # terms 2, and 1 of weight 2
    for column in range(14):
        term, weight = sets.term(column), sets.weight(column)
        if term in (1, 2):
            assert beside[column] == -np.inf
        else:
            scores = values[2] + 2 * values[1] + weight * values[term]
            assert beside[column] == pytest.approx(rbo_ext(scores), abs=1e-12)


def test_thirds_and_sixths_that_add_up_to_a_half_tie_with_it():
    draws = np.random.default_rng(8)
    values = draws.integers(0, 4, size=(6, 12)) / draws.integers(1, 12, size=12)  # occurrences by length
    sets = TermSets(values, 12, max_terms=4, max_weight=12)
    likeness = Likeness("rbo", 12, 12)
    for _ in range(500):
        terms = draws.choice(6, size=3, replace=False)
        weights = draws.integers(1, 13, size=3)
        scores = np.round((weights[:, None] * values[terms]).sum(axis=0), 9)
        columns = terms + 6 * (weights - 1)
        assert sets.value(columns.tolist(), likeness) == pytest.approx(rbo_ext(scores), abs=1e-12)


@pytest.mark.parametrize("goal", ["rbo", "tau", "overlap"])
def test_never_below_greedy_best_first_or_sets_given(goal):
    values = np.random.default_rng(5).exponential(size=(15, 20))
    sets = TermSets(values, 20, max_terms=4)
    likeness = Likeness(goal, 20, 20)
    found = search(sets, goal, (3,), [(1, 2)], steps=3000)
    rivals = [greedy(sets, likeness).value, best_first(sets, likeness).value]
    assert found.value >= max(*rivals, sets.value((1, 2), likeness), sets.value((3,), likeness))
    assert len(found.columns) <= 4


def test_a_planted_query_is_found_beyond_chance():
    found = ix.EquivalentQuery(max_terms=3, steps=4000).explain(planted())
    assert set(found.terms) == {"tea", "cup", "milk"}
    assert found.agreement.rbo == pytest.approx(found.fidelity.rbo)
    assert found.agreement.rbo > 0.99  # the ranker ties two documents
    assert found.agreement.tau == pytest.approx(1.0)
    assert found.agreement.overlap == 1.0
    assert found.agreement.shuffled_rbo < 1 > found.agreement.query_rbo
    assert found.agreement.better_than_chance
    assert found.agreement.sentence.startswith("Better than chance")


def test_a_random_order_is_called_chance():
    texts = documents(24)
    order = np.random.default_rng(1).permutation(24)
    ranking = ix.Ranking.from_run(
        [str(i) for i in order], "piano", {str(i): t for i, t in enumerate(texts)}
    )
    agreement = ix.EquivalentQuery(max_terms=5, steps=2000).explain(ranking).agreement
    assert not agreement.better_than_chance
    assert agreement.sentence.startswith("May be chance")


def test_it_is_shown_saved_and_loaded(tmp_path):
    found = ix.EquivalentQuery(max_terms=3, max_weight=2, steps=1000).explain(planted())
    again = ix.load(found.save(tmp_path / "query.json"))
    assert type(again) is ix.EquivalentQueryExplanation
    assert again.agreement == found.agreement
    assert again.to_json() == found.to_json()
    for shown in (
        found.text(),
        found._repr_html_(),
        again.to_html(tmp_path / "page.html").read_text("utf-8"),
    ):
        assert found.to_lucene() in " ".join(shown.split())
        assert "chance" in shown
    agreement = found.agreement
    rows = {name: numbers for name, *numbers in agreement._sheet().rows}
    held = (agreement.rbo, agreement.query_rbo, agreement.shuffled_rbo)
    assert rows["RBO"] == [f"{one:.3f}" for one in held]
    assert [*rows][-1] == "RBO, documents left out"
    assert rows["Kendall τ-b"][2] == "", "not measured on random orders"
    assert found.to_dict()["lucene"] == found.to_lucene()
    assert re.fullmatch(
        r"<EquivalentQuery for 'keyboard': .* \| RBO \d\.\d+, the query's .*>", repr(found)
    )


def test_the_same_seed_gives_the_same_query():
    one, other = (make_method("equivalent-query", {"steps": 500}).explain(planted()) for _ in range(2))
    assert {**one.to_dict(), "seconds": 0} == {**other.to_dict(), "seconds": 0}


def test_lucene_sees_words_where_there_are_signs():
    words = ["a+b", "stage piano", "x:y", 'say "hi"', "手机", "NOT", "p<q", "tea"]
    written = lucene_query(words, [1, 2, 1, 1, 3, 1, 1, 1])
    assert written == r'a\+b "stage piano"^2 x\:y "say \"hi\"" "手机"^3 "NOT" "p<q" tea'
    for sign in '+-=&|!(){}[]^"~*?:\\/':
        assert lucene_query([sign], [1]) == "\\" + sign


@pytest.mark.parametrize("ngrams", [1, 2])
def test_names_that_are_stopwords_in_small_letters_are_in_capitals(ngrams):
    analyzer = ix.Analyzer(ngrams=ngrams)
    docs = {"a": "old US boats", "b": "new US boats", "c": "some boats", "d": "a boat"}
    ranking = ix.Ranking.from_run(list(docs), "sea", docs)
    method = ix.EquivalentQuery(steps=500, analyzer=analyzer, controls=False, max_terms=3)
    found = method.explain(ranking)
    assert any("us" in term.split() for term in found.terms)
    assert set(analyzer.terms(found.to_lucene())) >= set(found.terms)


@pytest.mark.parametrize(
    ("texts", "scores", "says"),
    [
        (["tea"], [1], "pair"),
        (["tea", "pot"], [1, 1], "pair"),
        (["the", "of"], [2, 1], "no candidate term"),
    ],
)
def test_nothing_to_find_is_said(texts, scores, says):
    ranking = ix.Ranking("the", tuple("ab"[: len(texts)]), tuple(texts), np.array(scores))
    with pytest.raises(ix.InputError, match=re.escape(says)):
        ix.EquivalentQuery(steps=10).explain(ranking)


def test_odd_input_has_an_answer():
    few = ix.Ranking.from_run(["a", "b"], "of the", {"a": "我喜欢用手机", "b": "我用电脑"})
    found = ix.EquivalentQuery(max_terms=50, steps=100).explain(few)
    assert found.agreement.rbo == 1.0
    assert np.isnan(found.agreement.heldout_rbo)
    assert all("left out" not in name for name, *_ in found.agreement._sheet().rows)
    assert found.agreement.sentence.startswith("Not known")
    with pytest.raises(ix.InputError, match="search engine"):
        ix.EquivalentQuery(simple_ranker="position")


@pytest.fixture(scope="module")
def collection():
    """200 documents, of which BM25 ranks the first 15 for words that are not the query's."""
    docs = {str(i): text for i, text in enumerate(documents(200, seed=4))}
    analyzer = ix.Analyzer()
    bm25 = ix.rankers.BM25(docs, analyzer=analyzer)
    scores = bm25("tea cup milk", [*docs.values()])
    first = [str(i) for i in np.argsort(-scores, kind="stable")[:15]]
    ranking = ix.rank(
        lambda query, some: bm25("tea cup milk", some), "keyboard", {i: docs[i] for i in first}
    )
    return docs, ranking


def test_a_query_is_found_that_brings_the_documents_in_from_a_whole_collection(collection):
    docs, ranking = collection
    index = SearchIndex.build(docs, analyzer=ix.Analyzer())
    alone = ix.EquivalentQuery(max_terms=3, steps=3000, controls=False).explain(ranking)
    among = [
        ix.EquivalentQuery(max_terms=3, steps=20_000, collection=one, controls=False).explain(ranking)
        for one in (docs, index)
    ]
    for found in among:
        assert set(found.terms) == {"tea", "cup", "milk"}
        assert found.agreement.documents == 200
        assert found.agreement.rbo > 0.9  # ties stand in the worst order
        assert found.agreement.rbo >= found.agreement.best_first_rbo
        assert index.search(found.to_lucene(), 10).ids[0] == ranking.doc_ids[0]
    assert among[0].agreement == among[1].agreement
    # The search engine's own list: what is told is what it gives.
    hits = index.search(" ".join(found.terms), 15).ids
    assert found.agreement.overlap == len({*hits[:10]} & {*ranking.doc_ids[:10]}) / 10
    assert alone.agreement.documents == 0
    assert np.isnan(alone.agreement.threshold)
    assert "Not held against chance" in alone.agreement.sentence


def test_a_query_that_suits_the_list_alone_is_worth_less_among_all(collection):
    docs, ranking = collection
    whole = Whole(docs).competition(ranking, ix.Analyzer(), ix.TextMatching(), "rbo")
    assert whole.value({"tea": 1.0, "cup": 1.0, "milk": 1.0}) > 0.9
    assert whole.value({"lamp": 1.0}) < 0.2
    assert whole.value({}) == 0.0
    assert len(whole.intruders({"lamp": 1.0})) >= 10


def test_language_models_rank_collections_too(collection):
    docs, ranking = collection
    found = ix.EquivalentQuery(
        max_terms=3, steps=5000, collection=docs, controls=False, simple_ranker="lm"
    ).explain(ranking)
    one = found.agreement
    assert {"tea", "cup"} <= set(found.terms)
    assert one.rbo >= one.best_first_rbo
    assert one.rbo > one.query_rbo == 0.0  # "keyboard" is in no document


def test_collections_that_do_not_fit_are_refused(collection):
    docs, ranking = collection
    with pytest.raises(ix.InputError, match="not in the collection"):
        ix.EquivalentQuery(collection=["tea"], steps=10).explain(ranking)
    index = SearchIndex.build(docs, analyzer=ix.Analyzer())
    with pytest.raises(ix.InputError, match=r"ranks by BM25 with k1=0\.9"):
        ix.EquivalentQuery(collection=index, steps=10, simple_ranker="lm").explain(ranking)
    with pytest.raises(ix.InputError, match="words are found in another way"):
        ix.EquivalentQuery(collection=SearchIndex.build(docs), steps=10).explain(ranking)


@pytest.mark.parametrize("objective", ["rbo", "tau", "overlap"])
def test_each_objective_is_no_worse_than_best_first_search(objective):
    found = ix.EquivalentQuery(max_terms=2, steps=500, objective=objective, controls=False).explain(
        planted()
    )
    own = {"rbo": found.agreement.rbo, "tau": found.agreement.tau, "overlap": found.agreement.overlap}
    query = {
        "rbo": found.agreement.query_rbo, "tau": found.agreement.query_tau,
        "overlap": found.agreement.query_overlap,
    }  # fmt: skip
    assert own[objective] >= np.nan_to_num(query[objective])  # the query's words rank nothing
    if objective == "rbo":
        assert own["rbo"] >= found.agreement.best_first_rbo
