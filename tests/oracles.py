"""Slow and obvious second versions of the formulas, one loop per sum."""

from __future__ import annotations

import itertools
import math

import numpy as np


def occurrences(text, analyzer):
    return [token.term for token in analyzer.tokens(text)]


def statistics(collection, analyzer):
    """Lists of terms of each text, and the mean length."""
    rows = [occurrences(text, analyzer) for text in collection]
    return rows, sum(map(len, rows)) / len(rows)


def bm25(term, text, collection, analyzer, k1=0.9, b=0.4):
    rows, mean_length = statistics(collection, analyzer)
    df = sum(term in row for row in rows)
    idf = math.log(1 + (len(rows) - df + 0.5) / (df + 0.5))
    row = occurrences(text, analyzer)
    tf = row.count(term)
    if not tf:
        return 0.0
    return idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * max(len(row), 1) / mean_length))


def tf(term, text, analyzer):
    row = occurrences(text, analyzer)
    return row.count(term) / len(row) if row else 0.0


def tf_idf(term, text, collection, analyzer):
    rows, _ = statistics(collection, analyzer)
    df = sum(term in row for row in rows)
    return tf(term, text, analyzer) * math.log(1 + (len(rows) - df + 0.5) / (df + 0.5))


def proximity(term, text, query, analyzer, width):
    """Every occurrence of the term against every one of another term of the query."""
    tokens = analyzer.tokens(text)
    starts = sorted({token.start for token in tokens})
    words = [[i for i, s in enumerate(starts) if t.start <= s < t.end] for t in tokens]
    near = set(analyzer.terms(query)) - {term}
    total = 0.0
    for own, token in zip(words, tokens, strict=True):
        others = (some for some, other in zip(words, tokens, strict=True) if other.term in near)
        distances = [min(abs(i - j) for i in own for j in some) for some in others]
        distances = [distance for distance in distances if distance]  # those that overlap share a word
        if token.term == term and distances:
            total += math.exp(-(min(distances) ** 2) / (2 * width**2))
    return math.log(1 + total)


def dirichlet(term, text, collection, analyzer, mu=1000.0):
    """ln p(t|d) - ln p(t): log likelihood with Dirichlet smoothing, less that of the collection."""
    rows, _ = statistics(collection, analyzer)
    everything = list(itertools.chain(*rows))
    p = max(everything.count(term), 1) / len(everything)
    row = occurrences(text, analyzer)
    smoothed = (row.count(term) + mu * p) / (max(len(row), 1) + mu)
    return math.log(smoothed) - math.log(p)


def position_aware(term, text, analyzer):
    sentences = {token.sentence for token in analyzer.tokens(text) if token.term == term}
    gain = sum(2 ** (1 / (1 + s)) for s in sentences)
    return len(sentences) / len(analyzer.sentences(text)) * math.log(1 + gain)


def unit(vector):
    norm = math.sqrt(sum(x * x for x in vector))
    return [x / norm for x in vector] if norm > 1e-12 else [0.0] * len(vector)


def semantic(term, text, collection, analyzer, vectors, temperature, centered):
    """``vectors`` maps terms to lists of numbers, none of them zero."""
    vectors = {known: unit(vector) for known, vector in vectors.items()}
    tokens = [token for token in occurrences(text, analyzer) if token in vectors]
    if term not in vectors or not tokens:
        return 0.0
    if centered:
        rows, _ = statistics(collection, analyzer)
        known = [vectors[word] for word in sorted(set(itertools.chain(*rows))) if word in vectors]
        center = [sum(column) / len(known) for column in zip(*known, strict=True)]
        vectors = {w: unit([x - c for x, c in zip(v, center, strict=True)]) for w, v in vectors.items()}
    cosines = [sum(x * y for x, y in zip(vectors[term], vectors[t], strict=True)) for t in tokens]
    if math.isinf(temperature):
        return sum((1 + cosine) / 2 for cosine in cosines) / len(cosines)
    return temperature * math.log(sum(math.exp(c / temperature) for c in cosines) / len(cosines))


def tf_idf_mass(term, texts, analyzer):
    """Summed over the documents in their order, better ones weighing more."""
    rows, _ = statistics(texts, analyzer)
    df = sum(term in row for row in rows)
    idf = math.log((1 + len(rows)) / df)
    return sum(row.count(term) * idf / math.log2(2 + place) for place, row in enumerate(rows))


def importance(term, ranking, scorer, analyzer, documents, edit):
    """Mean |score change| over the top documents that hold the term."""
    changes = []
    for text, score in list(zip(ranking.texts, ranking.scores, strict=True))[:documents]:
        if term in occurrences(text, analyzer):
            changes.append(abs(float(scorer(ranking.query, [edit(text, term)])[0]) - score))
    return sum(changes) / len(changes) if changes else 0.0


def pairs(scores, strategy="all", top=10, min_rank_gap=1, min_score_gap=0.0):
    """Pairs (high, low) of a ranking with these scores, sorted."""
    found = []
    for high in range(len(scores)):
        for low in range(high + 1, len(scores)):
            if strategy == "top-tail" and not high < top <= low:
                continue
            if low - high < min_rank_gap or scores[high] - scores[low] < min_score_gap:
                continue
            if scores[high] > scores[low]:
                found.append((high, low))
    return found


def strength(values, scale, ranker, indices, high, low):
    """tanh of the scaled difference of a term set under one simple ranker."""
    difference = sum(values[ranker, t, high] - values[ranker, t, low] for t in indices)
    return math.tanh(difference / scale[ranker])


def vote(values, scale, indices, high, low):
    return sum(strength(values, scale, ranker, indices, high, low) for ranker in range(len(values)))


def root_mean_square(values, pair_list):
    """Of the non-zero entries of each simple ranker's matrix; 1 where there is none."""
    scale = []
    for ranker in range(len(values)):
        entries = [
            values[ranker, t, high] - values[ranker, t, low]
            for t in range(values.shape[1])
            for high, low in pair_list
        ]
        squares = [entry**2 for entry in entries if entry != 0]
        scale.append(math.sqrt(sum(squares) / len(squares)) if squares else 1.0)
    return scale


def fidelity_row(values, scale, margin, pair_list):
    """Soft vote, majority, by ranker, ties: shares of the pairs, the last a count."""
    terms = range(values.shape[1])
    soft = majority = ties = 0
    each = [0] * len(values)
    for high, low in pair_list:
        strengths = [strength(values, scale, r, terms, high, low) for r in range(len(values))]
        soft += sum(strengths) > margin
        majority += sum(s > margin for s in strengths) * 2 > len(values)
        ties += abs(sum(strengths)) <= margin
        each = [count + (s > margin) for count, s in zip(each, strengths, strict=True)]
    count = len(pair_list)
    return soft / count, majority / count, [one / count for one in each], ties


def copeland(values, scale, margin):
    documents = range(values.shape[2])
    score = [0] * len(documents)
    for one in documents:
        for other in documents:
            v = vote(values, scale, range(values.shape[1]), one, other)
            score[one] += (v > margin) - (v < -margin)
    return score


def kendall_tau_b(first, second):
    concordant = discordant = tied_first = tied_second = 0
    for i, j in itertools.combinations(range(len(first)), 2):
        x, y = np.sign(first[i] - first[j]), np.sign(second[i] - second[j])
        concordant += x * y > 0
        discordant += x * y < 0
        tied_first += x == 0
        tied_second += y == 0
    number = len(first) * (len(first) - 1) / 2
    return (concordant - discordant) / math.sqrt((number - tied_first) * (number - tied_second))


def rbo_ext(first, second, p=0.9):
    """Webber, Moffat & Zobel (2010, eq. 32) for two permutations of the same items."""
    k = len(first)
    overlap = [len(set(first[:d]) & set(second[:d])) for d in range(k + 1)]
    weighted = sum(overlap[d] / d * p**d for d in range(1, k + 1))
    return overlap[k] / k * p**k + (1 - p) / p * weighted


def shapley(worth, count):
    """Shapley values of a set function ``worth(frozenset)`` with worth(empty) = 0."""
    shares = []
    for one in range(count):
        share = 0.0
        others = [other for other in range(count) if other != one]
        for size in range(count):
            for group in itertools.combinations(others, size):
                chance = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
                share += chance * (worth(frozenset(group) | {one}) - worth(frozenset(group)))
        shares.append(share)
    return shares
