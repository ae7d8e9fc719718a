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

# The vector of a text moves fastest about a sixth of the way from the reference, as far as it still is
# from the text, since its embeddings are normalised there. The nodes stand close together at it.
FASTEST, WIDTH = 0.15, 0.1
QUERY_STEPS = 24


def nodes_and_weights(steps: int) -> tuple[Floats, Floats]:
    """(S,) places from 0 to 1 and their weights: Gauss-Legendre, denser at a sixth of the way.

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
    steps: int,
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
    """
    import torch

    if not len(query.reading.places) or not len(document.reading.places):
        raise InputError(
            f"the model reads no token of {'the query' if not len(query.reading.places) else 'it'}: "
            "there are no pairs to look at"
        )
    with _differentiable():
        ends = []
        for side in (query, document):
            rows = side.rows
            with torch.no_grad(), subject.looking_inside(2):
                both = torch.stack([rows, _reference(side, average)])
                ends.append(side.vectors(both).cpu().double())
        own = _forwards(subject, query, average, batch_size)
        matrix = _backwards(subject, document, own, steps, average, batch_size)
    (of_query, none_of_query), (of_document, none_of_document) = ends
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


def _forwards(subject: Subject, side: SideText, average: bool, batch_size: int) -> torch.Tensor:
    """(Q, E) the integral of what the vector of a text changes with each of its tokens."""
    import torch
    from torch.autograd import forward_ad

    rows = side.rows
    reference = _reference(side, average)
    places, weights = nodes_and_weights(QUERY_STEPS)
    number = len(rows)
    total: torch.Tensor | None = None
    jobs = [(place, token) for place in range(len(places)) for token in range(number)]
    for start in range(0, len(jobs), batch_size):
        some = jobs[start : start + batch_size]
        at = torch.tensor([places[place] for place, _ in some], dtype=rows.dtype, device=rows.device)
        tangent = torch.zeros((len(some), *rows.shape), dtype=rows.dtype, device=rows.device)
        for line, (_, token) in enumerate(some):
            tangent[line, token] = (rows - reference)[token]
        versions = torch.lerp(reference, rows, at[:, None, None])
        with subject.looking_inside(len(some)), torch.no_grad(), forward_ad.dual_level():
            vectors = side.vectors(forward_ad.make_dual(versions, tangent))  # type: ignore[no-untyped-call]
            moved = forward_ad.unpack_dual(vectors).tangent  # type: ignore[no-untyped-call]
        found = torch.zeros(vectors.shape) if moved is None else moved.detach()
        if total is None:
            total = torch.zeros((number, found.shape[1]), dtype=torch.float64)
        share = torch.tensor([weights[place] for place, _ in some], dtype=torch.float64)
        total.index_add_(
            0, torch.tensor([token for _, token in some]), found.cpu().double() * share[:, None]
        )
    assert total is not None  # noqa: S101
    return total


def _backwards(
    subject: Subject,
    side: SideText,
    own: torch.Tensor,
    steps: int,
    average: bool,
    batch_size: int,
) -> Floats:
    """(Q, D) the integral of what each document token changes in the directions of the query's."""
    import torch

    rows = side.rows
    reference = _reference(side, average)
    places, weights = nodes_and_weights(steps)
    matrix = np.zeros((len(own), len(rows)))
    away = (rows - reference).detach().cpu().double()
    with torch.inference_mode(False), torch.enable_grad():
        for start in range(0, len(places), batch_size):
            part = slice(start, start + batch_size)
            at = torch.tensor(places[part], dtype=rows.dtype, device=rows.device)
            versions = torch.lerp(reference, rows, at[:, None, None]).detach().requires_grad_()
            share = torch.tensor(weights[part], dtype=torch.float64)
            with subject.looking_inside(len(at) * len(own)):
                vectors = side.vectors(versions)
                along = vectors @ own.to(vectors.device, vectors.dtype).T
                for line in range(len(own)):
                    [found] = torch.autograd.grad(
                        along[:, line].sum(), versions, retain_graph=line + 1 < len(own)
                    )
                    integral = torch.tensordot(share, found.cpu().double(), dims=1)
                    matrix[line] += (integral * away).sum(dim=1).numpy()
    return matrix


@contextlib.contextmanager
def _differentiable() -> Iterator[None]:
    """Attention by its formula while this is open: faster kernels have no forward derivatives."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield
