"""LambdaMART learns what was planted, the same each time, and says what it cannot learn from."""

import numpy as np
import pytest

import intentx as ix
from intentx.rankers import TextFeatures, train_lambdamart
from intentx.rankers.features.lambdamart import graded_lists
from tests.rankers.planted import (
    FEATURES,
    QUERIES,
    TEST,
    TRAINING,
    WORDS,
    ndcg,
    planted_lists,
    planted_ranker,
)
from tests.toys import random_documents

pytest.importorskip("lightgbm")


def test_lambdamart_learns_what_was_planted():
    trained = planted_ranker()
    learned, by_bm25, shuffled = [], [], []
    generator = np.random.default_rng(0)
    for query, texts, grades in planted_lists(TEST):
        ranking = ix.rank(trained, query, texts)
        assert len(ranking) == len(texts)
        learned.append(ndcg(grades, trained(query, texts)))
        by_bm25.append(ndcg(grades, FEATURES(query, texts)[:, 0]))
        shuffled.append(ndcg(grades, generator.random(len(texts))))
    assert np.mean(learned) > 0.97
    assert np.mean(learned) > np.mean(by_bm25) + 0.1 > np.mean(shuffled) + 0.1
    gain = trained.model.feature_importance("gain")
    assert FEATURES.names[int(np.argmax(gain))].startswith("first_match")


def test_grades_count_within_a_list_only():
    """Early matches are bad and late ones good across queries, and the other way within them."""
    misleading = []
    for query in TRAINING:
        misleading.append((query, [f"{query} lamp {word}" for word in WORDS], [0] * 9))
        misleading.append(
            (query, [f"stone, lamp, lamp, stone, {word} {query}" for word in WORDS], [3] * 9)
        )
    lists = [*planted_lists(TRAINING), *misleading]
    ranker = train_lambdamart(lists, FEATURES, least_texts=5, trees=60)
    found = [ndcg(grades, ranker(q, texts)) for q, texts, grades in planted_lists(TEST)]
    assert np.mean(found) > 0.95


def test_masking_the_planted_feature_costs_the_order():
    trained = planted_ranker()
    planted = ("first_match", "first_match_share", "opening_coverage", "last_match_share")
    others = [name for name in trained.names if name not in planted]
    kept, lost = [], []
    for query, texts, grades in planted_lists(TEST):
        X = FEATURES(query, texts)
        kept.append(ndcg(grades, trained.score_features(X, masked=others)))
        lost.append(ndcg(grades, trained.score_features(X, masked=planted)))
    assert np.mean(kept) > 0.95
    assert np.mean(kept) > np.mean(lost) + 0.1
    before = X.copy()
    by_hand = X.copy()
    by_hand[:, 0] = trained.background[0]
    np.testing.assert_array_equal(
        trained.score_features(X, masked="bm25"), trained.score_features(by_hand)
    )
    np.testing.assert_array_equal(X, before)
    assert np.ptp(trained.score_features(X, masked=trained.names)) == 0


def test_training_is_repeatable_and_seeded():
    trained = planted_ranker()

    def again(seed):
        lists = planted_lists(TRAINING)
        return train_lambdamart(lists, FEATURES, least_texts=5, trees=60, seed=seed)

    state = np.random.get_state()  # noqa: NPY002
    texts = random_documents(90, 20, WORDS)
    same, other = again(0), again(1)
    assert same.fingerprint == trained.fingerprint != other.fingerprint
    np.testing.assert_array_equal(same("tea boat", texts), trained("tea boat", texts))
    assert not np.array_equal(other("tea boat", texts), trained("tea boat", texts))
    np.testing.assert_array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002


def test_background_is_the_mean_of_what_was_trained_on():
    trained = planted_ranker()
    rows = [FEATURES(query, texts) for query, texts, _ in planted_lists(TRAINING)]
    np.testing.assert_allclose(trained.background, np.concatenate(rows).mean(axis=0), rtol=1e-12)


def test_graded_lists_are_the_first_stages_best():
    queries = {"1": "tea", "2": "boat", "3": "lamp"}
    texts = {name: name.upper() for name in "abcde"}
    first_stage = {
        "2": {"a": 1.0, "b": 3.0, "c": 3.0, "d": 2.0},
        "1": {"e": -1.0, "a": 0.0},
        "3": {"b": 1.0},
    }
    qrels = {"1": {"a": -2, "b": 3}, "2": {"c": 1, "d": 2, "a": 3}}
    assert graded_lists(queries, texts, first_stage, qrels, depth=3) == [
        ("boat", ["B", "C", "D"], [0, 1, 2]),
        ("tea", ["A", "E"], [0, 0]),
    ]


def test_heldout_queries_end_the_training():
    seen = []
    ranker = train_lambdamart(
        planted_lists(QUERIES[:6], size=20),
        FEATURES,
        heldout=planted_lists(QUERIES[6:12]),
        trees=400,
        least_texts=5,
        progress=lambda done, most: seen.append((done, most)),
    )
    assert seen[0] == (1, 400)
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    best = ranker.model.best_iteration
    assert 0 < best == len(seen) - 20 < 380
    texts = random_documents(91, 25, WORDS)
    X = FEATURES("tea boat", texts)
    np.testing.assert_array_equal(ranker.score_features(X), ranker.model.predict(X, num_iteration=best))


def test_features_may_have_any_names():
    class Marks:
        names = ("a: first", "{b}")

        def __call__(self, query, texts):
            return [[text.count(letter) for letter in "ab"] for text in texts]

    texts = ["a", "aa", "b", "ab", "bb", "aaa"]
    ranker = train_lambdamart([("any", texts, [1, 2, 0, 1, 0, 3])], Marks(), least_texts=1, leaves=2)
    scores = ranker.score_features([[3, 0], [1, 0], [0, 1]])
    assert scores[0] > scores[1] > scores[2]
    assert ranker.score_features([[3, 0]], masked=["{b}"]).shape == (1,)


@pytest.mark.parametrize(
    ("lists", "settings", "message"),
    [
        ([], {}, "nothing to learn"),
        ([("tea", ["a", "b"], [1, 1]), ("boat", ["a", "b"], [0, 0])], {}, "texts of different grades"),
        ([("tea", ["a", "b"], [1])], {}, "query 'tea' must have one grade for each text.*2 texts and 1"),
        ([("tea", [], [])], {}, "one or more: it has 0 texts"),
        ([("tea", ["a", "b"], [0.5, 1])], {}, "whole numbers from 0 to 30; query 'tea' has 0.5"),
        ([("tea", ["a", "b"], [-1, 1])], {}, "query 'tea' has -1"),
        ([("tea", ["a", "b"], [31, 1])], {}, "query 'tea' has 31"),
        ([("tea", ["a", "b"], [float("nan"), 1])], {}, "query 'tea' has nan"),
        ([("tea", ["tea", "boat"], [2, 1])], {}, "no tree could be grown: 2 texts.*lower least_texts"),
        ([("tea", ["a", "b"], [0, 1])], {"trees": 0}, "trees must be 1 or more, not 0"),
        ([("tea", ["a", "b"], [0, 1])], {"leaves": 1}, "leaves must be 2 or more"),
        ([("tea", ["a", "b"], [0, 1])], {"least_texts": 0}, "least_texts must be 1 or more"),
        (
            [("tea", ["a", "b"], [0, 1])],
            {"learning_rate": float("nan")},
            "learning_rate must be positive",
        ),
    ],
)
def test_lists_that_teach_nothing(lists, settings, message):
    with pytest.raises(ix.InputError, match=message):
        train_lambdamart(lists, FEATURES, **settings)


@pytest.mark.slow
def test_trained_on_one_year_it_beats_bm25_on_another(dl19):
    """As in the benchmark: DL'21 judgements, statistics of DL'22, BM25's first 100 of DL'19.

    A tenth of the passages of DL'22 is enough for statistics, and fifteen queries to see it.
    """
    ir_measures = pytest.importorskip("ir_measures")
    from intentx.datasets.collection import read_collection

    for year in ("dl21", "dl22"):
        if not (dl19.parent / year).is_dir():
            pytest.skip(f"no {dl19.parent / year}")
    train, test = read_collection(dl19.parent / "dl21"), read_collection(dl19)
    features = TextFeatures([*read_collection(dl19.parent / "dl22").texts.values()][::10])
    lists = graded_lists(train.queries, train.texts, train.run("BM25"), train.qrels)
    ranker = train_lambdamart(lists, features)
    run = {}
    for qid in [*test.queries][:15]:
        order = ix.rank(ranker, test.queries[qid], test.pool("BM25", qid)).doc_ids
        run[qid] = {doc_id: -float(rank) for rank, doc_id in enumerate(order)}

    def reached(run, qids):
        qrels = {qid: test.qrels[qid] for qid in qids}
        return ir_measures.calc_aggregate([ir_measures.nDCG @ 10], qrels, run)[ir_measures.nDCG @ 10]

    bm25 = test.run("BM25")
    assert reached(bm25, test.queries) == pytest.approx(0.506, abs=0.001)
    assert reached(run, run) > reached({qid: bm25[qid] for qid in run}, run) + 0.05
