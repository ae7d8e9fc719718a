"""Token pairs of dual encoders: the pooled dot product split exactly, or integrated Jacobians."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.quadrature import NUMBERS, KnownSum, nodes_and_weights
from intentx.explainers.inside.token_pairs_explanation import Pairing, PairToken

if TYPE_CHECKING:
    import torch

    from intentx.rankers.transformers.sides import SideText

__all__ = ["Paired", "by_integrals", "by_split", "tokens_on"]

Floats = npt.NDArray[np.float64]
Paired = tuple[tuple[PairToken, ...], Pairing]


def tokens_on(side: SideText, start: int = 0) -> tuple[PairToken, ...]:
    """The tokens of a text, their spans moved by ``start``."""
    reading = side.reading
    return tuple(
        PairToken(piece, start + a, start + b)
        for piece, (a, b) in zip(reading.pieces, reading.spans.tolist(), strict=True)
    )


def by_split(subject: Subject, query: SideText, document: SideText) -> Paired:
    """Each cell the dot product of two tokens' terms of the pooled vectors, over both lengths."""
    with subject.looking_inside(2):
        own, its = query.contributions(), document.contributions()
    matrix = np.asarray((own.tokens @ its.tokens.T).numpy(), dtype=np.float64)
    parts = {
        "special tokens of the query × the document": float(own.others @ its.tokens.sum(dim=0)),
        "the query × special tokens of the document": float(own.tokens.sum(dim=0) @ its.others),
        "special tokens × special tokens": float(own.others @ its.others),
    }
    return tokens_on(query), Pairing(tokens_on(document, subject.start), matrix, parts)


def by_integrals(
    subject: Subject,
    query: SideText,
    document: SideText,
    steps: int | None,
    batch_size: int,
    *,
    average: bool = False,
) -> Paired:
    """Integrated Jacobians (Möller, Nikolaev & Padó, EMNLP 2023, equation 7).

    A cell is ``Δq_iᵀ J̄ᵀ J̄ Δd_j``: the mean Jacobian of the query's vector along the way from the
    reference, times that of the document's. Of the query there is a directional derivative for each
    of its tokens, of the document a gradient for each of the query's. The reference of a text has zeros
    in the place of each token, or, by ``average``, the mean vector of the vocabulary; special tokens
    stay.

    Without ``steps`` there are as many nodes as it takes: what all tokens of a text change together is
    known exactly, and one derivative for each node says how far the sum over nodes misses it. What is
    then missing, a small change of the nodes' weights makes up for (`quadrature.adding_up`), so that the
    cells add up whatever the size of the score.
    """
    import torch

    if not len(query.reading.places) or not len(document.reading.places):
        raise InputError(
            f"the model reads no token of {'the query' if not len(query.reading.places) else 'it'}: "
            "there are no pairs to look at"
        )
    ends = []
    for side in (query, document):
        rows = side.rows
        with torch.no_grad(), subject.looking_inside(2):
            both = torch.stack([rows, _reference(side, average)])
            ends.append(side.vectors(both).cpu().double().numpy())
    (of_query, none_of_query), (of_document, none_of_document) = ends
    moved, its_moved = of_query - none_of_query, of_document - none_of_document
    known = KnownSum(float(moved @ its_moved), float(np.linalg.norm(moved) * np.linalg.norm(its_moved)))
    numbers = NUMBERS if steps is None else (steps,)
    way = _Way(subject, query, average, batch_size)
    for number in numbers[:-1]:
        if known.is_met(way.of_tokens(number, together=True)[:, 0] @ its_moved):
            break
    else:
        number = numbers[-1]
    changes = way.of_tokens(number)
    along = changes.sum(axis=1) @ its_moved
    own, own_miss = known.integral(changes, along), known.missed(along)
    way = _Way(subject, document, average, batch_size)
    for its_number in numbers[:-1]:
        if known.is_met(way.in_directions(moved[None], its_number).sum(axis=(1, 2))):
            break
    else:
        its_number = numbers[-1]
    changes = way.in_directions(own, its_number)
    along = changes.sum(axis=(1, 2))
    matrix = known.integral(changes, along)
    _tell(subject, number, its_number, max(own_miss, known.missed(along)))
    empty = "average tokens" if average else "empty tokens"
    parts = {
        f"the query × a document of {empty}": float(of_query @ none_of_document),
        f"a query of {empty} × the document": float(none_of_query @ of_document),
        f"less {empty} × {empty}": -float(none_of_query @ none_of_document),
    }
    return tokens_on(query), Pairing(tokens_on(document, subject.start), matrix, parts)


def _tell(subject: Subject, number: int, its_number: int, missed: float) -> None:
    """How many nodes there were for each side, and what the sum over them missed at most."""
    adjusted = KnownSum.is_adjusted(missed)
    if not adjusted:
        subject.cautions.append(
            f"the cells miss {missed:.1%} of what both texts change: {number} points are too few for "
            f"the query, or {its_number} for the document"
        )
    before = " before the points' weights were adjusted to the score" if adjusted else ""
    subject.notes.append(
        f"integrated over {number} points for the query, {its_number} for the document; the cells "
        f"missed {missed:.2%} of what both texts change{before}"
    )


def _reference(side: SideText, average: bool) -> torch.Tensor:
    """(L, D) what a text is compared with."""
    import torch

    rows = side.rows
    return side.average.expand_as(rows) if average else torch.zeros_like(rows)


class _Way:
    """A text on its way from the reference, and what its vector changes there.

    The vectors at the nodes are kept for the next question about as many of them, where they are one
    batch.
    """

    def __init__(self, subject: Subject, side: SideText, average: bool, batch_size: int) -> None:
        self.subject, self.side, self.batch_size = subject, side, batch_size
        self.rows = side.rows
        self.reference = _reference(side, average)
        self.away = (self.rows - self.reference).detach()
        self._kept: tuple[int, torch.Tensor, torch.Tensor] | None = None

    def of_tokens(self, steps: int, *, together: bool = False) -> Floats:
        """(S, L, E) what the vector changes with each token, at each node; (S, 1, E) with all together.

        A derivative along a token is that of a gradient by the direction that it was taken in: so the
        model is passed once for all tokens, and not once for each.
        """
        import torch

        number = 1 if together else len(self.rows)

        def found(versions: torch.Tensor, vectors: torch.Tensor) -> Floats:
            direction = torch.zeros_like(vectors).requires_grad_()
            [slopes] = torch.autograd.grad(vectors, versions, direction, create_graph=True)
            along = (slopes * self.away).sum(dim=2)
            along = along.sum(dim=1, keepdim=True) if together else along
            changes = [_gradient(along[:, token], direction) for token in range(number)]
            return np.asarray(torch.stack(changes, dim=1).cpu().double().numpy())

        with _twice_differentiable():
            return self._at_nodes(steps, number, found)

    def in_directions(self, directions: Floats, steps: int) -> Floats:
        """(S, K, L) what each token changes in K directions (K, E), at each node."""
        import torch

        away = self.away.cpu().double()

        def found(versions: torch.Tensor, vectors: torch.Tensor) -> Floats:
            along = vectors @ torch.from_numpy(directions).to(vectors.device, vectors.dtype).T
            some = np.empty((len(versions), len(directions), len(self.rows)))
            for line in range(len(directions)):
                slopes = _gradient(along[:, line], versions)
                some[:, line] = (slopes.cpu().double() * away).sum(dim=2).numpy()
            return some

        return self._at_nodes(steps, len(directions), found)

    def _at_nodes(
        self, steps: int, each: int, found: Callable[[torch.Tensor, torch.Tensor], Floats]
    ) -> Floats:
        """(S, …) what is found with the embeddings at the nodes and the vectors that they make.

        ``each`` node is differentiated so many times.
        """
        import torch

        from intentx.rankers.transformers.memory import Room

        places, _ = nodes_and_weights(steps)

        def ask(part: slice) -> Floats:
            with self.subject.looking_inside(len(places[part]) * each):
                return found(*self._passed(places[part], steps))

        with torch.inference_mode(False), torch.enable_grad():
            widths = [len(self.side.reading.ids)] * steps
            parts = Room(self.batch_size).parts(steps, ask, self.rows.device, widths)
            return np.concatenate([some for _, some in parts])

    def _passed(self, places: Floats, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The embeddings at some nodes, and the vectors that the model makes of them."""
        import torch

        whole = len(places) == steps
        if whole and self._kept is not None and self._kept[0] == steps:
            return self._kept[1:]
        self._kept = None  # its memory may be needed
        at = torch.tensor(places, dtype=self.rows.dtype, device=self.rows.device)
        versions = torch.lerp(self.reference, self.rows, at[:, None, None]).detach().requires_grad_()
        vectors = self.side.vectors(versions)
        if whole:
            self._kept = steps, versions, vectors
        return versions, vectors


def _gradient(along: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    """Of (B,) sums, each of a row of its own, the gradient by (B, …); the graph stays."""
    import torch

    [found] = torch.autograd.grad(along.sum(), of, retain_graph=True)
    return found


@contextlib.contextmanager
def _twice_differentiable() -> Iterator[None]:
    """Attention by its formula while this is open: faster kernels have no second derivatives."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield
