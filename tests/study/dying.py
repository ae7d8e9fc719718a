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


_SEEN = set()


def on_versions(query, texts):
    """Dies when it is asked for a text that is no document; with a marker, only once."""
    first = not _SEEN
    if first:
        _SEEN.update(texts)
        time.sleep(1.1)  # cells are written by the second
    marker = os.environ.get("INTENTX_DYING")
    if not _SEEN.issuperset(texts) and not (marker and Path(marker).exists()):
        if marker:
            Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return [len(text) % 97 for text in texts]


def always(query, texts):
    os.kill(os.getpid(), signal.SIGKILL)


_HELD = {}


def grows(query, texts):
    """Holds more memory from its second query on, which joblib takes for a leak when it looks, once a
    second: above 300 MB.
    """
    if query not in _HELD:
        _HELD[query] = b"x" * 350_000_000 if _HELD else b""
        time.sleep(1.1)
    return [len(text) % 97 for text in texts]
