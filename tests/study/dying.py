"""Rankers that take their process with them, or make it be replaced."""

import os
import signal
import time
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


def on_versions(query, texts):
    """Dies when it is asked for fewer texts than there are documents; with a marker, only once."""
    marker = os.environ.get("INTENTX_DYING")
    if len(texts) < 12 and not (marker and Path(marker).exists()):
        if marker:
            Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(1.1 * (len(texts) >= 12))  # cells are written by the second
    return [len(text) % 97 for text in texts]


def always(query, texts):
    os.kill(os.getpid(), signal.SIGKILL)


_HELD = []


def grows(query, texts):
    """Holds more memory with each query, which joblib takes for a leak when it looks, once a second."""
    _HELD.append(b"x" * 150_000_000 if _HELD else b"")
    time.sleep(1.1)
    return [len(text) % 97 for text in texts]
