"""Rankers that take their process with them."""

import os
import signal
from pathlib import Path


def once(query, texts):
    """Dies in the first process that comes here for a query later in the alphabet."""
    marker = Path(os.environ["INTENTX_DYING"])
    if query > "j":
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return [len(text) % 97 for text in texts]


def always(query, texts):
    os.kill(os.getpid(), signal.SIGKILL)
