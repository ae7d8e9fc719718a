"""The only place that calls the user's model: `BlackBox` checks, batches, remembers and counts."""

from __future__ import annotations

import inspect
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from intentx.asked import asking_now
from intentx.capabilities import Capabilities, Scorer
from intentx.errors import InputError, ScorerError

if TYPE_CHECKING:
    from intentx.score_cache import ScoreFile

__all__ = ["BlackBox", "Scorer", "checked_scores", "unit_of"]

Floats = npt.NDArray[np.float64]
SMALLEST, LARGEST = 1e-100, 1e100  # scores whose squares and differences are safe numbers

_ADDING = threading.Lock()  # several threads may ask one box, and += is no single step


def unit_of(*scores: npt.ArrayLike) -> float:
    """A power of two to divide scores by before they are subtracted, squared or added up.

    It is 1 for scores of a usual size, so that nothing changes for them. Where the largest lies
    beyond 1e±100, its square, or a difference of two, may be no finite number any more, or nothing;
    in this unit it is about 1.

    >>> unit_of([3.0, -0.5]), unit_of([1e308, 0.0]) == 2.0**1023, unit_of([0.0])
    (1.0, True, 1.0)
    """
    largest = max((float(np.max(np.abs(one), initial=0.0)) for one in scores), default=0.0)
    if not largest or SMALLEST <= largest <= LARGEST:
        return 1.0
    return 2.0 ** (math.frexp(largest)[1] - 1)


class BlackBox:
    """A user's scorer, called as rarely as possible, with its results checked.

    Texts are de-duplicated, looked up among those scored before, sorted by length (so that a
    padded batch wastes little) and scored in batches. What was scored before is forgotten once the
    scorer is found changed, by its ``fingerprint`` or ``state_mark``; a scorer that has neither is
    taken to stay the same.

    Parameters
    ----------
    scorer
        Callable ``(query, texts) -> (N,)`` numbers. With ``scorer.listwise`` true, each list of texts is
        scored and cached as a whole, in the given order.
    batch_size
        Most texts in one call of the scorer.
    progress
        Called with the number of texts scored so far and the number asked for, after each batch.
    cache
        A file to cache scores in, for other processes (see `intentx.score_cache.ScoreFile`).
    fingerprint
        What the scores are filed under there, for a scorer without ``fingerprint``: a text that
        you change whenever the scores of the same texts may change.

    Attributes
    ----------
    texts_asked
        Texts asked for: misses, hits on disk and hits in memory together.
    calls, texts_scored
        Misses: calls of the scorer, and texts it was given.
    texts_repeated
        Of those, texts that `intentx.rank` asked once more to see whether their scores hold.
    texts_found
        Hits on disk.
    texts_known
        Hits in memory, repetitions within a call among them.
    seconds
        Time spent inside the scorer; methods that look inside add theirs.
    doubts
        What `intentx.rank` found odd about the scores, a sentence each by kind.

    Raises
    ------
    InputError
        If the scorer is not callable, or there is a cache and no fingerprint or no usable file.

    Examples
    --------
    >>> box = BlackBox(lambda query, texts: [len(text) for text in texts])
    >>> box("any", ["aa", "b", "aa"]).tolist(), box.texts_scored
    ([2.0, 1.0, 2.0], 2)
    """

    def __init__(
        self,
        scorer: Scorer,
        *,
        batch_size: int = 256,
        progress: Callable[[int, int], None] | None = None,
        cache: str | Path | None = None,
        fingerprint: str | None = None,
    ) -> None:
        if not callable(scorer):
            named = isinstance(scorer, str)
            raise InputError(
                f"a scorer is a callable (query, texts) -> scores, not {type(scorer).__name__}"
                f"{'; RankerSpec.parse(…).load(texts) makes one of a name' if named else ''}"
            )
        if inspect.isclass(scorer):
            raise InputError(
                f"a scorer is a callable (query, texts) -> scores, and {scorer.__name__} is a class: "
                f"give an instance of it, such as {scorer.__name__}()"
            )
        if batch_size < 1:
            raise InputError(f"batch_size must be 1 or more, not {batch_size!r}")
        self.scorer = scorer
        self.listwise = self.can.listwise
        self.batch_size = batch_size
        self.progress = progress
        self.cache = None if cache is None else _score_file(cache, scorer, fingerprint)
        self.calls = self.texts_scored = self.texts_found = self.texts_asked = 0
        self.texts_repeated = 0
        self.seconds = 0.0
        self.doubts: dict[str, str] = {}
        self._named = fingerprint is not None
        self._mark = self.can.state_mark(thorough=True)
        self._known: dict[tuple[str, str], float] = {}
        self._known_lists: dict[tuple[str, tuple[str, ...]], Floats] = {}

    @property
    def can(self) -> Capabilities:
        """What the scorer can do beside scoring, as far as it says."""
        return Capabilities.of(self.scorer)

    @property
    def texts_known(self) -> int:
        return self.texts_asked - self.texts_scored - self.texts_found

    @classmethod
    def of(cls, scorer: Scorer) -> BlackBox:
        """``scorer`` itself when it is a `BlackBox` already, so that its memory is shared."""
        return scorer if isinstance(scorer, BlackBox) else cls(scorer)

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        """Scores of ``texts`` for ``query``, (N,) finite numbers.

        Raises
        ------
        ScorerError
            If the scorer raises, or returns another number of scores, another shape, or values
            that are not finite numbers; the message names the query and the document.
        """
        self._count(texts_asked=len(texts))
        if not len(texts):
            return np.empty(0)
        self.refresh(thorough=False)
        for asked in asking_now(self):
            for one in (tuple(texts),) if self.listwise else texts:
                asked.texts[query, one] = len(texts) if self.listwise else 1
        if self.listwise:
            key, lists = (query, tuple(texts)), self._known_lists
            if key not in lists:
                lists[key] = self._list(query, key[1])
            return lists[key].copy()
        known = self._known  # stays what it is for this call, though another thread may forget
        new = [text for text in dict.fromkeys(texts) if (query, text) not in known]
        new = self._not_on_disk(query, new, known)
        new.sort(key=len, reverse=True)  # the longest first: a batch too large fails at once
        for start in range(0, len(new), self.batch_size):
            batch = new[start : start + self.batch_size]
            scores = self._ask(query, batch).tolist()
            known.update(zip(((query, text) for text in batch), scores, strict=True))
            if self.cache is not None:
                self.cache.keep(query, batch, scores)
            if self.progress is not None:
                self.progress(start + len(batch), len(new))
        return np.array([known[query, text] for text in texts])

    def refresh(self, *, thorough: bool = True) -> None:
        """Forget what was remembered if the scorer is no longer what it was.

        Parameters
        ----------
        thorough
            Whether to look at every weight. A quick look, as each call has one, may miss an edit of
            single numbers in a large table of weights that torch does not know of.
        """
        mark = self.can.state_mark(thorough=thorough)
        if mark == self._mark:
            return
        self._mark = mark
        self.forget()
        if self.cache is not None and not self._named:
            self.cache.fingerprint = self.can.filed_under()

    @property
    def remembered(self) -> int:
        """Texts whose scores are in memory, those of a list each for itself."""
        return len(self._known) + sum(len(texts) for _, texts in list(self._known_lists))

    def forget(self) -> None:
        """Forget all scores in memory; a call under way in another thread keeps its own."""
        self._known, self._known_lists = {}, {}

    @property
    def mark(self) -> Any:
        """What differs once the scorer has changed; None for one that does not tell."""
        self.refresh()
        return self._mark

    def ask_again(self, query: str, texts: Sequence[str]) -> Floats:
        """Scores of ``texts`` in one call and in this order, by the scorer itself; not remembered.

        It counts as any call of the scorer does.
        """
        self._count(texts_asked=len(texts), texts_repeated=len(texts))
        return self._ask(query, texts)

    def spent(self, seconds: float, versions: int = 0) -> None:
        """Count time inside the scorer, and versions of embeddings that its model was run on."""
        self._count(seconds=seconds)
        for asked in asking_now(self):
            asked.seconds += seconds
            asked.versions += versions

    def _count(self, **more: float) -> None:
        with _ADDING:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)

    def _not_on_disk(
        self, query: str, texts: list[str], known: dict[tuple[str, str], float]
    ) -> list[str]:
        """The texts that the file has no score of; of the others it is read into memory."""
        if self.cache is None:
            return texts
        found = self.cache.find(query, texts)
        on_disk = {(query, t): s for t, s in zip(texts, found, strict=True) if s is not None}
        known.update(on_disk)
        self._count(texts_found=len(on_disk))
        return [text for text in texts if (query, text) not in on_disk]

    def _list(self, query: str, texts: Sequence[str]) -> Floats:
        """Scores of a whole list, from the file or the scorer."""
        if self.cache is None:
            return self._ask(query, texts)
        found = self.cache.find(query, texts, as_list=True)
        if None not in found:
            self._count(texts_found=len(texts))
            return np.array(found, dtype=np.float64)
        scores = self._ask(query, texts)
        self.cache.keep(query, texts, scores.tolist(), as_list=True)
        return scores

    def _ask(self, query: str, texts: Sequence[str]) -> Floats:
        self._count(calls=1, texts_scored=len(texts))
        started = time.perf_counter()
        try:
            answer = self.scorer(query, list(texts))
        except ScorerError as error:  # it knows what is wrong, e.g. that a service is down
            raise _failure(str(error), query, error.texts) from error.__cause__
        except Exception as error:
            culprit = texts if self.listwise else self._culprit(query, texts)
            message = f"the scorer raised {type(error).__name__}: {error}"
            raise _failure(message, query, culprit) from error
        finally:
            self.spent(time.perf_counter() - started)
        return checked_scores(answer, query, texts)

    def _culprit(self, query: str, texts: Sequence[str]) -> Sequence[str]:
        """The smallest part of a failed batch that fails by itself, found by halving."""
        while len(texts) > 1:
            half = len(texts) // 2
            for part in (texts[:half], texts[half:]):
                try:
                    self.scorer(query, list(part))
                except Exception:
                    texts = part
                    break
            else:
                break
        return texts


def _score_file(path: str | Path, scorer: Scorer, fingerprint: str | None) -> ScoreFile:
    from intentx.score_cache import ScoreFile

    return ScoreFile(path, Capabilities.of(scorer).filed_under(fingerprint))


def checked_scores(answer: Any, query: str, texts: Sequence[str]) -> Floats:
    """``answer`` as (N,) finite float64, or a ScorerError that says what is wrong with it."""
    if hasattr(answer, "detach"):  # a torch tensor, perhaps on a device and with gradients
        answer = answer.detach().cpu()
        answer = answer.double() if answer.is_floating_point() else answer  # NumPy lacks bfloat16
    _refuse_masked(answer, query, texts)
    try:
        scores = np.asarray(answer)
    except Exception as error:
        raise _failure(
            f"the scorer must return one number per text; its result is not an array: {error}",
            query,
            texts,
        ) from error
    if scores.dtype.kind not in "fiub":
        example = _shorten(repr(scores.flat[0] if scores.size else answer))
        example += "; return a list or an array" if isinstance(answer, Iterator) else ""
        raise _failure(
            f"the scorer must return numbers, not {scores.dtype} such as {example}", query, texts
        )
    if scores.shape != (len(texts),):
        hint = "; return scores[:, 0]" if scores.shape == (len(texts), 1) else ""
        hint = "; squeeze(-1) keeps a batch of one, squeeze() does not" if not scores.shape else hint
        raise _failure(
            f"the scorer must return shape ({len(texts)},), one score per text, "
            f"not {scores.shape}{hint}",
            query,
            texts,
        )
    with np.errstate(over="ignore"):  # a longer float becomes infinite, which is told below
        scores = scores.astype(np.float64)
    finite = np.isfinite(scores)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise _failure(
            f"the scorer returned {scores[bad]} for {int((~finite).sum())} of {len(texts)} texts",
            query,
            [text for text, good in zip(texts, finite, strict=True) if not good],
        )
    return scores


def _refuse_masked(answer: Any, query: str, texts: Sequence[str]) -> None:
    """A masked score is none, and the number under the mask must not pass for one."""
    if isinstance(answer, np.ma.MaskedArray):
        hidden = np.atleast_1d(np.ma.getmaskarray(answer))
    elif isinstance(answer, list | tuple):
        hidden = np.array([np.ma.is_masked(one) for one in answer], dtype=bool)
    else:
        return
    if hidden.any():
        bad = np.flatnonzero(hidden.reshape(len(hidden), -1).any(axis=1))
        raise _failure(
            f"the scorer masked the score of {int(hidden.sum())} of {len(texts)} texts, and a masked "
            "score is no number; fill it: scores.filled(value)",
            query,
            [texts[i] for i in bad.tolist()],
        )


def _failure(message: str, query: str, texts: Sequence[str]) -> ScorerError:
    message += f"\n  query: {_shorten(query)!r}"
    if texts:
        which = "document" if len(texts) == 1 else f"first of {len(texts)} documents"
        message += f"\n  {which}: {_shorten(texts[0])!r}"
    return ScorerError(message, query, texts)


def _shorten(text: str, length: int = 80) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
