"""A server for tests of the page: the demo collection with MiniLM, and a collection that is hostile.

Run as ``python -m tests.serve.page_server STATE``; it prints its address.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import textwrap
import time
from pathlib import Path

from intentx.datasets import demo_queries, load_demo
from intentx.documents import Document
from intentx.rankers import RankerSpec
from intentx.search import SearchIndex
from intentx.serve.engines import DemoEngine
from intentx.serve.rankers import ServedRanker
from intentx.serve.server import bound, run_server
from intentx.serve.service import Options, Service

QUERY = "jaguar speed"
EVIL = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
HOSTILE = f"hostile {EVIL}"
WHOLE = "whole"  # the demo as it is
ARABIC = "سرعة الجاغوار في الغابة، والنهر قريب."
DOCUMENTS = [
    Document("d1", f"A jaguar </textarea></script>{EVIL} runs with speed; it runs.", f"One {EVIL}"),
    Document(EVIL, f"Speed of a jaguar 😀🐆 beside a river {EVIL}", ""),
    Document("d3/..?x=1#y", "jaguar " * 3 + "w" * 3000, "javascript:window.hit=1"),
    Document("d4", f"jaguar {ARABIC} jaguar", ARABIC),
    Document("d5", "\u202ejaguar\u202c  {{7*7}} ${window.hit=1} speed", "\u202eevil"),
    Document("d6", "Speed of boats on a river in spring.", "Boats"),
]


def begun(query: str, text: str) -> str:
    """The beginning of a text, unless it lacks a form of a word of the query."""
    short, forms = textwrap.shorten(text, 200, placeholder=""), rf"\b(?:{query.replace(' ', '|')})\w*"
    said = [{*re.findall(forms, one.lower())} for one in (short, text)]
    return short if said[0] == said[1] else text


class ShortEngine(DemoEngine):
    """The demo, mostly of beginnings of documents: MiniLM reads each thousands of times."""

    def __init__(self, name: str = "demo") -> None:
        self.name, self.queries = name, demo_queries()
        documents = [(query, one) for query in self.queries for one in load_demo(query).documents]
        self.index = SearchIndex.build({one.id: begun(query, one.text) for query, one in documents})


class HostileEngine(DemoEngine):
    """Documents, ids, titles and a name that are code."""

    def __init__(self, name: str = HOSTILE) -> None:
        self.name = name
        self.queries = ("jaguar speed", f"jaguar {EVIL}")
        self.index = SearchIndex.build(DOCUMENTS)


def recorded(folder: Path) -> Path:
    """A run of one query, the shortest documents first."""
    texts = {one.id: one.text for one in load_demo(QUERY).documents}
    rows = (f"1 Q0 {doc} 1 {-len(text)} short" for doc, text in texts.items())
    (folder / "recorded.trec").write_text("\n".join(rows))
    return folder / "recorded.trec"


def held(query: str, texts: list[str]) -> list[int]:
    """A ranker that is slow until there is a file, named by the environment."""
    while not Path(os.environ["HELD_UNTIL"]).exists():
        time.sleep(0.02)
    return [len(text) for text in texts]


def main(state: str) -> None:
    """Answer until the process ends."""
    os.environ["HELD_UNTIL"] = str(Path(state) / "go")
    engines = {"demo": ShortEngine(), HOSTILE: HostileEngine(), WHOLE: DemoEngine(WHOLE)}
    openers = {"demo": functools.partial(ShortEngine, "demo"), HOSTILE: functools.partial(HostileEngine),
               WHOLE: functools.partial(DemoEngine, WHOLE)}  # fmt: skip
    specs = {
        "BM25": "bm25", "MiniLM": "bi-encoder:minilm", f"B {EVIL}": "bm25",
        "recorded": f"run:{recorded(Path(state))}", "down": "http://127.0.0.1:9/rank#retries=0",
        "held": "tests.serve.page_server:held",
    }  # fmt: skip
    rankers = {name: ServedRanker(name, RankerSpec.parse(spec)) for name, spec in specs.items()}
    service = Service(engines, openers, rankers, Options(state=Path(state)))
    with bound("127.0.0.1", 0, None) as (listening, address):
        told = functools.partial(print, address.url, flush=True)
        run_server(service, listening, address, ready=lambda resumed, lost: told())


if __name__ == "__main__":
    main(*sys.argv[1:])
