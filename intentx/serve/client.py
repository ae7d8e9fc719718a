"""`Client`: ask a search page's server from Python."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from intentx.errors import InputError, ScorerError
from intentx.saved import answer_of

__all__ = ["Client"]

LONGEST_WAIT = 30.0  # seconds of one request for a job


class Client:
    """A server that ``intentx serve`` started, asked over HTTP.

    Parameters
    ----------
    url
        Where it is, as it says at its start, such as ``http://127.0.0.1:8321``.
    token
        Its token, if it has one.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    InputError
        If the URL is none. Every method raises it for what the server refuses, with its message, and
        where no server answers.
    ScorerError
        By every method, if the ranker fails there.

    Examples
    --------
    >>> client = Client("http://127.0.0.1:8321")
    >>> client.explain("jaguar speed", ranker="MiniLM").terms          # doctest: +SKIP
    ('jaguar', 'speed', 'cars')
    """

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 600.0) -> None:
        parts = urlsplit(url) if isinstance(url, str) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
            raise InputError(f"the URL of a server is like http://127.0.0.1:8321, not {url!r}")
        if not timeout > 0:
            raise InputError(f"timeout must be seconds above 0, not {timeout!r}")
        self.url, self._token, self._timeout = url.rstrip("/"), token, timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def rankers(self) -> list[dict[str, Any]]:
        """The rankers of the server."""
        return self._get("rankers")  # type: ignore[no-any-return]

    def collections(self) -> list[dict[str, Any]]:
        """Its collections."""
        return self._get("collections")  # type: ignore[no-any-return]

    def methods(self, ranker: str = "", question: str | None = None) -> list[dict[str, Any]]:
        """Methods that a ranker allows, quickest first."""
        asked = {"ranker": ranker} | ({} if question is None else {"question": question})
        return self._get(f"methods?{urlencode(asked)}")  # type: ignore[no-any-return]

    def search(
        self, query: str, rankers: Sequence[str] = (), *, collection: str = "", k: int | None = None
    ) -> dict[str, Any]:
        """Rankings by one ranker or two, as the API gives them."""
        if isinstance(rankers, str):
            rankers = [rankers]
        asked = {"query": query, "rankers": [*rankers], "collection": collection, "k": k}
        return self._sent("POST", "search", asked)  # type: ignore[no-any-return]

    def explain(
        self,
        query: str,
        doc: str | None = None,
        *,
        above: str | None = None,
        ranker: str = "",
        method: str | None = None,
        settings: Mapping[str, Any] | None = None,
        without: Sequence[str] = (),
        collection: str = "",
        k: int | None = None,
    ) -> Any:
        """An explanation of a ranking, of a document, or of why it is above another.

        Returns
        -------
        Explanation
            As `intentx.load` reads it.
        """
        question = "ranking" if doc is None else "document" if above is None else "pair"
        return self._asked(
            "explain",
            {
                "query": query, "ranker": ranker, "collection": collection, "k": k, "doc": doc,
                "above": above, "question": question, "method": method,
                "settings": dict(settings or {}), "without": [*without],
            },
        )  # fmt: skip

    def compare(
        self, query: str, rankers: Sequence[str], *, collection: str = "", k: int | None = None
    ) -> Any:
        """Two rankers contrasted: a `intentx.comparison.Comparison`."""
        asked = {"query": query, "rankers": [*rankers], "collection": collection, "k": k}
        return self._asked("compare", asked)

    def counterfactual(
        self, query: str, doc: str, goal: str, *, k: int | None = None, ranker: str = "",
        collection: str = "", depth: int | None = None, **more: Any,
    ) -> Any:  # fmt: skip
        """The smallest change that was found: a `intentx.ChangeExplanation`.

        Parameters
        ----------
        goal
            ``"enter"``, ``"leave"``, ``"above"``, ``"below"`` or ``"rank"``.
        k
            The first documents that are entered or left, as of `intentx.Counterfactual`; None: ten.
        depth
            Documents that the ranker orders.
        more
            As the API takes them: ``above``, ``rank``, ``change``, ``keep``, ``insert``, …
        """
        asked = {"query": query, "doc": doc, "goal": goal, "ranker": ranker}
        more = more if k is None else {"top": k, **more}
        return self._asked("counterfactual", {**asked, "collection": collection, "k": depth, **more})

    def missing(
        self, query: str, doc: str | None = None, *, text: str | None = None, k: int = 10,
        ranker: str = "", collection: str = "", depth: int | None = None,
    ) -> Any:  # fmt: skip
        """Where a document is: a `intentx.MissingDocument`.

        Parameters
        ----------
        doc, text
            Its id, or a part of its text.
        k
            Ranks that it is looked for in.
        depth
            Documents that the first stage hands on.
        """
        return self._asked(
            "missing",
            {
                "query": query, "doc": doc, "text": text, "top": k, "ranker": ranker,
                "collection": collection, "k": depth,
            },
        )  # fmt: skip

    def score(
        self, query: str, doc: str | None = None, *, text: str | None = None,
        edited_query: str | None = None, ranker: str = "", collection: str = "", k: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The ranking before and after an edit, as the API gives it."""
        job = self._job(
            "score",
            {
                "query": query, "doc": doc, "text": text, "edited_query": edited_query,
                "ranker": ranker, "collection": collection, "k": k,
            },
        )  # fmt: skip
        return job["answer"]  # type: ignore[no-any-return]

    def answer(self, key: str) -> dict[str, Any]:
        """What a permalink ``/a/KEY`` shows: the question, the answer, Python that asks the same."""
        return self._get(f"answers/{quote(key, safe='')}")  # type: ignore[no-any-return]

    def history(self, collection: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """What was asked, the last one first."""
        asked = urlencode({"collection": collection, "limit": limit})
        return self._get(f"history?{asked}")  # type: ignore[no-any-return]

    def snapshot(
        self,
        name: str,
        queries: Sequence[str],
        *,
        ranker: str = "",
        collection: str = "",
        k: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Keep the rankings of some queries as they are now."""
        asked = {"name": name, "queries": [*queries], "ranker": ranker, "collection": collection, "k": k}
        return self._sent("POST", "snapshots", asked)  # type: ignore[no-any-return]

    def diff(self, left: str, right: str) -> dict[str, Any]:
        """What differs between two snapshots, named by their ids."""
        return self._get(f"diff?{urlencode({'left': left, 'right': right})}")  # type: ignore[no-any-return]

    def _asked(self, kind: str, body: Mapping[str, Any]) -> Any:
        return answer_of(self._job(kind, body)["answer"], f"the answer of {self.url}")

    def _job(self, kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A job that is done."""
        until = time.monotonic() + self._timeout
        job = self._sent("POST", f"{kind}?wait={min(LONGEST_WAIT, self._timeout):g}", body)
        pause = 0.2
        while job["state"] in ("queued", "running"):
            if time.monotonic() > until:
                self._sent("DELETE", f"jobs/{job['id']}")
                raise InputError(
                    f"{self.url} gave no answer in {self._timeout:g} s; the question was cancelled; "
                    "give a larger timeout"
                )
            time.sleep(pause)
            pause = min(2.0, pause * 1.5)
            job = self._get(f"jobs/{job['id']}")
        if job["state"] != "done":
            error = job.get("error") or {"message": f"the question is {job['state']}", "todo": ""}
            kind_of = ScorerError if error.get("code") == "ranker_failed" else InputError
            raise kind_of(f"{self.url}: {error['message']}" + f"; {error['todo']}" * bool(error["todo"]))
        return job  # type: ignore[no-any-return]

    def _get(self, path: str) -> Any:
        return self._sent("GET", path)

    def _sent(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a request; one that the server is too busy for is sent again, as it asks.

        So is, once, one whose connection the server closed: it does so with those that are idle.
        """
        import urllib3

        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token}"
        until, closed = time.monotonic() + self._timeout, False
        while True:
            try:
                answer = urllib3.request(
                    method, f"{self.url}/api/v1/{path}",
                    body=None if body is None else json.dumps(body), headers=headers,
                    timeout=self._timeout, retries=False, redirect=False,
                )  # fmt: skip
            except urllib3.exceptions.HTTPError as error:
                if isinstance(error, urllib3.exceptions.ProtocolError) and not closed:
                    closed = True
                    continue
                raise InputError(
                    f"no server answers at {self.url} ({error}); start one with intentx serve"
                ) from error
            wait = float(answer.headers.get("retry-after", "0") or 0)
            if answer.status != 429 or time.monotonic() + wait > until:
                break
            time.sleep(max(wait, 0.2))
        try:
            found = json.loads(answer.data)
        except ValueError as error:
            raise InputError(f"{self.url} is no server of intentx: its answer is no JSON") from error
        if answer.status >= 400:
            told = found.get("error") if isinstance(found, dict) else None
            told = told or {"message": f"status {answer.status}", "todo": ""}
            raise InputError(f"{self.url}: {told['message']}" + f"; {told['todo']}" * bool(told["todo"]))
        return found
