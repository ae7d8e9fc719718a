"""What a scorer is, and what else it may have: one protocol for each capability.

A `Scorer` is all that is needed. The other protocols say how to spell what a ranker can do
beside scoring. ``isinstance`` holds an object against the names alone; which of its attributes count,
and what happens where it has none, is decided by `intentx.capabilities.Capabilities`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from intentx.text import Analyzer

if TYPE_CHECKING:
    import torch

__all__ = [
    "Activates",
    "Analyzes",
    "Attending",
    "AttentionMaps",
    "CallCost",
    "Costly",
    "Differentiable",
    "EmbeddedText",
    "FeatureMapped",
    "Fingerprinted",
    "Listwise",
    "Masks",
    "Prefers",
    "Remarks",
    "Scorer",
    "ScoresPairs",
    "Staged",
    "StateMarked",
    "TermWeights",
    "TokenMatched",
    "TokenMatches",
    "Truncates",
]


class Scorer(Protocol):
    """What a ranker is to intentx: one score per text, higher is better.

    What else a scorer can do, it says by further attributes, those of the protocols beside this one;
    `intentx.capabilities.Capabilities` has a table of them.
    """

    def __call__(self, query: str, texts: Sequence[str], /) -> Any: ...


@runtime_checkable
class Listwise(Scorer, Protocol):
    """A scorer that says whether the score of a text depends on the other texts, or on their order.

    Where ``listwise`` is true, its documents are never split over calls.
    """

    @property
    def listwise(self) -> bool: ...


@runtime_checkable
class Truncates(Scorer, Protocol):
    """A scorer that says how much it reads of each text."""

    def seen(self, query: str, texts: Sequence[str], /) -> Sequence[str]:
        """Each text as far as it is read, N texts; an InputError where that cannot be told."""
        ...


@runtime_checkable
class Fingerprinted(Scorer, Protocol):
    """A scorer with a text that stands for its weights and settings.

    By it scores are remembered on disk. It is read again at each call: where it has changed, what was
    remembered is forgotten. None or "" is no fingerprint.
    """

    @property
    def fingerprint(self) -> str | None: ...


@runtime_checkable
class StateMarked(Scorer, Protocol):
    """A scorer that says within a process whether it has changed, quicker than by a fingerprint."""

    def state_mark(self, *, thorough: bool = False) -> Any:
        """Any value that compares equal as long as the scores stay the same.

        It is asked at each call, and ``thorough`` for each ranking.
        """
        ...


@runtime_checkable
class Masks(Scorer, Protocol):
    """A scorer that knows a hidden word, as BERT knows ``"[MASK]"``; None or "" is no mask.

    To all others a mask is one more word, which they may match with the query.
    """

    @property
    def mask_token(self) -> str | None: ...


@runtime_checkable
class Prefers(Scorer, Protocol):
    """A scorer that can be asked about two texts directly: why one document is above another."""

    def preference(self, query: str, text_a: str, text_b: str, /) -> float:
        """The probability that ``text_a`` is better for the query than ``text_b``."""
        ...


@runtime_checkable
class Staged(Scorer, Protocol):
    """A ranker that can tell its stages apart, as `intentx.Pipeline` and `intentx.Fusion` do."""

    def stages(self, query: str, texts: Sequence[str], /) -> Sequence[Any]:
        """What each stage made of the texts: `intentx.rankers.stage_scores.StageScores`."""
        ...


@runtime_checkable
class Remarks(Scorer, Protocol):
    """A scorer with something to say about its answers so far: explanations note it."""

    @property
    def remarks(self) -> Sequence[str]:
        """Sentences."""
        ...


@dataclass(frozen=True)
class CallCost:
    """What it costs to ask a ranker of dear calls, such as a language model.

    Attributes
    ----------
    most_calls
        Most calls that one explanation may make; what would need more is refused before it is asked.
    window
        Texts that one call can rank: an edited document is then asked about beside so many others,
        and not in the whole list; None: whole lists are asked.
    calls_for
        Calls that a list of so many texts costs, at most.
    in_words
        What so many calls about such texts cost, such as ``"about 20,000 tokens"``.
    """

    most_calls: int
    window: int | None
    calls_for: Callable[[int], int]
    in_words: Callable[[Sequence[str], int], str]


@runtime_checkable
class Costly(Scorer, Protocol):
    """A scorer that is asked by dear calls: explanations of its rankings keep to a limit."""

    @property
    def cost(self) -> CallCost | None:
        """None: it costs nothing to speak of."""
        ...


@runtime_checkable
class Analyzes(Scorer, Protocol):
    """A scorer that makes terms of texts by an `Analyzer`; its rankings are explained in those terms."""

    @property
    def analyzer(self) -> Analyzer: ...


@runtime_checkable
class Activates(Scorer, Protocol):
    """A scorer that can make something else of its raw scores, to be shown beside them."""

    def activated(self, scores: npt.ArrayLike, /) -> tuple[str, npt.ArrayLike] | None:
        """The name of a function, such as ``"sigmoid"``, and its (N,) values; or None."""
        ...


@runtime_checkable
class TermWeights(Scorer, Protocol):
    """A scorer that knows which terms it looks for. Studies hold explanations against them."""

    def term_weights(self, query: str, /) -> Mapping[str, float]:
        """Finite weights by term; what it looks for has one above 0."""
        ...


@dataclass(frozen=True, eq=False)
class EmbeddedText:
    """One document for one query, as a model sees it at its embedding layer.

    Attributes
    ----------
    query, text
        What was embedded.
    vectors
        (L, D) rows of the embedding layer for the document's pieces: without special tokens,
        without the query, and without what the model cuts off. Detached.
    spans
        (L, 2) start and end of each piece in ``text``.
    words
        (L,) number of the word that each piece belongs to, from 0; the pieces of one word share it.
    pieces
        L pieces as the model's vocabulary spells them.
    """

    query: str
    text: str
    vectors: torch.Tensor = field(repr=False)
    spans: npt.NDArray[np.intp] = field(repr=False)
    words: npt.NDArray[np.intp] = field(repr=False)
    pieces: tuple[str, ...] = field(repr=False)


@runtime_checkable
class Differentiable(Protocol):
    """A scorer that gradients can be taken of.

    Gradients are the caller's: ``torch.autograd.grad(scorer.score_embedded(e, v).sum(), v)`` with a
    ``v`` that requires them. Parameters of the model take no part, so that it has no gradients
    afterwards that it did not have before.

    It may also have ``batch_size``, the most versions of a document in one pass. A scorer without
    gradients may say why, by a text ``no_gradients``, for the message to a user who asks for them.

    Attributes
    ----------
    module
        The model, on whose submodules hooks may be put. What they see last is the document.
    """

    @property
    def module(self) -> torch.nn.Module: ...

    def __call__(self, query: str, texts: Any, /) -> Any: ...

    def embed(self, query: str, text: str) -> EmbeddedText:
        """``text`` at the embedding layer."""
        ...

    def score_embedded(self, embedded: EmbeddedText, vectors: torch.Tensor) -> torch.Tensor:
        """Scores (B,) of ``vectors`` (B, L, D) in place of the document's, differentiable in them.

        ``score_embedded(e, e.vectors[None])`` is the scorer's own score of ``e.text``.
        """
        ...


@runtime_checkable
class FeatureMapped(Scorer, Protocol):
    """A scorer with feature maps over query terms and document terms, as a MatchPyramid has."""

    def feature_maps(self, query: str, text: str) -> Any:
        """The last feature maps of ``text`` for ``query``, and their gradients."""
        ...


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """What a transformer attends to while it reads one text.

    Attributes
    ----------
    weights
        (layers, heads, T, T): row t is what token t attends to. Of an encoder and decoder,
        (layers, heads, 1, T) of the decoder's layers: the cross attention of its first position.
    places
        (L,) places among the T tokens of the document's pieces.
    spans
        (L, 2) start and end of each piece in the text.
    query_places
        Places of the query's pieces; empty where the model reads the document alone.
    read_from
        (T,) how much of the score is read off each token of the last layer, 1 in all: the first one of
        a cross-encoder, the pooling's weights of a bi-encoder, the last one of a language model. Of an
        encoder and decoder (1,).
    encoder
        (layers, heads, T, T) of the encoder that ``weights`` look at; None where there is none, or its
        tokens attend to windows.
    """

    weights: npt.NDArray[np.float64] = field(repr=False)
    places: npt.NDArray[np.intp] = field(repr=False)
    spans: npt.NDArray[np.intp] = field(repr=False)
    query_places: npt.NDArray[np.intp] = field(repr=False)
    read_from: npt.NDArray[np.float64] = field(repr=False)
    encoder: npt.NDArray[np.float64] | None = field(default=None, repr=False)


@runtime_checkable
class Attending(Scorer, Protocol):
    """A transformer that shows its attention."""

    def attentions(self, query: str, text: str, /) -> AttentionMaps:
        """What it attends to in ``text``."""
        ...


@dataclass(frozen=True, eq=False)
class TokenMatches:
    """A score as a sum over pairs of a query token and a document token.

    Attributes
    ----------
    query_tokens, document_tokens
        Q and D tokens: text, start and end in the text or None, and what it is: ``"text"``,
        ``"expansion"`` or ``"mask"``.
    matrix
        (Q, D) what each pair adds to the score.
    parts
        What no pair adds, by its name.
    way
        ``"maxima"`` or ``"products"``: how the ranker comes to the sum.
    """

    query_tokens: Sequence[tuple[str, int | None, int | None, str]]
    document_tokens: Sequence[tuple[str, int | None, int | None, str]]
    matrix: npt.ArrayLike = field(repr=False)
    parts: Mapping[str, float] = field(default_factory=dict)
    way: str = "maxima"


@runtime_checkable
class ScoresPairs(Scorer, Protocol):
    """A scorer that takes texts for different queries in one call, as for searches of several people."""

    def score_pairs(self, queries: Sequence[str], texts: Sequence[str], /) -> Any:
        """(N,) scores, of each text for the query at its place."""
        ...


@runtime_checkable
class TokenMatched(Scorer, Protocol):
    """A scorer whose score is a sum over pairs of tokens, as late interaction's."""

    def token_matches(self, query: str, text: str, /) -> TokenMatches:
        """What each pair of tokens adds to the score of ``text``."""
        ...
