"""A first stage in an index of Elasticsearch or OpenSearch."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import numpy as np

from intentx.datasets.records import TEXT_KEYS
from intentx.errors import InputError
from intentx.files import excerpt
from intentx.rankers.services.redaction import without_secrets
from intentx.rankers.services.service import Service
from intentx.rankers.spec_settings import Readers, settings_from
from intentx.serve.engines import Hit, Passage, Queries

__all__ = ["ElasticsearchEngine"]

MOST = 10_000  # hits that Elasticsearch gives at once
EXACT = 1_000  # ranks up to which equal scores are told apart by their ids


class ElasticsearchEngine(Service):
    """An index of Elasticsearch or OpenSearch.

    Tries, waits and what messages show are those of `intentx.rankers.HTTPReranker`.

    Parameters
    ----------
    url
        The index: ``http://127.0.0.1:9200/INDEX``. ``${NAME}`` stands for an environment variable.
    title, text
        The fields of its documents; a dot leads into an object. None: ``title``, and the first of
        ``text``, ``contents``, ``content`` and ``body`` that a document has.
    key_env
        The environment variable that holds the key, sent as ``Authorization: ApiKey``.
    scheme
        What to send in place of ``ApiKey``: ``Bearer`` or ``Basic``.
    timeout, retries, backoff
        Seconds for one answer, further tries, seconds before the second try.
    name
        What the page calls the collection; None: as the index.
    queries
        Queries to suggest.

    Raises
    ------
    InputError
        If the URL names no index, the index holds no documents, or these have no such field.
    ScorerError
        If it cannot be reached, or refuses.
    """

    what = "search engine"

    def __init__(
        self,
        url: str,
        *,
        title: str | None = None,
        text: str | None = None,
        key_env: str | None = None,
        scheme: str = "ApiKey",
        timeout: float = 10.0,
        retries: int = 2,
        backoff: float = 0.2,
        name: str | None = None,
        queries: Queries | None = None,
    ) -> None:
        if scheme not in ("ApiKey", "Bearer", "Basic"):
            raise InputError(f"scheme must be ApiKey, Bearer or Basic, not {scheme!r}")
        self.scheme = scheme
        super().__init__(url, key_env=key_env, timeout=timeout, retries=retries, backoff=backoff)
        path = self._place.target.partition("?")[0].rstrip("/")
        self._place = self._place._replace(target=self._place.target.replace(path + "/", path, 1))
        index = unquote(path.rpartition("/")[2])
        if not index:
            raise InputError(
                f"{without_secrets(url)} names no index: elasticsearch:URL/INDEX expected, such as "
                "elasticsearch:http://127.0.0.1:9200/papers"
            )
        self.name = index if name is None else name
        self.queries = () if queries is None else queries
        self._asked = {
            "url": url, "title": title, "text": text, "key_env": key_env, "scheme": scheme,
            "timeout": timeout, "retries": retries, "backoff": backoff, "name": name,
            "queries": queries,
        }  # fmt: skip
        self._count = self._counted()
        self._title, self._text = self._fields(title, text)

    @classmethod
    def from_spec(
        cls, spec: str, *, name: str | None = None, queries: Queries | None = None
    ) -> ElasticsearchEngine:
        """``URL/INDEX``, with settings behind a ``#``: ``#title=headline&text=body&key_env=ES_KEY``."""
        url, _, text = spec.partition("#")
        return cls(url, **settings_from("elasticsearch", text, SETTINGS), name=name, queries=queries)

    def __reduce__(self) -> tuple[Any, ...]:
        return _elasticsearch, ({**self._asked, "name": self.name},)

    def __repr__(self) -> str:
        return f"<ElasticsearchEngine {without_secrets(self.url)}>"

    def __len__(self) -> int:
        return self._count

    def search(self, query: str, k: int) -> list[Hit]:
        if not 1 <= k <= MOST:
            raise InputError(f"k must be from 1 to {MOST:,}, what Elasticsearch gives, not {k!r}")
        found = self._hits({"query": self._match(query), "size": k})
        return sorted(found, key=lambda hit: (-hit.score, hit.doc_id))[:k]

    def documents(self, ids: Sequence[str]) -> list[Passage]:
        if not ids:
            return []
        fields = [name for name in (self._title, self._text) if name is not None]
        asked = [{"_id": doc_id, "_source": fields} for doc_id in dict.fromkeys(ids)]
        rows = self._ask("_mget", {"docs": asked}).get("docs")
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            raise self._failure("answered _mget without a list of docs")
        found = {row.get("_id"): row for row in rows if row.get("found") is True}
        absent = [doc_id for doc_id in ids if doc_id not in found]
        if absent:
            raise InputError(
                f"no document {', '.join(map(repr, absent[:5]))} in the collection {self.name!r}"
            )
        return [self._passage(doc_id, found[doc_id]) for doc_id in ids]

    def place(self, query: str, doc_id: str) -> tuple[int | None, float]:
        self.documents([doc_id])
        match = self._match(query)
        only = {"bool": {"must": [match], "filter": [{"ids": {"values": [doc_id]}}]}}
        hits = self._hits({"query": only, "size": 1})
        if not hits:
            return None, 0.0
        score = hits[0].score
        least = float(np.nextafter(np.float32(score), np.float32(math.inf)))
        before, to_there = self._at_least(match, least), self._at_least(match, score)
        if before + 1 < to_there <= EXACT:
            ids = [hit.doc_id for hit in self.search(query, to_there)]
            if doc_id in ids:
                return ids.index(doc_id) + 1, score
        return before + 1, score

    def close(self) -> None:
        """Nothing is held."""

    def _match(self, query: str) -> dict[str, Any]:
        fields = [name for name in (self._title, self._text) if name is not None]
        return {"multi_match": {"query": query, "fields": fields, "type": "most_fields"}}

    def _at_least(self, match: Mapping[str, Any], score: float) -> int:
        """How many documents have this score or more."""
        asked = {"query": match, "size": 0, "min_score": score, "track_total_hits": True}
        total = self._searched(asked).get("total")
        number = total.get("value") if isinstance(total, Mapping) else total
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            raise self._failure(f"told no number of hits but {excerpt(total)}")
        return number

    def _hits(self, asked: dict[str, Any]) -> list[Hit]:
        rows = self._searched({**asked, "_source": False}).get("hits")
        if not isinstance(rows, list):
            raise self._failure("answered _search without a list of hits")
        found: dict[str, float] = {}
        for row in rows:
            hit: dict[str, Any] = row if isinstance(row, dict) else {}
            doc_id, score = hit.get("_id"), hit.get("_score")
            if not isinstance(doc_id, str) or not _finite(score):
                raise self._failure(f"gave a hit without an id and a score: {excerpt(row)}")
            number: Any = score
            found[doc_id] = float(number)
        return [Hit(*one) for one in found.items()]

    def _searched(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The ``hits`` of a search of the whole index."""
        plain = self._ask("_search", asked)
        shards = plain.get("_shards")
        failed = shards.get("failed") if isinstance(shards, Mapping) else 0
        if failed or plain.get("timed_out") is True:
            why = f"{failed} of its shards failed" if failed else "it ran out of time"
            raise self._failure(f"searched a part of the index only: {why}")
        hits = plain.get("hits")
        if not isinstance(hits, Mapping):
            raise self._failure("answered _search without hits")
        return hits

    def _counted(self) -> int:
        count = self._ask("_count", {"query": {"match_all": {}}}).get("count")
        if isinstance(count, bool) or not isinstance(count, int):
            raise self._failure(f"counts no documents but {excerpt(count)}")
        if not count:
            raise InputError(f"the index at {without_secrets(self.url)} holds no documents")
        return count

    def _fields(self, title: str | None, text: str | None) -> tuple[str | None, str]:
        """The names of the fields, by a look at one document."""
        rows = self._searched({"query": {"match_all": {}}, "size": 1}).get("hits")
        first = rows[0] if isinstance(rows, list) and rows else None
        source = first.get("_source") if isinstance(first, Mapping) else None
        if not isinstance(source, Mapping):
            raise self._failure("gave a document without _source, which holds its text")
        known = ", ".join(map(str, list(source)[:20])) or "no field"
        for name, said in (("title", title), ("text", text)):
            if said is not None and _inside(source, said) is None:
                raise InputError(
                    f"a document of {without_secrets(self.url)} has no field {said!r} for the {name}; "
                    f"it has: {known}"
                )
        if text is None:
            text = next((one for one in TEXT_KEYS if isinstance(source.get(one), str)), None)
        if text is None:
            raise InputError(
                f"documents of {without_secrets(self.url)} have none of the fields "
                f"{', '.join(TEXT_KEYS)}; they have: {known}; name the field with #text=FIELD"
            )
        return (title or ("title" if "title" in source and text != "title" else None)), text

    def _passage(self, doc_id: str, row: Mapping[str, Any]) -> Passage:
        source = row.get("_source")
        found = []
        for field in (self._title, self._text):
            value = _inside(source, field) if field is not None else ""
            parts = value if isinstance(value, list) else [value]
            if value is None and field == self._title:
                parts = []
            if not all(isinstance(part, str) for part in parts):
                raise self._failure(f"has no text in the field {field!r} of {doc_id!r}")
            found.append("\n".join(parts))
        return Passage(doc_id, *found)

    def _ask(self, what: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object that one of its endpoints answers."""
        content = json.dumps(body).encode()
        with contextlib.closing(self._connection()) as connection:
            answer = self._post(connection, content, f"/{what}")
        if answer.status == 404:
            raise self._failure(f"has no index of this name: {self._refusal(answer)}")
        if not 200 <= answer.status < 300:
            raise self._failure(self._refusal(answer))
        try:
            plain = json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise self._failure(f"answered no JSON but {self._excerpt(answer.content)!r}") from error
        if not isinstance(plain, dict):
            raise self._failure(f"answered no JSON object but {self._excerpt(answer.content)!r}")
        return plain


SETTINGS: Readers = {
    "title": str,
    "text": str,
    "key_env": str,
    "scheme": str,
    "timeout": float,
    "retries": int,
    "backoff": float,
}


def _elasticsearch(asked: dict[str, Any]) -> ElasticsearchEngine:
    return ElasticsearchEngine(**asked)


def _inside(source: Any, field: str) -> Any:
    """The value of a field, whose dots lead into objects; None where there is none."""
    if isinstance(source, Mapping) and field in source:
        return source[field]
    head, dot, rest = field.partition(".")
    inside = source.get(head) if isinstance(source, Mapping) and dot else None
    return _inside(inside, rest) if inside is not None else None


def _finite(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return bool(number and math.isfinite(value))
