"""Signed weights as people read them in a terminal: numbers, and bars to either side of a line."""

from __future__ import annotations

import math

__all__ = ["ONE_SIDED", "SIZES", "sides_of", "signed", "two_sided"]

SIZES = ("Saliency", "Attention")  # methods whose weights are sizes, without a direction
ONE_SIDED = ("GradCAM",)  # those that see only what speaks for a document


def sides_of(method: str) -> tuple[str, str]:
    """What a weight below 0, and one above, says of a word; "" where the method gives none below.

    >>> sides_of("KernelSHAP"), sides_of("Attention"), sides_of("GradCAM")
    (('against', 'for'), ('', 'attended to'), ('', 'for'))
    """
    if method in ONE_SIDED:
        return "", "for"
    if method in SIZES:
        return "", "attended to" if method == "Attention" else "matters"
    return "against", "for"


def two_sided(left: str, right: str, gap: str = "", *, width: int) -> str:
    """What stands to the left and to the right of a middle line; blanks at its end are kept."""
    return f"{left + gap:>{width}}│{gap + right:<{width}}".replace(" ", "\u00a0")


def signed(weight: float, largest: float) -> str:
    """A weight with its sign, and as many digits as the largest of its kind needs for three.

    >>> signed(0.0213, -1.5), signed(-1.5, -1.5), signed(2.5e-7, 2.5e-7)
    ('+0.02', '-1.50', '+2.50e-07')
    >>> signed(0.0, 1.5), signed(-0.0001, 1.5)  # nothing, and next to nothing
    ('0', '0.00')
    """
    size = abs(largest)
    if weight == 0 or not size:
        return "0"
    if not 1e-4 <= size < 1e6:
        return f"{weight:+.2e}"
    digits = max(0, 2 - math.floor(math.log10(size)))
    return f"{weight:{'+' if round(weight, digits) else 'z'}.{digits}f}"
