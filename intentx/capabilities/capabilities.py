"""`Capabilities`: the one place that asks a scorer what it can do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from intentx.capabilities.looks import seen_once
from intentx.capabilities.protocols import (
    AttentionMaps,
    CallCost,
    Differentiable,
    FeatureMapped,
    TokenMatches,
)
from intentx.capabilities.wrappers import own, own_of_scores
from intentx.errors import InputError, IntentxError, ScorerError
from intentx.text import Analyzer

__all__ = ["Capabilities", "Read"]

HALF = frozenset({"torch.float16", "torch.bfloat16"})


class Read(NamedTuple):
    """Texts as far as a scorer reads them.

    Attributes
    ----------
    texts
        N texts; whole ones where nothing says that less is read.
    unknown
        Why the scorer could not tell, though it has a method for it; else "".
    """

    texts: tuple[str, ...]
    unknown: str = ""


@dataclass(frozen=True, eq=False)
class Capabilities:
    """What a scorer can do beside scoring, as far as it says.

    Nothing is kept: each question is put to the scorer when it is asked here. ``BlackBox.can`` and
    ``Ranking.can`` have one.

    Parameters
    ----------
    scorer
        Any callable ``(query, texts) -> (N,)`` scores; None for a recorded ranking, which says nothing.

    Notes
    -----
    What is asked, and what happens where a scorer does not say:

    ====================== ======= ==================================================================
    said by                counts  where it is not said
    ====================== ======= ==================================================================
    ``listwise``           handed  each text is taken to be scored by itself. `intentx.rank` scores
                           on      some again, and warns where scores depend on the others.
    ``seen``               handed  every text is taken to be read to its end. Where ``seen`` raises an
                           on      InputError, too; then a `TruncationWarning` of `intentx.rank` and a
                                   note of the explanation tell why. An InputError where texts are to
                                   be cut: ``truncated="cut"``. Studies and comparisons cut where
                                   they can, and else rank whole texts.
    ``mask_token``         handed  words are deleted and not masked. An InputError where a mask is
                           on      asked for and none is given: ``removal="mask"``.
    ``fingerprint``        own,    scores are not remembered on disk: an InputError where a cache is
                           of the  given without a fingerprint; a study goes without.
                           scores
    ``state_mark``         own     the fingerprint in its place; where neither is there, the scorer is
                                   taken to stay the same while a `BlackBox` holds it.
    ``term_weights``,      own,    explanations are not held against them: no metric and no row, rather
    or ``intent``          of the  than a 0. A `ScorerError` where it fails or gives something else.
                           scores
    ``preference``         own     of two documents, the whole list is asked.
    ``stages``             own     no stages are told apart.
    ``remarks``            handed  nothing is added to the notes of explanations.
                           on
    ``cost``               handed  what an explanation costs is not told beforehand, and not limited.
                           on
    ``activated``          own     the raw scores alone are shown. A `ScorerError` where it fails or
                                   gives something else.
    ``analyzer``           own     terms are those of ``Analyzer()``; terms that a scorer looks for are
                                   compared as English stems.
    ``embed``,             own     an InputError from methods that take gradients, which names what is
    ``score_embedded``,            needed and methods that do without. ``no_gradients`` says why.
    ``module``
    ``feature_maps``       own     an InputError from GradCAM, in the same way.
    ``token_matches``,     own     an InputError from TokenPairs, which names ways that work.
    ``at_side``,                   ``at_side`` is of encoders of two sides, ``interaction`` of rankers
    ``interaction``                over a matrix of similarities.
    ``score_pairs``        own     texts of different queries go in calls of their own.
    ``attentions``         own     an InputError from Attention, in the same way.
    ``batch_size``         handed  32 versions of a document in one pass, where gradients are taken.
                           on
    ====================== ======= ==================================================================

    A wrapper may hand all attributes on to the scorer inside it (``__getattr__``). Those that say how
    texts are to be given are taken from there: "handed on". Those that stand for the scores themselves
    count only where the wrapper has them by itself, since it may change the scores: "own". And what is
    said "of the scores" does not count, either, where a subclass overrides ``__call__`` and inherits
    it, or where `functools.wraps` copied it.

    Examples
    --------
    >>> def length(query, texts):
    ...     return [len(text) for text in texts]
    >>> Capabilities.of(length).listwise, Capabilities.of(length).seen("tea", ["green"])
    (False, None)
    >>> length.listwise = True
    >>> Capabilities.of(length).listwise
    True
    """

    scorer: object

    @classmethod
    def of(cls, scorer: object) -> Capabilities:
        """Those of a scorer; of a `BlackBox`, those of the scorer in it."""
        can = own(scorer, "can")
        return can if isinstance(can, Capabilities) else cls(scorer)

    @property
    def name(self) -> str:
        """What messages call the scorer: its ``__name__``, else its class."""
        return str(getattr(self.scorer, "__name__", type(self.scorer).__name__))

    @property
    def listwise(self) -> bool:
        """Whether the score of a text depends on the other texts, or on their order."""
        return bool(getattr(self.scorer, "listwise", False))

    @property
    def preference(self) -> Callable[[str, str, str], float] | None:
        """What says how probably the first of two texts is better for a query, where the scorer can."""
        found = own(self.scorer, "preference")
        return found if callable(found) else None

    @property
    def stages(self) -> Callable[[str, Sequence[str]], Sequence[Any]] | None:
        """What tells the stages of the scorer apart, where it has some."""
        found = own(self.scorer, "stages")
        return found if callable(found) else None

    @property
    def cost(self) -> CallCost | None:
        """What it costs to ask the scorer, where it says so."""
        found = getattr(self.scorer, "cost", None)
        return found if isinstance(found, CallCost) else None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the scorer itself has to say about its answers so far, for the notes."""
        found = getattr(self.scorer, "remarks", ())
        return tuple(map(str, found)) if isinstance(found, tuple | list) else ()

    @property
    def truncates(self) -> bool:
        """Whether it can be asked how much it reads: `seen` is then not None."""
        return callable(getattr(self.scorer, "seen", None))

    def seen(self, query: str, texts: Sequence[str]) -> tuple[str, ...] | None:
        """Each text as far as it is read; None where the scorer has no method ``seen``.

        Raises
        ------
        InputError
            If the scorer cannot tell of these texts.
        ScorerError
            If ``seen`` fails in another way, or does not give one text for each.
        """
        if not self.truncates:
            return None
        scorer: Any = self.scorer
        try:
            found = scorer.seen(query, list(texts))
            read = found if isinstance(found, str) else tuple(found)
        except IntentxError:
            raise
        except Exception as error:
            message = f"seen of {self.name} failed for query {query!r}: {error!r}"
            raise ScorerError(message, query, texts) from error
        if isinstance(read, str) or len(read) != len(texts) or not all(isinstance(t, str) for t in read):
            what = "one text" if isinstance(read, str) else f"{len(read)} values such as {read[:1]!r}"
            message = f"seen of {self.name} must give {len(texts)} texts, one for each; it gave {what}"
            raise ScorerError(message, query, texts)
        return read

    def read(self, query: str, texts: Sequence[str]) -> Read:
        """Each text as far as it is read, and whole where the scorer does not say.

        Raises
        ------
        ScorerError
            As `seen`.
        """
        try:
            return Read(self.seen(query, texts) or tuple(texts))
        except InputError as error:
            return Read(tuple(texts), str(error))

    @property
    def mask_token(self) -> str | None:
        """What the scorer reads as a hidden word."""
        token = getattr(self.scorer, "mask_token", None)
        return token if isinstance(token, str) and token else None

    @property
    def fingerprint(self) -> str | None:
        """A text that stands for the scores.

        Raises
        ------
        InputError
            If it is something else than a text.
        """
        found = self._fingerprint
        if found is not None and not isinstance(found, str):
            raise InputError(f"the fingerprint of {self.name} must be a string, not {found!r}")
        return found or None

    @property
    def _fingerprint(self) -> Any:
        return own_of_scores(self.scorer, "fingerprint")[1]

    def filed_under(self, given: str | None = None) -> str:
        """What scores are filed under on disk: the fingerprint that is given, else the scorer's.

        Raises
        ------
        InputError
            If there is none.
        """
        found = self._fingerprint if given is None else given
        if isinstance(found, str) and found:
            return found
        inherited = getattr(self.scorer, "fingerprint", None)
        shown = "" if found is None and inherited is not None else f"; not {found!r}"
        why = "; the one it has is inherited or belongs to the object it wraps" if not shown else ""
        raise InputError(
            f"to cache the scores of {self.name} on disk, give it a fingerprint: a string such as "
            f"'my ranker, version 3' that you change whenever its scores may change{shown}{why}"
        )

    def state_mark(self, *, thorough: bool) -> Any:
        """What differs once the scorer has changed; None where it does not tell."""
        mark = own(self.scorer, "state_mark")
        if not callable(mark):
            return self._fingerprint
        return seen_once(self.scorer, lambda: mark(thorough=thorough), thorough=thorough)

    @property
    def analyzer(self) -> Analyzer | None:
        """How the scorer itself makes terms of texts."""
        found = own(self.scorer, "analyzer")
        return found if isinstance(found, Analyzer) else None

    def activated(self, scores: npt.ArrayLike) -> tuple[str, npt.NDArray[np.float64]] | None:
        """The name of a function and what the scorer makes of (N,) raw scores by it, or None.

        Raises
        ------
        ScorerError
            If ``activated`` fails, or gives something else than a name and N numbers.
        """
        activated = own(self.scorer, "activated")
        if not callable(activated):
            return None
        try:
            found = activated(scores)
            if found is None:
                return None
            name, values = found
            values = np.asarray(values, dtype=np.float64)
        except Exception as error:
            raise ScorerError(f"activated of {self.name} failed: {error!r}") from error
        if not isinstance(name, str) or values.shape != np.shape(scores):
            raise ScorerError(
                f"activated of {self.name} must give a name and {np.size(scores)} numbers, not {name!r} "
                f"and an array of shape {values.shape}"
            )
        return name, values

    def term_weights(self, query: str) -> Mapping[str, float] | None:
        """Finite weights by term of what the scorer looks for, or None.

        Raises
        ------
        ScorerError
            If ``term_weights`` fails, or gives something else.
        """
        name, said = own_of_scores(self.scorer, "term_weights", "intent")
        if not callable(said):
            return None
        try:
            found = said(query)
        except Exception as error:
            raise ScorerError(f"{name} of the ranker failed for query {query!r}: {error!r}") from error
        if not isinstance(found, Mapping):
            raise ScorerError(
                f"{name} of the ranker must give weights by term, such as {{'tea': 1.0}}, not "
                f"{type(found).__name__}"
            )
        return {term: _weight(name, term, weight) for term, weight in found.items()}

    @property
    def differentiable(self) -> Differentiable | None:
        """The scorer, where gradients can be taken of its own scores."""
        own_ones = all(own(self.scorer, name) is not None for name in ("embed", "score_embedded"))
        return cast(Differentiable, self.scorer) if own_ones and self._has_embedding else None

    @property
    def no_gradients(self) -> str:
        """Why the scorer is not `differentiable`."""
        said = getattr(self.scorer, "no_gradients", None)
        if isinstance(said, str) and said:
            return said
        if self._has_embedding:
            return (
                "its embed and score_embedded are those of the scorer in it, whose scores it may change"
            )
        return "it has no embed and score_embedded (see intentx.capabilities.Differentiable)"

    @property
    def _has_embedding(self) -> bool:
        return all(hasattr(self.scorer, name) for name in ("module", "embed", "score_embedded"))

    @property
    def feature_mapped(self) -> FeatureMapped | None:
        """The scorer, where it has feature maps of its own."""
        found = own(self.scorer, "feature_maps") is not None
        return cast(FeatureMapped, self.scorer) if found else None

    @property
    def token_matches(self) -> Callable[[str, str], TokenMatches] | None:
        """What says which tokens matched, where the score is a sum over pairs of them."""
        found = own_of_scores(self.scorer, "token_matches")[1]
        return found if callable(found) else None

    @property
    def scores_pairs(self) -> Callable[[Sequence[str], Sequence[str]], Any] | None:
        """What scores texts for queries of their own in one call."""
        found = own_of_scores(self.scorer, "score_pairs")[1]
        return found if callable(found) and not self.listwise else None

    @property
    def attentions(self) -> Callable[[str, str], AttentionMaps] | None:
        """What shows what the scorer attends to."""
        found = own_of_scores(self.scorer, "attentions")[1]
        return found if callable(found) else None

    @property
    def at_side(self) -> Callable[..., Any] | None:
        """What gives a text at the embedding layer of either side of a dual encoder."""
        found = own_of_scores(self.scorer, "at_side")[1]
        return found if callable(found) else None

    @property
    def interacting(self) -> Any:
        """The scorer, where its network reads a matrix of similarities of terms; else None."""
        both = all(own_of_scores(self.scorer, name)[1] for name in ("interaction", "module"))
        return self.scorer if both else None

    @property
    def batch_size(self) -> int | None:
        """The most versions of a document that the scorer takes in one pass."""
        found = getattr(self.scorer, "batch_size", None)
        return None if found is None else int(found)

    @property
    def half_precision(self) -> bool:
        """Whether its model is known to compute in 16 bits."""
        models = (getattr(self.scorer, name, None) for name in ("module", "model"))
        return any(str(getattr(model, "dtype", "")) in HALF for model in models)


def _weight(name: str, term: Any, weight: Any) -> float:
    try:
        found = float(weight)
    except (TypeError, ValueError):
        found = math.nan
    if not isinstance(term, str) or not math.isfinite(found):
        raise ScorerError(
            f"{name} of the ranker must give a finite weight for each term, not {weight!r} for {term!r}"
        )
    return found
