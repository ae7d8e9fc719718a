"""A small lexicon, and the rankers' formulas written once more as slow, obvious loops."""

import math

import numpy as np

import intentx as ix
from intentx.rankers.interaction.lexicon import Lexicon, unknown_vector

WORDS = ["piano", "keys", "stool", "laptop", "typing", "sound", "desk"]
DIMENSIONS = 6
TEXTS = [
    "Piano keys and a piano stool.",
    "Laptop typing: keys, keys, keys, sound, desk, desk, laptop and piano",
    "",  # no term at all
    "The and of",  # stopwords alone
    "Zeppelin sound, airship sound.",  # words without a vector
    "desk",
]
QUERY = "piano keys zeppelin balloon"  # the last a word that nobody knows


def lexicon(seed=0, dimensions=DIMENSIONS, analyzer=None):
    generator = np.random.default_rng(seed)
    vectors = dict(zip(WORDS, generator.normal(size=(len(WORDS), dimensions)), strict=True))
    return Lexicon.build(TEXTS, ix.TermVectors.from_mapping(vectors), analyzer or ix.Analyzer())


def vector(lexicon, term):
    if term in lexicon.terms:
        return [float(x) for x in lexicon.vectors[lexicon.terms.index(term)]]
    return [float(x) for x in unknown_vector(term, lexicon.dimensions)]


def idf(lexicon, term):
    holding = sum(term in lexicon.analyzer.terms(text) for text in TEXTS)
    return math.log((len(TEXTS) + 1) / (holding + 0.5))


def dot(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


def cosine(lexicon, one, other):
    u, v = vector(lexicon, one), vector(lexicon, other)
    return dot(u, v) / math.sqrt(dot(u, u) * dot(v, v))


def terms(lexicon, text):
    return [token.term for token in lexicon.analyzer.tokens(text)]


def linear(layer, values):
    rows = layer.weight.tolist()
    bias = layer.bias.tolist() if layer.bias is not None else [0.0] * len(rows)
    return [dot(row, values) + b for row, b in zip(rows, bias, strict=True)]


def drmm(ranker, query, text):
    """Guo et al. 2016, sections 3 and 4.1: histograms, matching network, gate."""
    bins, known = ranker.settings.bins, ranker.lexicon
    scores, gates = [], []
    for q in terms(known, query):
        counts = [0] * bins
        for d in terms(known, text):
            place = math.floor((cosine(known, q, d) + 1) / 2 * (bins - 1))
            counts[bins - 1 if d == q else min(max(place, 0), bins - 2)] += 1
        values = [math.log(1 + count) for count in counts]
        for layer in ranker.module.matching:
            if hasattr(layer, "weight"):
                values = [math.tanh(value) for value in linear(layer, values)]
        scores.append(values[0])
        gate = [idf(known, q)] if ranker.settings.gating == "idf" else vector(known, q)
        gates.append(math.exp(linear(ranker.module.gate, gate)[0]))
    return sum(g / sum(gates) * z for g, z in zip(gates, scores, strict=True))


def knrm(ranker, query, text):
    """Xiong et al. 2017, equations 2 to 6, with the logarithms scaled as in the authors' code."""
    settings, known = ranker.settings, ranker.lexicon
    in_query = terms(known, query)
    mean_idf = sum(idf(known, q) for q in in_query) / len(in_query)
    features = []
    for k in range(settings.kernels):
        mu = 1.0 if k == 0 else 1.0 - (2 * k - 1) / (settings.kernels - 1)
        sigma = settings.exact_width if k == 0 else settings.width
        feature = 0.0
        for q in in_query:
            count = sum(
                math.exp(-((cosine(known, q, d) - mu) ** 2) / (2 * sigma**2)) for d in terms(known, text)
            )
            weight = idf(known, q) / mean_idf if settings.term_weights == "idf" else 1.0
            feature += weight * 0.01 * math.log(max(count, 1e-10))
        features.append(feature)
    return math.tanh(linear(ranker.module.linear, features)[0])


def compared(ranker, q, d):
    """One cell of the interaction matrix (Pang et al. 2016, section 3.1)."""
    kind, known = ranker.settings.comparison, ranker.lexicon
    u, v = vector(known, q), vector(known, d)
    if kind == "dot":
        return dot(u, v) * math.sqrt(idf(known, q)) * math.sqrt(idf(known, d))
    if kind == "indicator":
        return float(q == d)
    if kind == "gaussian":
        return math.exp(-ranker.settings.gamma * sum((a - b) ** 2 for a, b in zip(u, v, strict=True)))
    return cosine(known, q, d)


def convolved(layer, maps):
    """A convolution with zeros around, then ReLU; maps as lists [channel][row][column]."""
    weight, bias = layer.weight.tolist(), layer.bias.tolist()
    rows, columns = len(maps[0]), len(maps[0][0])
    down, right = len(weight[0][0]) // 2, len(weight[0][0][0]) // 2
    found = []
    for filter_, b in zip(weight, bias, strict=True):
        one = [[0.0] * columns for _ in range(rows)]
        for i in range(rows):
            for j in range(columns):
                total = b
                for c, kernel in enumerate(filter_):
                    for di, kernel_row in enumerate(kernel):
                        for dj, w in enumerate(kernel_row):
                            y, x = i + di - down, j + dj - right
                            if 0 <= y < rows and 0 <= x < columns:
                                total += w * maps[c][y][x]
                one[i][j] = max(total, 0.0)
        found.append(one)
    return found


def matchpyramid(ranker, query, text):
    """Pang et al. 2016: interaction matrix, convolutions, dynamic pooling, dense layers."""
    settings, known = ranker.settings, ranker.lexicon
    in_query, in_text = terms(known, query), terms(known, text)
    matrix = [[compared(ranker, q, d) for d in in_text] for q in in_query]
    if settings.term_weights == "idf":
        matrix = [[idf(known, q) * x for x in row] for q, row in zip(in_query, matrix, strict=True)]
    maps = [matrix if in_text else [[0.0] for _ in in_query]]
    for layer in ranker.module.convolutions.layers:
        maps = convolved(layer, maps)
    if not in_text:  # the one empty column counts as it is, whatever the filters make of nothing
        maps = [[[0.0] for _ in in_query] for _ in maps]
    height, width = settings.pool
    columns = len(maps[0][0])
    values = []
    for one in maps:
        for r in range(height):
            if len(one) > height:
                rows = one[math.floor(r * len(one) / height) : math.ceil((r + 1) * len(one) / height)]
            else:
                rows = one[r : r + 1]
            for p in range(width):
                start, end = math.floor(p * columns / width), math.ceil((p + 1) * columns / width)
                values.append(max((max(row[start:end]) for row in rows), default=0.0))
    layers = [layer for layer in ranker.module.dense if hasattr(layer, "weight")]
    for layer in layers[:-1]:
        values = [max(value, 0.0) for value in linear(layer, values)]
    return linear(layers[-1], values)[0]
