"""A deadline for one exchange over HTTP."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

__all__ = ["deadline"]


@contextlib.contextmanager
def deadline(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Around one exchange: a TimeoutError when it takes longer, however the service spends the time.

    A socket's own timeout begins anew with each byte that arrives, of headers and of chunks, too.
    """
    late = threading.Event()

    def give_up() -> None:
        late.set()
        if connection.sock is not None:
            with contextlib.suppress(OSError):  # not that of TLS, which would wait for the other side
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise TimeoutError(f"no whole answer within {seconds:g} s") from error
        raise
    finally:
        timer.cancel()
    if late.is_set():  # cut off between two parts, it may look complete
        raise TimeoutError(f"no whole answer within {seconds:g} s")
