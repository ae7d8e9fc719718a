"""Token pairs of dual encoders: the pooled dot product split exactly, or integrated Jacobians."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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
    reference, times that of the document's. That of the query is taken forwards, by a directional
    derivative for each of its tokens; that of the document backwards, a gradient for each of them. The
    reference of a text has zeros in the place of each token, or, by ``average``, the mean vector of the
    vocabulary; special tokens stay.

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
    with _differentiable():
        for number in numbers[:-1]:
            whole = _forwards(subject, query, number, average, batch_size, together=True)[:, 0]
            if known.is_met(whole @ its_moved):
                break
        else:
            number = numbers[-1]
        changes = _forwards(subject, query, number, average, batch_size)
    along = changes.sum(axis=1) @ its_moved
    own, own_miss = known.integral(changes, along), known.missed(along)
    passes = _Backwards(subject, document, average, batch_size)
    for its_number in numbers[:-1]:
        if known.is_met(passes.changes(moved[None], its_number).sum(axis=(1, 2))):
            break
    else:
        its_number = numbers[-1]
    changes = passes.changes(own, its_number)
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


def _forwards(
    subject: Subject,
    side: SideText,
    steps: int,
    average: bool,
    batch_size: int,
    *,
    together: bool = False,
) -> Floats:
    """(S, Q, E) what the vector of a text changes with each of its tokens, at each node.

    ``together``: (S, 1, E) with all of them.
    """
    import torch
    from torch.autograd import forward_ad

    from intentx.rankers.transformers.memory import Room

    rows = side.rows
    reference = _reference(side, average)
    places, _ = nodes_and_weights(steps)
    number = 1 if together else len(rows)
    jobs = [(place, token) for place in range(steps) for token in range(number)]

    def moved(part: slice) -> Floats:
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
        return np.asarray(made.cpu().double().numpy())

    found = [some for _, some in Room(batch_size).parts(len(jobs), moved, rows.device)]
    return np.concatenate(found).reshape(steps, number, -1)


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

    def changes(self, directions: Floats, steps: int) -> Floats:
        """(S, K, L) what each token changes in K directions (K, E), at each node."""
        import torch

        from intentx.rankers.transformers.memory import Room

        places, _ = nodes_and_weights(steps)
        away = (self.rows - self.reference).detach().cpu().double()

        def found(part: slice) -> Floats:
            """(B, K, L) the same at some nodes."""
            some = np.empty((len(places[part]), len(directions), len(self.rows)))
            with self.subject.looking_inside(len(some) * len(directions)):
                versions, vectors = self._passed(places[part], steps)
                along = vectors @ torch.from_numpy(directions).to(vectors.device, vectors.dtype).T
                for line in range(len(directions)):
                    [slopes] = torch.autograd.grad(along[:, line].sum(), versions, retain_graph=True)
                    some[:, line] = (slopes.cpu().double() * away).sum(dim=2).numpy()
            return some

        with torch.inference_mode(False), torch.enable_grad():
            parts = Room(self.batch_size).parts(steps, found, self.rows.device)
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


@contextlib.contextmanager
def _differentiable() -> Iterator[None]:
    """Attention by its formula while this is open: faster kernels have no forward derivatives."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel(SDPBackend.MATH):
        yield
