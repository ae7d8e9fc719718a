"""A planted task for feature-based rankers: the earlier the first query term, the better a text."""

import functools

import numpy as np

from intentx.rankers import TextFeatures, train_lambdamart
from tests.toys import random_documents

WORDS = ["piano", "tea", "boat", "green", "house", "lamp", "desk", "river", "stone"]
QUERIES = [f"{one} {other}" for one in WORDS for other in WORDS if one < other]
COLLECTION = random_documents(0, 60, WORDS)
FEATURES = TextFeatures(COLLECTION)
TRAINING, TEST = QUERIES[:24], QUERIES[24:]


def planted_lists(queries, size=30):
    """For each query its texts and their grades."""
    for number, query in enumerate(queries):
        texts = random_documents(number + 1, size, WORDS, most=2)
        first = FEATURES(query, texts)[:, FEATURES.names.index("first_match")]
        yield query, texts, np.digitize(-first, [-6, -2, 0]).tolist()


@functools.cache
def planted_ranker(seed=0):
    return train_lambdamart(planted_lists(TRAINING), FEATURES, least_texts=5, trees=60, seed=seed)


def ndcg(grades, scores, k=10):
    order = np.argsort(-np.asarray(scores), kind="stable")[:k]
    gain = sum(grades[i] / np.log2(2 + place) for place, i in enumerate(order))
    ideal = sorted(grades, reverse=True)[:k]
    return gain / sum(grade / np.log2(2 + place) for place, grade in enumerate(ideal))
