"""Small rankers over word pieces whose every number is at hand, to take gradients of."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import intentx as ix
from intentx.capabilities import EmbeddedText
from intentx.explainers.inside.gradients import (
    DeepLIFT,
    DeepSHAP,
    GradientInput,
    IntegratedGradients,
    Saliency,
)
from intentx.rankers.transformers.models import undisturbed
from intentx.text import Analyzer

PIECE = 3  # characters of a piece at most


def pieces_of(text):
    """Spans of pieces of three characters of every word or sign, and the number of the word."""
    spans, words = [], []
    every = Analyzer(stopwords=frozenset())
    for number, token in enumerate(every.tokens(text)):
        for start in range(token.start, token.end, PIECE):
            spans.append((start, min(start + PIECE, token.end)))
            words.append(number)
    return spans, words


def vector_of(piece, dimensions):
    generator = np.random.default_rng([*piece.lower().encode()])
    return torch.tensor(generator.normal(size=dimensions))


class Toy:
    """A ranker that is a module: (B, L, D) vectors in, (B,) scores out; blind to the query."""

    def __init__(self, module, dimensions=4):
        self.module, self.dimensions = module.double(), dimensions

    def __call__(self, query, texts):
        embedded = [self.embed(query, text) for text in texts]
        with torch.no_grad():
            return [float(self.score_embedded(e, e.vectors[None])[0]) for e in embedded]

    def embed(self, query, text):
        spans, words = pieces_of(text)
        named = tuple(text[start:end] for start, end in spans)
        vectors = [vector_of(piece, self.dimensions) for piece in named]
        stacked = torch.stack(vectors) if vectors else torch.zeros(0, self.dimensions).double()
        return EmbeddedText(
            query, text, stacked, np.array(spans, dtype=np.intp).reshape(-1, 2), np.array(words), named
        )

    def score_embedded(self, embedded, vectors):
        with undisturbed(self.module):
            return self.module(vectors)


class Mean(nn.Module):
    """Layers over the mean vector of a text, so that texts of all lengths can be read."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, vectors):
        return self.layers(vectors.sum(dim=1) / 3)[:, 0]


class Of(nn.Module):
    """A function as a module, with a weight beside it so that there are parameters."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, vectors):
        return self.weight * self.function(vectors)


def seeded(make, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def perceptron(dimensions=4):
    return seeded(
        lambda: Toy(
            Mean(nn.Linear(dimensions, 7), nn.ReLU(), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 1)),
            dimensions,
        )
    )


def smooth(dimensions=4):
    return seeded(
        lambda: Toy(
            Mean(nn.Linear(dimensions, 7), nn.LayerNorm(7), nn.GELU(), nn.Linear(7, 1)), dimensions
        )
    )


DOCS = {
    "a": "The stage piano: a piano with weighted keys, and pedals!",
    "b": "Laptop typing, quiet switches.",
    "c": "A stool.",
    "d": "Of the and",
    "e": "",
    "f": "Piano",
}
METHODS = [Saliency(), GradientInput(), IntegratedGradients(steps=8), DeepLIFT(), DeepSHAP(number=2)]
each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
COMPLETE = [
    DeepLIFT(),
    DeepLIFT(reference="collection"),
    DeepSHAP(number=3),
    DeepSHAP(number=3, batch_size=2),
    DeepSHAP(reference="idf", number=2, collection=["cable and case", "case or lamp"]),
    DeepSHAP(reference="topk"),
    DeepSHAP(reference="oov"),
    DeepLIFT(reference="ql"),
]
each_complete = pytest.mark.parametrize(
    "method", COMPLETE, ids=lambda m: f"{m.name} {m.reference} {m.batch_size}"
)


def total(explanation):
    return math.fsum(explanation.weights) + explanation.metrics["rest"]


def change(explanation):
    return explanation.metrics["score"] - explanation.metrics["reference"]


def by_words(ranking, values, text, method=sum):
    """What the attributions (L,) of pieces come to: slow and obvious."""
    tokens = ix.Analyzer(stopwords=frozenset()).tokens(text)
    spans = ranking.scorer.scorer.embed(ranking.query, text).spans
    found = []
    for token in tokens:
        inside = [
            float(value)
            for value, (start, end) in zip(values, spans, strict=True)
            if token.start <= start and end <= token.end
        ]
        found.append((token.term, token.start, token.end, method(inside)))
    return found
