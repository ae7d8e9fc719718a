"""Training of rankers on lists of texts, by pairs or by lists, stopped by queries that are held out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from intentx.checks import check_fields
from intentx.errors import InputError, MissingExtraError
from intentx.rankers.interaction.training_data import TrainingList
from intentx.rankers.limits import Number, Seed

try:
    import torch
except ImportError as error:
    raise MissingExtraError("torch", "neural") from error

__all__ = [
    "History",
    "Trainable",
    "Training",
    "heldout_quality",
    "train",
]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CUTOFF = 10  # of nDCG on held-out queries


class Trainable(Protocol):
    """A ranker whose scores can be differentiated in its weights.

    ``learning_rate`` is one that suits it.
    """

    @property
    def learning_rate(self) -> float: ...

    @property
    def module(self) -> torch.nn.Module: ...

    def score(self, query: str, texts: Sequence[str]) -> torch.Tensor:
        """(N,) scores with gradients, in the mode that the module is in."""
        ...

    def __call__(self, query: str, texts: Sequence[str], /) -> Any: ...


@dataclass(frozen=True)
class Training:
    """How a ranker is trained.

    Parameters
    ----------
    steps
        Most updates of the weights.
    learning_rate, weight_decay
        Of AdamW; without a learning rate, the one that the ranker names.
    lists, texts
        Queries in a step, and texts drawn from the list of each.
    loss
        ``"hinge"``: each pair of texts on its own, ``max(0, margin - s_i + s_j)`` where text i is
        better than text j. ``"listwise"``: each text against all that are known to be worse at once,
        minus the log of its share of their softmax.
    margin
        By how much the better text of a pair should lead; for ``"hinge"`` only.
    teacher_gap
        Share of the range of a teacher's scores for a query by which two texts must differ, to
        count as a pair.
    check_every, patience
        Steps between two looks at the held-out queries, and looks without a better metric after
        which training stops. The weights of the best look are kept.
    seed
        Of the order of lists and texts, and of dropout.
    """

    steps: int = 600
    learning_rate: Number | None = None
    weight_decay: Number = 0.0
    lists: int = 2
    texts: int = 64
    loss: Literal["hinge", "listwise"] = "hinge"
    margin: Number = 1.0
    teacher_gap: Number = 0.1
    check_every: int = 50
    patience: int = 6
    seed: Seed = 0

    def __post_init__(self) -> None:
        check_fields("training", self)
        for name, least in (
            ("steps", 1),
            ("lists", 1),
            ("texts", 2),
            ("check_every", 1),
            ("patience", 1),
        ):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be {least} or more, not {getattr(self, name)!r}")
        for name in ("learning_rate", "margin"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} must be positive, not {value!r}")
        if not self.weight_decay >= 0 or not self.teacher_gap >= 0:
            raise InputError("weight_decay and teacher_gap must be 0 or more")


@dataclass(frozen=True)
class History:
    """How a training went.

    Attributes
    ----------
    training
        Its settings.
    lists, heldout
        Lists with something to learn from, and lists held out.
    losses
        Mean loss of the steps up to each look at the held-out queries.
    measure
        ``"nDCG@10"``, or ``"agreement"`` with the teacher where held-out queries have no judgements;
        None where none were held out.
    quality
        The measure before training and at each look.
    best_step
        The step whose weights were kept, 0 for the first weights.
    """

    training: Training
    lists: int
    heldout: int
    losses: tuple[float, ...]
    measure: str | None
    quality: tuple[float, ...]
    best_step: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        first, last = f"{self.losses[0]:.3f}", f"{self.losses[-1]:.3f}"
        loss = f"mean loss {first}" if len(self.losses) == 1 else f"loss {first} to {last}"
        learned = f"learned from {self.lists} queries, {loss}"
        if self.measure is None:
            return f"{learned}; no queries held out"
        return (
            f"{learned}; {self.measure} of {self.heldout} held-out queries {self.quality[0]:.3f} to "
            f"{max(self.quality):.3f}, at step {self.best_step}"
        )


def train(
    ranker: Trainable,
    lists: Sequence[TrainingList],
    heldout: Sequence[TrainingList] = (),
    training: Training | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> History:
    """Train a ranker in place, by the pairs of texts of which one is known to be better.

    The same ranker, lists and settings give the same weights on the same machine. The global random
    state is found again as it was.

    Parameters
    ----------
    ranker
        What is trained.
    lists
        What it learns from.
    heldout
        Lists of other queries: with some, the weights that order them best are kept.
    training
        Settings.
    progress
        Called with the number of steps done and the most there can be, after each.

    Raises
    ------
    InputError
        If no list has a pair of texts one of which is better, or the loss does not stay finite.
    """
    training = training or Training()
    if training.learning_rate is None:
        training = dataclasses.replace(training, learning_rate=ranker.learning_rate)
    useful = [(one, better) for one in lists if (better := one.better(training.teacher_gap)).any()]
    if not useful:
        raise InputError(
            f"nothing to learn: in none of {len(lists)} lists is one text known to be better than "
            "another; judgements or a teacher's scores are needed"
        )
    weights = [parameter for parameter in ranker.module.parameters() if parameter.requires_grad]
    adam = torch.optim.AdamW(
        weights, lr=training.learning_rate or 0.0, weight_decay=training.weight_decay
    )
    best = _Best(ranker, heldout)
    losses: list[float] = []
    with _training_mode(ranker.module, training.seed):
        generator = np.random.default_rng(training.seed)
        for step in range(1, training.steps + 1):
            losses.append(_step(ranker, useful, training, generator, adam))
            if not math.isfinite(losses[-1]):
                raise InputError(f"the loss is {losses[-1]} at step {step}; lower the learning rate")
            if progress is not None:
                progress(step, training.steps)
            if heldout and (step % training.check_every == 0 or step == training.steps):
                best.look(step)
                if best.waited >= training.patience:
                    break
    best.restore()
    every = training.check_every
    means = tuple(float(np.mean(losses[i : i + every])) for i in range(0, len(losses), every))
    kept = best.step if heldout else len(losses)
    return History(training, len(useful), len(heldout), means, best.measure, tuple(best.quality), kept)


def _step(
    ranker: Trainable,
    lists: Sequence[tuple[TrainingList, Bools]],
    training: Training,
    generator: np.random.Generator,
    adam: torch.optim.Optimizer,
) -> float:
    """One update of the weights; returns the mean loss of its lists."""
    adam.zero_grad()
    total = 0.0
    for number in generator.choice(len(lists), min(training.lists, len(lists)), replace=False):
        one, better = lists[number]
        drawn = _drawn(better, training.texts, generator)
        pairs = torch.from_numpy(better[np.ix_(drawn, drawn)])
        scores = ranker.score(one.query, [one.texts[i] for i in drawn])
        loss = _loss(scores, pairs.to(scores.device), training) / training.lists
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    adam.step()
    return total


def _loss(scores: torch.Tensor, better: torch.Tensor, training: Training) -> torch.Tensor:
    """Of one list: scores (N,), and (N, N) whether text i should stand above text j."""
    if training.loss == "hinge":
        return torch.relu(training.margin - scores[:, None] + scores)[better].mean()
    rivals = better | torch.eye(len(scores), dtype=torch.bool, device=better.device)
    rows = scores.expand(len(scores), -1).masked_fill(~rivals, -torch.inf)
    return (torch.logsumexp(rows, dim=1) - scores)[better.any(dim=1)].mean()


def _drawn(better: Bools, most: int, generator: np.random.Generator) -> npt.NDArray[np.intp]:
    """Places of ``most`` random texts, two of which are a pair that can be learned from."""
    pairs = np.argwhere(better)
    first = pairs[generator.integers(len(pairs))]
    others = generator.permutation(np.setdiff1d(np.arange(len(better)), first))
    return np.concatenate([first, others[: most - 2]])


class _Best:
    """The weights that order the held-out lists best so far."""

    def __init__(self, ranker: Trainable, heldout: Sequence[TrainingList]) -> None:
        self.ranker, self.heldout = ranker, heldout
        self.measure: str | None = None
        self.quality: list[float] = []
        self.step = self.waited = 0
        self._weights: dict[str, torch.Tensor] = {}
        if heldout:
            self.look(0)

    def look(self, step: int) -> None:
        self.measure, quality = heldout_quality(self.ranker, self.heldout)
        self.waited += 1
        if quality > max(self.quality, default=-math.inf):
            self.step, self.waited = step, 0
            state = self.ranker.module.state_dict()
            self._weights = {name: value.clone() for name, value in state.items()}
        self.quality.append(quality)

    def restore(self) -> None:
        if self._weights:
            self.ranker.module.load_state_dict(self._weights)


def heldout_quality(ranker: Trainable, lists: Sequence[TrainingList]) -> tuple[str, float]:
    """Mean nDCG@10 of the lists with a grade above 0, else mean agreement with the teacher.

    nDCG as trec_eval has it, the grade as gain, against the best order of the list itself; a text
    that nobody judged has grade 0. Agreement is the share of the teacher's pairs ordered as it does.

    Raises
    ------
    InputError
        If no list has grades above 0 or a teacher.
    """
    judged = [one for one in lists if (np.nan_to_num(one.grades) > 0).any()]
    if judged:
        return "nDCG@10", float(np.mean([_ndcg(_scores(ranker, one), one) for one in judged]))
    taught = [(one, better) for one in lists if (better := one.better()).any()]
    if not taught:
        raise InputError("held-out queries need judgements above 0, or a teacher")
    shares = []
    for one, better in taught:
        scores = _scores(ranker, one)
        shares.append(np.mean((scores[:, None] > scores)[better]))
    return "agreement", float(np.mean(shares))


def _scores(ranker: Trainable, one: TrainingList) -> Floats:
    return np.asarray(ranker(one.query, one.texts), dtype=np.float64)


def _ndcg(scores: Floats, one: TrainingList) -> float:
    grades = np.maximum(np.nan_to_num(one.grades), 0.0)
    discounts = 1.0 / np.log2(np.arange(2, min(len(grades), CUTOFF) + 2))
    best = np.sort(grades)[::-1][:CUTOFF] @ discounts
    return float(grades[np.argsort(-scores, kind="stable")][:CUTOFF] @ discounts / best)


@contextmanager
def _training_mode(module: torch.nn.Module, seed: int) -> Iterator[None]:
    """Training mode and a seed of torch's own; afterwards mode, seed and gradients as before."""
    modes = [(one, one.training) for one in module.modules()]
    devices = sorted({p.device.index for p in module.parameters() if p.is_cuda})
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        try:
            module.train()
            yield
        finally:
            for one, mode in modes:
                one.training = mode
            module.zero_grad()
