"""`TokenPairsExplanation`: which tokens of a query matched which tokens of a document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.evaluation.base import none_for_nan
from intentx.explainers.document.explanation import DocumentExplanation
from intentx.explainers.inside.token_pairs_shown import pairs_html, pairs_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Group

__all__ = ["PairToken", "Pairing", "TokenPairsExplanation"]

Floats = npt.NDArray[np.float64]


class PairToken(NamedTuple):
    """A token of a query or of a document: ``text[start:end]``.

    Attributes
    ----------
    text
        As the model's vocabulary spells it; for rankers that read words, as it is written.
    start, end
        Characters of the text that it stands on; None for a token that stands nowhere in it, such as
        an expansion term.
    kind
        ``"text"``, or what else it is: ``"expansion"`` for a term that the ranker adds, ``"mask"`` for
        a mask that late interaction reads behind a short query.
    """

    text: str
    start: int | None
    end: int | None
    kind: str = "text"


class Pairing(NamedTuple):
    """The pairs of tokens of the query and one document.

    Attributes
    ----------
    tokens
        D tokens of the document.
    matrix
        (Q, D) what each pair adds to the score.
    parts
        What no pair adds, by its name; the values add up to the rest.
    """

    tokens: tuple[PairToken, ...]
    matrix: Floats
    parts: Mapping[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "tokens": [token._asdict() for token in self.tokens],
            "matrix": self.matrix.tolist(),
            "parts": dict(self.parts),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], rows: int) -> Pairing:
        """The inverse of `to_dict`."""
        tokens = tokens_of(plain["tokens"])
        matrix = np.array(plain["matrix"], dtype=np.float64).reshape(rows, len(tokens))
        return cls(tokens, matrix, {str(name): float(value) for name, value in plain["parts"].items()})


def tokens_of(plain: Sequence[Mapping[str, Any]]) -> tuple[PairToken, ...]:
    """Tokens from plain data."""
    found = tuple(PairToken(**one) for one in plain)
    for token in found:
        places = (token.start, token.end)
        if not isinstance(token.text, str) or not all(isinstance(p, int | None) for p in places):
            raise InputError(f"a token needs a text, and whole numbers or null as its places: {token}")
    return found


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TokenPairsExplanation(DocumentExplanation):
    """Which tokens matched: a matrix of the query's Q tokens and the document's D tokens.

    ``matrix.sum() + rest`` is the score of the document, but for ``metrics["gap"]``. Where the document
    is compared with another one, `other` holds that one's pairs; the two matrices stand side by side,
    since their columns are different tokens. The weights of `terms` then are the differences.

    Attributes
    ----------
    way
        How the matrix was made: ``"maxima"``, ``"products"``, ``"split"``, ``"integrated"``,
        ``"deeplift"`` or ``"deletion"``; see `intentx.TokenPairs`.
    query_tokens
        Q tokens of the query.
    pairs
        Those of the document: D tokens, the (Q, D) matrix, and the parts of the rest by their names.
    other
        Those of the document that it is compared with; None without one.
    """

    way: str
    query_tokens: tuple[PairToken, ...]
    pairs: Pairing = field(repr=False)
    other: Pairing | None = field(default=None, repr=False)

    FORMAT: ClassVar[str] = "intentx.token-pairs/1"

    @property
    def matrix(self) -> Floats:
        """(Q, D) what each pair of tokens adds to the score."""
        return self.pairs.matrix

    @property
    def document_tokens(self) -> tuple[PairToken, ...]:
        """D tokens of the document, with their characters in ``ranking.texts[position]``."""
        return self.pairs.tokens

    @property
    def rest(self) -> float:
        """What no pair of tokens carries, such as special tokens or a reference: see `parts`."""
        return math.fsum(self.pairs.parts.values())

    @property
    def parts(self) -> Mapping[str, float]:
        """What the `rest` consists of."""
        return self.pairs.parts

    @property
    def by_query_token(self) -> Floats:
        """(Q,) sums of the rows; of a pair, those of the document less those of the other one."""
        rows = self.matrix.sum(axis=1)
        return np.asarray(rows if self.other is None else rows - self.other.matrix.sum(axis=1))

    def strongest(self, number: int = 10) -> list[tuple[PairToken, PairToken, float]]:
        """The pairs of the largest absolute values, the first in the order of reading where they tie."""
        flat = self.matrix.ravel()
        order = np.argsort(-np.abs(flat), kind="stable")[:number]
        wide = self.matrix.shape[1]
        return [
            (self.query_tokens[i // wide], self.document_tokens[i % wide], float(flat[i]))
            for i in order.tolist()
            if flat[i]
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, documented in ``docs/json.md``."""
        return super().to_dict() | {
            "rest": none_for_nan(self.rest),
            "way": self.way,
            "query_tokens": [token._asdict() for token in self.query_tokens],
            "document_tokens": [token._asdict() for token in self.document_tokens],
            "matrix": self.matrix.tolist(),
            "parts": dict(self.parts),
            "other": None if self.other is None else self.other.to_dict(),
        }

    @classmethod
    def _parts(cls, plain: Mapping[str, Any]) -> dict[str, Any]:
        rows = tokens_of(plain["query_tokens"])
        own = {"tokens": plain["document_tokens"], "matrix": plain["matrix"], "parts": plain["parts"]}
        other = plain["other"]
        return super()._parts(plain) | {
            "way": str(plain["way"]),
            "query_tokens": rows,
            "pairs": Pairing.from_dict(own, len(rows)),
            "other": None if other is None else Pairing.from_dict(other, len(rows)),
        }

    def plot(self, ax: Axes | None = None, *, most: int = 40) -> Axes:
        """Draw the matrix, the query's tokens down and the document's across, and return the axis.

        Parameters
        ----------
        ax
            The axis of matplotlib to draw on; None: one of its own figure, made by pyplot, with links
            between the strongest pairs above the matrix.
        most
            Most columns: of a longer document, the strongest tokens in the order of the text.

        Raises
        ------
        InputError
            If ``most`` is not 1 or more, or there is no token to show.
        MissingExtraError
            Without matplotlib.
        """
        from intentx.report.pictures.pairs import pairs_axis

        return pairs_axis(self, ax, most)

    def __rich__(self) -> Group:
        from rich.console import Group

        return Group(pairs_table(self), super().__rich__())

    def _repr_html_(self) -> str:
        return pairs_html(self) + super()._repr_html_()
