"""`Attention`: what a transformer attends to, beside what its words do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from intentx.capabilities import AttentionMaps
from intentx.errors import InputError, MissingExtraError
from intentx.explainers.base import Question
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.attention_explanation import AttentionExplanation
from intentx.explainers.inside.embedding_layer import on_words

__all__ = ["Attention", "How"]

Floats = npt.NDArray[np.float64]
How = Literal["last", "mean", "rollout"]
Place = Annotated[int, msgspec.Meta(ge=0)]

DIGITS = 6  # of the grid


@dataclass(frozen=True, kw_only=True)
class Attention(DocumentMethod):
    """How much of a transformer's attention falls on each word of a document.

    The row that counts is that of the token which the score is read off: the first one of a
    cross-encoder, the mean of all of an encoder that averages its tokens, and of an encoder and decoder
    the cross attention of the decoder's first position on the encoder's tokens. A word has the sum of
    its pieces, a term that of its occurrences; the rest is on special tokens, and on the query where the
    model reads it beside the document. Weights are 0 or more, and say nothing of the direction, nor
    that a word matters: `DeepSHAP` and `KernelSHAP` ask that, and docs/attention.md holds the one
    against the other.

    While the model is looked at, it computes attention step by step (eager); afterwards it is as it was.

    Parameters
    ----------
    how
        ``"last"``: the last layer. ``"mean"``: the mean over layers. ``"rollout"``: the product of the
        layers, each half attention and half the identity for the residual connection (Abnar & Zuidema,
        ACL 2020, "Quantifying Attention Flow in Transformers", section 3). Of an encoder and decoder
        the mean over the decoder's layers of the cross attention, times the rollout of the encoder, as
        relevance is passed on by Chefer, Gur & Wolf (ICCV 2021, "Generic Attention-model Explainability
        for Interpreting Bi-Modal and Encoder-Decoder Transformers", rule 10), here without gradients.
    layer
        That layer, from 0, in the place of the last; of a rollout, the layers up to it. None: all. Of
        an encoder and decoder, layers of the decoder.
    head
        That head, from 0, of each layer; None: the mean of all heads. Of a rollout of an encoder and
        decoder, of each layer of both.
    grid
        Whether the answer has what each head of each layer attends to, too; of an encoder and decoder,
        each head of the decoder's layers.

    Raises
    ------
    InputError
        On explaining: if the ranker shows no attention, or has no such layer or head; for a rollout, if
        an encoder's tokens attend to windows.
    """

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document")

    how: How = "last"
    layer: Place | None = None
    head: Place | None = None
    grid: bool = False

    def _check(self) -> None:
        super()._check()
        if self.how == "mean" and self.layer is not None:
            raise InputError(
                f"how='mean' is the mean over layers, and layer={self.layer} names one: leave one out"
            )

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        can = subject.ranking.black_box(f"an explanation by {self.name}").can
        if can.attentions is None:
            raise InputError(
                f"{self.name} looks at the attention of a transformer, and {can.name} shows none; "
                "KernelSHAP and EXS explain any ranker by its scores"
            )
        try:
            with subject.looking_inside(1):
                maps = can.attentions(subject.ranking.query, subject.text)
        except ImportError as error:
            raise MissingExtraError("torch", "neural") from error
        attended = self._attended(maps)
        words = on_words(maps.spans, subject)
        occurrences = [0.0] * len(subject.tokens)
        for place, word in zip(maps.places.tolist(), words.tolist(), strict=True):
            if word >= 0:
                occurrences[word] += float(attended[place])
        weights = dict.fromkeys(subject.terms, 0.0)
        for token, value in zip(subject.tokens, occurrences, strict=True):
            weights[token.term] += value
        on_query = float(attended[maps.query_places].sum())
        if not len(maps.query_places):
            subject.notes.append(
                "the model reads the document alone: what it attends to is the same for every query"
            )
        metrics = {
            "score": subject.score,
            "on_document": float(attended[maps.places].sum()),
            "on_query": on_query,
            "rest": math.fsum([float(attended.sum()), *(-value for value in occurrences)]),
        }
        return subject.explanation(
            weights,
            settings=self.settings(),
            metrics=metrics,
            occurrences=occurrences,
            unit=1.0,
            kind=AttentionExplanation,
            grid=_grid(maps, words, len(subject.tokens)) if self.grid else None,
        )

    def _attended(self, maps: AttentionMaps) -> Floats:
        """(T,) the share of each token."""
        layers, _, rows, tokens = maps.weights.shape
        owner = "model" if rows == tokens else "decoder"
        _check_number("layer", self.layer, layers, owner)
        by_layer = self._by_layer(maps.weights, owner)
        last = layers - 1 if self.layer is None else self.layer
        if self.how == "mean":
            chosen = by_layer.mean(axis=0)
        elif self.how == "last":
            chosen = by_layer[last]
        elif maps.encoder is not None:
            chosen = by_layer[: last + 1].mean(axis=0) @ rollout(self._by_layer(maps.encoder, "encoder"))
        elif rows == tokens:
            chosen = rollout(by_layer[: last + 1])
        else:
            raise InputError(
                "how='rollout' needs what each token of the encoder attends to among all others, and "
                "the model does not show that; how='last' and how='mean' are of its decoder alone"
            )
        return np.asarray(maps.read_from @ chosen)

    def _by_layer(self, weights: Floats, owner: str) -> Floats:
        """(layers, R, T) of (layers, heads, R, T)."""
        _check_number("head", self.head, weights.shape[1], owner)
        return np.asarray(weights.mean(axis=1) if self.head is None else weights[:, self.head])


def _check_number(name: str, given: int | None, number: int, owner: str) -> None:
    if given is not None and given >= number:
        raise InputError(
            f"{name}={given} is not there: the {owner} has {number} of them, from 0 to {number - 1}"
        )


def rollout(by_layer: Floats) -> Floats:
    """(T, T) the product of (layers, T, T), each half of itself and half of the identity.

    >>> half = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    >>> rollout(half).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    found = np.eye(by_layer.shape[-1])
    for one in by_layer:
        mixed = (one + np.eye(len(one))) / 2
        found = mixed / mixed.sum(axis=-1, keepdims=True) @ found
    return found


def _grid(maps: AttentionMaps, words: npt.NDArray[np.intp], number: int) -> Floats:
    """(layers, heads, L) what each head attends to on each word."""
    by_head = np.einsum("t,lhts->lhs", maps.read_from, maps.weights)[:, :, maps.places]
    found = np.zeros((*by_head.shape[:2], number))
    for piece, word in enumerate(words.tolist()):
        if word >= 0:
            found[:, :, word] += by_head[:, :, piece]
    return np.asarray(found.round(DIGITS))
