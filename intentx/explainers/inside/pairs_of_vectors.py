"""Token pairs of dual encoders: the pooled dot product split exactly, or integrated Jacobians."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.token_pairs_explanation import Pairing, PairToken

if TYPE_CHECKING:
    import torch

    from intentx.rankers.transformers.sides import SideText

__all__ = ["Paired", "by_integrals", "by_split", "nodes_and_weights", "tokens_on"]

Floats = npt.NDArray[np.float64]
Paired = tuple[tuple[PairToken, ...], Pairing]

# The vector of a text moves fastest about a fifth of the way from the reference, since its embeddings
# are normalised there. The nodes stand close together at it.
FASTEST, WIDTH = 0.2, 0.1
NUMBERS = (12, 14, 16, 20, 24, 32, 48, 72, 96)  # of nodes that are tried, until they are enough
ENOUGH = 4.5e-4  # of the score: what each of the two sides may miss


def nodes_and_weights(steps: int) -> tuple[Floats, Floats]:
    """(S,) places from 0 to 1 and their weights: Gauss-Legendre, denser at a fifth of the way.

    >>> places, weights = nodes_and_weights(20)
    >>> bool(np.isclose(weights.sum(), 1)), bool(np.isclose((weights * places**3).sum(), 1 / 4))
    (True, True)
    """
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    first = np.arcsinh(FASTEST / WIDTH)
    length = first + np.arcsinh((1 - FASTEST) / WIDTH)
    at = length * (nodes + 1) / 2 - first
    places = FASTEST + WIDTH * np.sinh(at)
    return places, np.asarray(weights / 2 * length * WIDTH * np.cosh(at))


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
    reference, times that of the document's. That of the query is taken forwards, by a directional
    derivative for each of its tokens; that of the document backwards, a gradient for each of them. The
    reference of a text has zeros in the place of each token, or, by ``average``, the mean vector of the
    vocabulary; special tokens stay.

    Without ``steps`` there are as many nodes as it takes: what all tokens of a text change together is
    known exactly, and one derivative for each node says how far the sum over nodes misses it.
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
            ends.append(side.vectors(both).cpu().double())
    (of_query, none_of_query), (of_document, none_of_document) = ends
    moved, its_moved = of_query - none_of_query, of_document - none_of_document
    allowed = ENOUGH * abs(float(of_query @ of_document))
    numbers = NUMBERS if steps is None else (steps,)
    with _differentiable():
        for number in numbers:
            if number == numbers[-1]:
                break
            whole = _forwards(subject, query, number, average, batch_size, together=True)[0]
            if abs(float((whole - moved) @ its_moved)) <= allowed:
                break
        own = _forwards(subject, query, number, average, batch_size)
    passes = _Backwards(subject, document, average, batch_size)
    for its_number in numbers:
        if its_number == numbers[-1]:
            break
        [sums] = passes.integrals(moved[None], its_number)
        if abs(float(sums.sum()) - float(moved @ its_moved)) <= allowed:
            break
    matrix = passes.integrals(own, its_number)
    subject.notes.append(f"integrated over {number} points for the query, {its_number} for the document")
    empty = "average tokens" if average else "empty tokens"
    parts = {
        f"the query × a document of {empty}": float(of_query @ none_of_document),
        f"a query of {empty} × the document": float(none_of_query @ of_document),
        f"less {empty} × {empty}": -float(none_of_query @ none_of_document),
    }
    return tokens_on(query), Pairing(tokens_on(document, subject.start), matrix, parts)


def _reference(side: SideText, average: bool) -> torch.Tensor:
    """(L, D) what a text is compared with."""
    import torch

    rows = side.rows
    return side.average.expand_as(rows) if average else torch.zeros_like(rows)


def _forwards(
    subject: Subject,
    side: SideText,
    steps: int,
    average: bool,
    batch_size: int,
    *,
    together: bool = False,
) -> torch.Tensor:
    """(Q, E) the integral of what the vector of a text changes with each of its tokens.

    ``together``: (1, E) with all of them.
    """
    import torch
    from torch.autograd import forward_ad

    from intentx.rankers.transformers.memory import Room

    rows = side.rows
    reference = _reference(side, average)
    places, weights = nodes_and_weights(steps)
    number = 1 if together else len(rows)
    jobs = [(place, token) for place in range(len(places)) for token in range(number)]

    def moved(part: slice) -> torch.Tensor:
        """(B, E) what the vector changes with a token at a place on the way, for some jobs."""
        some = jobs[part]
        at = torch.tensor([places[place] for place, _ in some], dtype=rows.dtype, device=rows.device)
        tangent = torch.zeros((len(some), *rows.shape), dtype=rows.dtype, device=rows.device)
        for line, (_, token) in enumerate(some):
            changed = slice(None) if together else slice(token, token + 1)
            tangent[line, changed] = (rows - reference)[changed]
        versions = torch.lerp(reference, rows, at[:, None, None])
        with subject.looking_inside(len(some)), torch.no_grad(), forward_ad.dual_level():
            vectors = side.vectors(forward_ad.make_dual(versions, tangent))  # type: ignore[no-untyped-call]
            found = forward_ad.unpack_dual(vectors).tangent  # type: ignore[no-untyped-call]
        made = torch.zeros(vectors.shape) if found is None else found.detach()
        return made.cpu().double()

    total: torch.Tensor | None = None
    for part, found in Room(batch_size).parts(len(jobs), moved, rows.device):
        if total is None:
            total = torch.zeros((number, found.shape[1]), dtype=torch.float64)
        share = torch.tensor([weights[place] for place, _ in jobs[part]], dtype=torch.float64)
        total.index_add_(0, torch.tensor([token for _, token in jobs[part]]), found * share[:, None])
    assert total is not None  # noqa: S101
    return total


class _Backwards:
    """What each token of a text changes in its vector, by gradients; one pass for several questions.

    The vectors at the nodes are kept for the next question about as many of them, where they are one
    batch.
    """

    def __init__(self, subject: Subject, side: SideText, average: bool, batch_size: int) -> None:
        self.subject, self.side, self.batch_size = subject, side, batch_size
        self.rows = side.rows
        self.reference = _reference(side, average)
        self._kept: tuple[int, torch.Tensor, torch.Tensor] | None = None

    def integrals(self, directions: torch.Tensor, steps: int) -> Floats:
        """(K, L) integrals of what each token changes in K directions (K, E)."""
        import torch

        from intentx.rankers.transformers.memory import Room

        places, weights = nodes_and_weights(steps)
        matrix = np.zeros((len(directions), len(self.rows)))
        away = (self.rows - self.reference).detach().cpu().double()

        def sums(part: slice) -> Floats:
            """(K, L) the part of the integrals that some nodes make."""
            share = torch.tensor(weights[part], dtype=torch.float64)
            some = np.zeros_like(matrix)
            with self.subject.looking_inside(len(share) * len(directions)):
                versions, vectors = self._passed(places[part], steps)
                along = vectors @ directions.to(vectors.device, vectors.dtype).T
                for line in range(len(directions)):
                    [found] = torch.autograd.grad(along[:, line].sum(), versions, retain_graph=True)
                    integral = torch.tensordot(share, found.cpu().double(), dims=1)
                    some[line] = (integral * away).sum(dim=1).numpy()
            return some

        with torch.inference_mode(False), torch.enable_grad():
            for _, some in Room(self.batch_size).parts(steps, sums, self.rows.device):
                matrix += some
        return matrix

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


@contextlib.contextmanager
def _differentiable() -> Iterator[None]:
    """Attention by its formula while this is open: faster kernels have no forward derivatives."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield
