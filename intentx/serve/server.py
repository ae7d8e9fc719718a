"""Starts the server: its address, its token, and the loop that answers."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from intentx.errors import InputError, MissingExtraError
from intentx.serve.service import Service

__all__ = ["Address", "bound", "run_server"]

KEPT_ALIVE = 75  # seconds that an idle connection stays open; who sends as it closes gets no answer


@dataclass(frozen=True)
class Address:
    """Where a server listens.

    Attributes
    ----------
    host, port
        As they are bound.
    token
        What requests must bring; None on the loopback, unless one is given.
    """

    host: str
    port: int
    token: str | None

    @property
    def url(self) -> str:
        """What a browser opens."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        host = f"[{host}]" if ":" in host and not host.startswith("[") else host
        return f"http://{host}:{self.port}/"

    @property
    def link(self) -> str:
        """The same with its token."""
        return self.url if self.token is None else f"{self.url}?token={self.token}"


@contextlib.contextmanager
def bound(host: str, port: int, token: str | None) -> Iterator[tuple[socket.socket, Address]]:
    """A socket that listens, and its address; of an address that others reach, with a token.

    Raises
    ------
    InputError
        If the address cannot be used.
    """
    from intentx.serve.guard import is_loopback

    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise InputError(f"no address {host}:{port}: {error}; give another --host or --port") from error
    with listening:
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen(512)
        except OSError as error:
            raise InputError(
                f"{host}:{port} cannot be listened at: {error}; give another --port, or 0 for a free one"
            ) from error
        yield listening, Address(host, listening.getsockname()[1], token)


def run_server(
    service: Service,
    listening: socket.socket,
    address: Address,
    *,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
    ready: Callable[[int, int], None] | None = None,
) -> None:
    """Answer until the process is interrupted.

    Parameters
    ----------
    hosts
        Further names that the server goes by.
    origins
        Origins of other pages that may ask.
    ready
        Called once it answers, with the numbers of jobs of a server before it that are resumed and lost.

    Raises
    ------
    MissingExtraError
        Without starlette and uvicorn.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingExtraError("uvicorn", "serve") from error
    from intentx.serve.app import make_app
    from intentx.serve.guard import Manners

    manners = Manners(
        hosts={address.host, socket.gethostname().lower(), *hosts},
        any_address=address.host in ("0.0.0.0", "::"),  # noqa: S104
        token=address.token,
        origins=set(origins),
    )
    config = uvicorn.Config(
        make_app(service, manners, ready), log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=3, timeout_keep_alive=KEPT_ALIVE, limit_concurrency=2_000,
    )  # fmt: skip

    class Leaving(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            service.leave()  # else streams of events would keep it waiting
            await super().shutdown(sockets)

    with contextlib.suppress(KeyboardInterrupt):  # how people end it
        Leaving(config).run(sockets=[listening])
