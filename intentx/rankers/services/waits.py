"""Waits between tries of a request."""

from __future__ import annotations

import numpy as np
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

__all__ = ["Waits"]


class Waits(Retry):
    """Waits that double, each drawn from its upper half, or as long as ``Retry-After`` asks.

    Those of urllib3 begin at 0, so that many clients who were refused at once come again at once.

    >>> first = Waits(2, backoff_factor=8.0).increment("POST")
    >>> 4 <= first.get_backoff_time() <= 8 <= first.increment("POST").get_backoff_time() <= 16
    True
    """

    def get_backoff_time(self) -> float:
        """Seconds to wait after the tries so far."""
        drawn = float(np.random.default_rng().uniform(0.5, 1.0))
        return float(min(self.backoff_max, self.backoff_factor * 2 ** (len(self.history) - 1) * drawn))

    def parse_retry_after(self, retry_after: str) -> float:
        """Seconds that a header asks for, as a number or a date; 0 where it is neither."""
        try:
            return super().parse_retry_after(retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return 0.0
