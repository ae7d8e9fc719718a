"""By how much attributions miss what they should add up to, and what follows from it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError
from intentx.explainers.document.subject import Subject
from intentx.explainers.inside.embedding_layer import WAYS_OUT

__all__ = ["Attributions", "judged"]

Floats = npt.NDArray[np.float64]

NOTHING = 1e-6  # a difference of scores below this share of them is rounding
ROUNDING = 1e-5  # a gap of so small a share of the scores may be rounding
SAID = 0.02  # a relative gap above this is said before anything else
REFUSED = 0.5  # of one above this nothing is shown
CANCELS = 1e3  # times the scores: attributions so large have nearly cancelled each other out


class Attributions(NamedTuple):
    """``values`` (L,) of a document's pieces, the document's score, and that of the reference.

    ``cause`` is what may have led to a gap, for a reader who meets one.
    """

    values: Floats
    score: float
    reference: float | None = None
    cause: str = ""


def judged(
    subject: Subject, found: Attributions, other: Attributions | None, complete: bool
) -> dict[str, float]:
    """The scores and the gap; a wide one becomes the first thing that is said, or an error.

    Parameters
    ----------
    subject
        Gets the cautions.
    other
        Of the document that it is compared with.
    complete
        Whether the attributions should add up; if not, a gap is said and never refused.

    Raises
    ------
    InputError
        If they should, and miss by more than half.
    """
    if found.reference is None:
        return {"score": found.score}
    metrics = {"score": found.score, "reference": found.reference}
    gap, size = _gap(found)
    difference = found.score - found.reference
    what = f"the difference of {difference:.4g} between the document and its reference"
    if other is not None and other.reference is not None:
        _refuse(subject, found, *_gap(found), complete)
        _refuse(subject, other, *_gap(other), complete)
        metrics |= {"other_score": other.score, "other_reference": other.reference}
        gap, size = gap - _gap(other)[0], max(size, _gap(other)[1])
        difference = found.score - other.score
        what = f"the difference of {difference:.4g} between the two documents"
    relative = abs(gap / difference) if abs(difference) > NOTHING * size else math.nan
    if abs(gap) > ROUNDING * size and not relative <= SAID:
        share = "" if math.isnan(relative) else f", {relative:.1%} of it"
        say = f"the attributions of {subject.method} miss {what} by {abs(gap):.3g}{share}"
        cause = found.cause or (other.cause if other else "")
        subject.cautions.append(f"{say}; {cause}" if cause else say)
        if complete and not relative <= REFUSED:
            raise InputError(
                f"{_named(subject)}: {say}, which is too much for a usable explanation; {_out(cause)}"
            )
    largest = max((abs(float(v)) for one in (found, other) if one for v in one.values), default=0.0)
    if largest > CANCELS * size > 0:
        subject.cautions.append(
            f"attributions of up to {largest:.2g} cancel each other out and are large compared with "
            f"scores of {size:.2g}: they say little about single words; {WAYS_OUT}"
        )
    return metrics | {"gap": gap, "relative_gap": relative}


def _refuse(subject: Subject, found: Attributions, gap: float, size: float, complete: bool) -> None:
    """Refuse what misses by itself already; in a pair such gaps might cancel out."""
    difference = found.score - (found.reference or 0.0)
    if complete and abs(gap) > max(ROUNDING * size, REFUSED * abs(difference)):
        raise InputError(
            f"{_named(subject)}: the attributions of {subject.method} miss a difference of "
            f"{difference:.4g} from the reference by {abs(gap):.3g}, which is too much for a usable "
            f"explanation; {_out(found.cause)}"
        )


def _gap(found: Attributions) -> tuple[float, float]:
    """The sum of the attributions less what it should be, and the size of the scores."""
    reference = found.reference or 0.0
    gap = math.fsum(found.values) - (found.score - reference)
    return gap, max(abs(found.score), abs(reference))


def _named(subject: Subject) -> str:
    return f"no explanation of document {subject.doc_id!r} of {subject.ranking.query!r}"


def _out(cause: str) -> str:
    return f"{cause}; {WAYS_OUT}" if cause else WAYS_OUT
