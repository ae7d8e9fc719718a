"""`TokenPairs`: which tokens of a query matched which tokens of a document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.capabilities import TokenMatches
from intentx.checks import Size
from intentx.errors import InputError, MissingExtraError
from intentx.explainers.base import Question
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.document.method import DocumentMethod
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.completeness import NOTHING, ROUNDING, SAID
from intentx.explainers.inside.embedding_layer import Model, on_words
from intentx.explainers.inside.pairs_by_deletion import by_deletion
from intentx.explainers.inside.token_pairs_explanation import (
    Pairing,
    PairToken,
    TokenPairsExplanation,
)

__all__ = ["TokenPairs", "Way"]

Floats = npt.NDArray[np.float64]
Way = Literal["auto", "split", "integrated", "deletion"]

BATCH = 32

# Measured by benchmarks/token_pairs.py on MiniLM, 5 queries of TREC DL'19; see docs/token-pairs.md.
NO_DELETION = (
    "the matrix shows where the score comes from, and not what deleting a word does to it: measured on "
    "MiniLM, sums of columns go with the fall of the score without the word by a Spearman correlation "
    "of {columns}, and those of method='deletion' (token-pairs-deletion) by .64 "
    "(benchmarks/results/token_pairs.md)"
)
COLUMNS = {"split": ".37", "integrated": ".11"}


class _Seen(NamedTuple):
    """The pairs of one document, and what was made of them."""

    way: str
    query: tuple[PairToken, ...]
    pairs: Pairing
    occurrences: list[float]
    gap: float
    promised: bool  # whether the cells and the rest should add up

    @property
    def terms(self) -> float:
        """The size of the largest term of the sum; the sum itself can be far smaller."""
        return max(abs(float(one)) for one in (self.pairs.matrix.sum(), *self.pairs.parts.values()))


@dataclass(frozen=True, kw_only=True)
class TokenPairs(DocumentMethod):
    """Which tokens of the query matched which of the document: a matrix that adds up to the score.

    The answer is a `TokenPairsExplanation`. Its cells and its `rest` add up to the score of the
    document, but for the metric ``gap``; a word of the document weighs the sum of its columns. Compared
    with another document (``above``), both matrices stand side by side: they have the query's tokens in
    common and not their columns. Words then weigh the difference.

    Parameters
    ----------
    method
        ``"auto"``: exact, where the ranker is a sum over pairs. Late interaction is one, by the maxima,
        and learned sparse rankers, by the products of weights; and so are encoders that average their
        tokens (``"split"``). For other encoders ``"integrated"``; for KNRM and MatchPyramid, DeepLIFT on
        the matrix of similarities.

        ``"split"``: of an encoder, each cell is the dot product of two of the last layer's vectors, with
        the weights of the pooling, over the lengths of both pooled vectors. Exact; the vectors know
        their neighbours, so that a token's cells hold something of these, too. Special tokens are part
        of the rest.

        ``"integrated"``: of an encoder, integrated Jacobians (Möller, Nikolaev & Padó, EMNLP 2023):
        second-order attributions from the embedding layer, compared with texts of as many empty tokens
        (zero vectors, or the mean vector where zeros break the model). What stays of these references
        is the rest, and it can be large.

        ``"deletion"``: of any ranker, ``R(q, d) - R(q\\i, d) - R(q, d\\j) + R(q\\i, d\\j)``, words being
        the tokens. It says what deleting does, and promises no sum: the rest is all else.
    steps
        Points on the way from the reference, for ``"integrated"``; None: from 14 to 96, until either
        text's miss is at most .05 % of what both change. Their weights are then adjusted so that
        the cells and the rest add up to the score, unless more than 1 % is missing.
    batch_size
        Versions in one pass, for ``"integrated"``; None: the ranker's own, or 32.

    Raises
    ------
    InputError
        On explaining: if the ranker is none of these, as a cross-encoder; ``"deletion"`` works for all
        that can be asked for scores.

    Examples
    --------
    >>> import intentx as ix
    >>> score = lambda query, texts: [sum(t.count(w) for w in query.split()) for t in texts]
    >>> ranking = ix.rank(score, "stage piano", ["a piano for the stage", "a desk"])
    >>> found = ix.TokenPairs(method="deletion").explain(ranking, 0)
    >>> [(one.text, other.text, value) for one, other, value in found.strongest()]
    [('stage', 'stage', 1.0), ('piano', 'piano', 1.0)]
    """

    questions: ClassVar[tuple[Question, ...]] = ("ranking", "document", "pair")

    method: Way = "auto"
    steps: Size | None = None
    batch_size: Size | None = None

    def _weigh(self, subject: Subject, other: Subject | None) -> DocumentExplanation:
        own = self._seen(subject)
        its = None if other is None else self._seen(other)
        weights = dict.fromkeys(subject.terms, 0.0)
        if other is not None:
            weights = dict.fromkeys(sorted({*subject.terms, *other.terms}), 0.0)
            subject.joined(other)
        for sign, one, seen in ((1, subject, own), (-1, other, its)):
            for token, value in zip(one.tokens, seen.occurrences, strict=True) if one and seen else ():
                weights[token.term] += sign * value
        metrics = self._judged(subject, own, other, its)
        return subject.explanation(
            weights,
            settings=self.settings() | {"method_used": own.way},
            metrics=metrics,
            occurrences=own.occurrences,
            above=None if other is None else other.position,
            kind=TokenPairsExplanation,
            way=own.way,
            query_tokens=own.query,
            pairs=own.pairs,
            other=None if its is None else its.pairs,
        )

    def _seen(self, subject: Subject) -> _Seen:
        way, query, pairs = self._paired(subject)
        if not np.isfinite(pairs.matrix).all():
            raise InputError(f"the token pairs of document {subject.doc_id!r} are no finite numbers")
        columns = pairs.matrix.sum(axis=0)
        placed = [i for i, token in enumerate(pairs.tokens) if token.start is not None]
        spans = np.array(
            [[pairs.tokens[i].start, pairs.tokens[i].end] for i in placed], dtype=np.intp
        ).reshape(-1, 2)
        words = on_words(spans - subject.start, subject)
        occurrences: list[list[float]] = [[] for _ in subject.tokens]
        for column, word in zip(placed, words.tolist(), strict=True):
            if word >= 0:
                occurrences[word].append(float(columns[column]))
        gap = math.fsum([*pairs.matrix.ravel().tolist(), *pairs.parts.values(), -subject.score])
        sums = [math.fsum(values) for values in occurrences]
        return _Seen(way, query, pairs, sums, gap, way != "deletion")

    def _paired(self, subject: Subject) -> tuple[str, tuple[PairToken, ...], Pairing]:
        """The pairs by the way that the ranker and the setting leave."""
        can = subject.ranking.black_box("token pairs").can
        if self.method == "deletion":
            return ("deletion", *by_deletion(subject))
        if self.method == "auto" and (matched := can.token_matches) is not None:
            with subject.looking_inside(1):
                found = matched(subject.ranking.query, subject.text)
            return _of_matches(subject, found)
        if can.interacting is not None and self.method == "auto":
            from intentx.explainers.inside.pairs_of_terms import by_interactions

            return ("deeplift", *by_interactions(subject, can.interacting))
        if can.at_side is not None:
            return self._of_encoder(subject, can.at_side)
        ways = "encoders of two sides"
        if self.method == "auto":
            sums = "sums over pairs (late interaction, learned sparse rankers)"
            ways = f"{sums}, {ways}, KNRM and MatchPyramid"
        deletion = (
            "TokenPairs(method='deletion'), on the command line token-pairs-deletion, asks for scores"
        )
        exact = ""
        if can.token_matches is not None or can.interacting is not None:
            exact = "TokenPairs(), on the command line token-pairs, tells its pairs; "
        hint = "" if can.listwise else f"{deletion}; "
        raise InputError(
            f"TokenPairs(method={self.method!r}) looks into {ways}; {can.name} is none of "
            f"them: {exact}{hint}KernelSHAP, and where there are gradients DeepLIFT, weigh the words "
            "of the document"
        )

    def _of_encoder(self, subject: Subject, at_side: Any) -> tuple[str, tuple[PairToken, ...], Pairing]:
        try:
            from intentx.explainers.inside.pairs_of_vectors import by_integrals, by_split

            query = at_side(subject.ranking.query, "query")
            document = at_side(subject.text, "document")
        except ImportError as error:
            raise MissingExtraError("torch", "neural") from error
        if self.method != "integrated":
            try:
                return ("split", *by_split(subject, query, document))
            except InputError as error:
                if self.method == "split":
                    raise
                subject.notes.append(str(error))
        size = self.batch_size or subject.ranking.can.batch_size or BATCH
        average = Model(subject, size).breaks_at_zero()
        if average:
            subject.notes.append(
                "the references are texts of average tokens: the score of this ranker breaks down at "
                "zero vectors"
            )
        found = by_integrals(subject, query, document, self.steps, size, average=average)
        return ("integrated", *found)

    def _judged(
        self, subject: Subject, own: _Seen, other: Subject | None, its: _Seen | None
    ) -> dict[str, float]:
        """The scores and the gap; a wide one becomes the first thing that is said."""
        metrics = {"score": subject.score}
        difference, size = subject.score, abs(subject.score)
        gap, rest = own.gap, _wordless(own)
        terms = max(own.terms, (its or own).terms)
        if other is not None and its is not None:
            metrics["other_score"] = other.score
            difference, size = subject.score - other.score, max(size, abs(other.score))
            gap, rest = own.gap - its.gap, rest - _wordless(its)
        relative = (
            abs(gap) / abs(difference) if abs(difference) > NOTHING * max(size, terms) else math.nan
        )
        if not own.promised:
            gap, relative = 0.0, math.nan
            subject.notes.append(
                "pairs by deletion promise no sum: the rest is what no pair carries, such as what one "
                "word does whatever the other"
            )
        else:
            if own.way in COLUMNS:
                subject.notes.append(NO_DELETION.format(columns=COLUMNS[own.way]))
            rounding = max(ROUNDING * size, NOTHING * terms)  # a small score is what large terms leave
            if abs(gap) > rounding and not relative <= SAID:
                more = "; more steps make it smaller" if own.way == "integrated" else ""
                subject.cautions.append(
                    f"the pairs and the rest miss the score by {abs(gap):.3g}, {relative:.1%} of it"
                    f"{more}"
                )
        return metrics | {"gap": gap, "relative_gap": relative, "rest": rest}


def _wordless(seen: _Seen) -> float:
    """What no word carries: the rest, and the columns of tokens that stand on no word."""
    total = [*seen.pairs.matrix.ravel().tolist(), *seen.pairs.parts.values()]
    return math.fsum([*total, *(-value for value in seen.occurrences)])


def _of_matches(subject: Subject, found: TokenMatches) -> tuple[str, tuple[PairToken, ...], Pairing]:
    """What a ranker itself says of its matches, its spans moved into the document."""
    moved = [
        one if one[1] is None or one[2] is None
        else (one[0], one[1] + subject.start, one[2] + subject.start, one[3])
        for one in found.document_tokens
    ]  # fmt: skip
    matrix = np.asarray(found.matrix, dtype=np.float64)
    shape = (len(found.query_tokens), len(found.document_tokens))
    if matrix.shape != shape:
        raise InputError(
            f"token_matches of {subject.ranking.can.name} must give a matrix of shape {shape}, one cell "
            f"for each pair of its tokens, not {matrix.shape}"
        )
    pairs = Pairing(_tokens(moved), matrix, dict(found.parts))
    return found.way, _tokens(found.query_tokens), pairs


def _tokens(given: Sequence[tuple[str, int | None, int | None, str]]) -> tuple[PairToken, ...]:
    return tuple(PairToken(*one) for one in given)
