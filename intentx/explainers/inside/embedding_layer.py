"""A ranker at the embedding layer of one document: its gradients there, and words for its pieces."""

from __future__ import annotations

import contextlib
import sys
import weakref
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from intentx.capabilities import Differentiable, EmbeddedText
from intentx.errors import InputError, ScorerError
from intentx.explainers.document.subject import Subject
from intentx.ranking import Ranking
from intentx.text import Token

if TYPE_CHECKING:
    import torch

    from intentx.explainers.inside.deeplift import DeepLiftRules

__all__ = ["WAYS_OUT", "Model", "doubled", "on_words", "word_of_piece"]

Floats = npt.NDArray[np.float64]
Made = TypeVar("Made")

BATCH = 32  # versions at once, of a ranker that does not say
STEEP = 10.0  # where nothing breaks it is 1 to 5, and where something does 20 or more
LONGEST_PIECE = 20  # characters of a piece in a note
WAYS_OUT = "try reference='mean' or 'collection', or KernelSHAP and EXS, which ask for scores alone"

# What a ranking's first document says of its ranker; a ranking keeps its scores for good, too.
_BREAKS: weakref.WeakKeyDictionary[Ranking, bool] = weakref.WeakKeyDictionary()


class Model:
    """A ranker at one document's embedding layer.

    Attributes
    ----------
    subject, scorer, embedded
        The document being explained, its ranker, and the document at the embedding layer.
    batch_size
        Most versions in one pass.
    against
        Position of the document that it is compared with.
    chosen
        Settings that were left to the ranker, such as what it is compared with.
    """

    def __init__(self, subject: Subject, batch_size: int | None, against: int | None = None) -> None:
        self.subject = subject
        self.against = against
        self.chosen: dict[str, Any] = {}
        self.scorer = _differentiable(subject)
        self._name = subject.ranking.can.name
        self.embedded = self.embed(subject.text)
        self.batch_size = batch_size or subject.ranking.can.batch_size or BATCH

    def in_parts(
        self, number: int, ask: Callable[[slice], Made], each: int = 1
    ) -> Iterator[tuple[slice, Made]]:
        """What ``ask`` returns for one part after the other of so many rows, in passes that fit a card.

        ``each`` row is so many versions.
        """
        from intentx.rankers.transformers.memory import Room

        room = Room(max(1, self.batch_size // each))
        return room.parts(number, ask, self.embedded.vectors.device)

    def embed(self, text: str) -> EmbeddedText:
        """A text at the embedding layer, for the query of the ranking."""
        return self.scorer.embed(self.subject.ranking.query, text)

    def gradients(
        self, vectors: torch.Tensor, counted: int | None = None, rules: DeepLiftRules | None = None
    ) -> tuple[Floats, torch.Tensor]:
        """Scores (B,) of versions (B, L, D) of the document, and the gradients of each (B', L, D).

        Parameters
        ----------
        counted
            B', how many versions from the first to take the gradients of; None: all.
        rules
            What to put in the place of gradients.
        """
        import torch

        values, gradients = self._passed(self.embedded, vectors, counted, rules)
        if rules is not None and np.isfinite(values).all() and not bool(torch.isfinite(gradients).all()):
            raise InputError(
                f"{self.subject.method}'s contributions of document {self.subject.doc_id!r} overflow; "
                f"{WAYS_OUT}"
            )
        if not (np.isfinite(values).all() and bool(torch.isfinite(gradients).all())):
            raise ScorerError(
                f"{self._name} has scores or gradients that are not finite numbers",
                self.subject.ranking.query,
                [self.subject.text],
            )
        return values, gradients

    def breaks_at_zero(self) -> bool:
        """Whether zero vectors are no input to compare a document with.

        They are none where they reach a norm as zeros: it blows up what is next to them, the score
        jumps there, and sums and integrals of slopes miss it. So it is in models that add nothing to the
        vectors of pieces, as most decoders. Then the gradient at zeros is `STEEP` times as
        large as at a document, and along it the score would change `STEEP` times as much as it does.
        That of the first document of the ranking decides for all.
        """
        import torch

        ranking = self.subject.ranking
        if ranking not in _BREAKS:
            own = self.subject.position
            every = (self.embedded if i == own else self.embed(t) for i, t in enumerate(ranking.texts))
            embedded = next((one for one in every if len(one.vectors)), self.embedded)
            x = embedded.vectors
            values, gradients = self._passed(embedded, torch.stack([x, torch.zeros_like(x)]))
            at_x, at_zero = (float(g.norm()) for g in gradients)
            rise = float((gradients[1].abs() * doubled(x).abs()).sum())
            # Written so that what is no number is a break.
            _BREAKS[ranking] = not (
                at_zero <= STEEP * at_x or rise <= STEEP * abs(float(values[0] - values[1]))
            )
        return _BREAKS[ranking]

    def _passed(
        self,
        embedded: EmbeddedText,
        vectors: torch.Tensor,
        counted: int | None = None,
        rules: DeepLiftRules | None = None,
    ) -> tuple[Floats, torch.Tensor]:
        """As `gradients`, of any document, and of numbers that need not be finite."""
        import torch

        with self.subject.looking_inside(len(vectors)):
            leaf = vectors.detach().clone().requires_grad_()
            with _uncompiled() if rules else contextlib.nullcontext(), rules or contextlib.nullcontext():
                scores = self.scorer.score_embedded(embedded, leaf.clone())
            if not scores.requires_grad:
                raise InputError(f"score_embedded of {self._name} returns scores without gradients")
            if rules is not None:
                rules.look_back(scores)
            try:
                [found] = torch.autograd.grad(scores[:counted].sum(), leaf)
            except torch.cuda.OutOfMemoryError:
                raise  # fewer at once may fit
            except RuntimeError as error:  # e.g. of torch.utils.checkpoint, which computes twice
                why = str(error).partition("\n")[0]
                raise InputError(
                    f"{self.subject.method} needs gradients, and those of {self._name} cannot be "
                    f"computed: {why}; KernelSHAP and EXS explain it from its scores alone"
                ) from error
        return doubled(scores).numpy(), doubled(found[:counted])


def word_of_piece(spans: npt.NDArray[np.intp], tokens: Sequence[Token]) -> npt.NDArray[np.intp]:
    """(L,) number of the token that each piece shares most characters with; -1 for none.

    >>> tokens = [Token("stage", 0, 5, 0), Token("piano", 6, 11, 0)]
    >>> word_of_piece(np.array([[0, 3], [3, 5], [4, 11], [11, 12]]), tokens).tolist()
    [0, 0, 1, -1]
    """
    starts, ends = [token.start for token in tokens], [token.end for token in tokens]
    found = np.full(len(spans), -1, dtype=np.intp)
    for piece, (start, end) in enumerate(spans.tolist()):
        near = range(bisect_right(ends, start), bisect_left(starts, end))
        if near:
            found[piece] = max(near, key=lambda i: min(end, ends[i]) - max(start, starts[i]))
    return found


def on_words(spans: npt.NDArray[np.intp], subject: Subject) -> npt.NDArray[np.intp]:
    """`word_of_piece` of what the model reads of a document; pieces that cover several words are noted.

    Such a piece is a whole text in a script that the model's vocabulary does not have.
    """
    starts, ends = [t.start for t in subject.tokens], [t.end for t in subject.tokens]
    wide = [(a, b) for a, b in spans.tolist() if bisect_left(starts, b) - bisect_right(ends, a) > 1]
    if wide:
        first = subject.text[slice(*wide[0])]
        several = f"{len(wide)} pieces that the model reads cover several words, such as"
        subject.notes.append(
            f"{several if len(wide) > 1 else '1 piece that the model reads covers several words,'} "
            f"{first[:LONGEST_PIECE]!r}: its weight is that of the word with most of its characters"
        )
    return word_of_piece(spans, subject.tokens)


def _differentiable(subject: Subject) -> Differentiable:
    """The ranker, or an InputError that says what to do."""
    can = subject.ranking.black_box(f"an explanation by {subject.method}").can
    if can.differentiable is not None:
        return can.differentiable
    raise InputError(
        f"{subject.method} needs gradients, and {can.name} offers none: {can.no_gradients}; KernelSHAP "
        "and EXS explain it from its scores alone"
    )


def _uncompiled() -> contextlib.AbstractContextManager[Any]:
    """Nothing runs compiled by `torch.compile` while this is open: rules are for single functions."""
    import torch

    if "torch._dynamo" not in sys.modules:  # nothing has been compiled, and to load it takes seconds
        return contextlib.nullcontext()
    eager: contextlib.AbstractContextManager[Any] = torch.compiler.set_stance("force_eager")
    return eager


def doubled(values: torch.Tensor) -> torch.Tensor:
    return values.detach().cpu().double()
