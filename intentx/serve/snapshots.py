"""Snapshots: rankings as they are, kept before and after a change of the model; what differs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from intentx.serve.errors import ApiError
from intentx.serve.service import Service
from intentx.serve.store import now
from intentx.serve.structs import Diff, DiffQuery, Moved, NewSnapshot, SnapshotInfo

__all__ = ["difference", "snapshot_info", "take_snapshot"]


async def take_snapshot(service: Service, asked: NewSnapshot) -> dict[str, Any]:
    """Search anew for all queries, and say what the store keeps."""
    ranker, engine = service.ranker(asked.ranker), service.engine(asked.collection)
    rankings = []
    service.forget_searches()  # the model may be another one now
    for query in dict.fromkeys(asked.queries):
        found = await service.first_stage(engine.name, query, asked.depth, ranker)
        ids, scores, _ = await service.order(engine.name, query, asked.depth, ranker, found)
        rankings.append({"query": query, "doc_ids": list(ids), "scores": list(scores)})
    return {
        "id": secrets.token_urlsafe(9), "name": asked.name, "collection": engine.name,
        "ranker": ranker.name, "k": asked.depth, "made": now(), "rankings": rankings,
    }  # fmt: skip


def snapshot_info(snapshot: Mapping[str, Any]) -> SnapshotInfo:
    """A snapshot without its rankings."""
    names = "id", "name", "collection", "ranker", "k", "made"
    queries = [one["query"] for one in snapshot["rankings"]]
    return SnapshotInfo(**{name: snapshot[name] for name in names}, queries=queries)


def difference(left: Mapping[str, Any], right: Mapping[str, Any]) -> Diff:
    """What differs between two snapshots, query by query.

    Raises
    ------
    ApiError
        If they have no query in common.
    """
    one, two = ({r["query"]: r for r in side["rankings"]} for side in (left, right))
    common = [query for query in one if query in two]
    if not common:
        raise ApiError(
            "bad_request", "the snapshots have no query in common", "take them of the same queries"
        )
    return Diff(
        left=snapshot_info(left), right=snapshot_info(right),
        queries=[_differences(query, one[query], two[query]) for query in common],
        only_left=[query for query in one if query not in two],
        only_right=[query for query in two if query not in one],
    )  # fmt: skip


def _differences(query: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> DiffQuery:
    before, after = _places(left), _places(right)
    moves = []
    for doc in dict.fromkeys([*before, *after]):
        (rank, score), (rank_after, score_after) = (s.get(doc, (None, None)) for s in (before, after))
        moves.append(Moved(doc, rank, rank_after, score, score_after))
    moved = [m for m in moves if m.rank_before and m.rank_after and m.rank_before != m.rank_after]
    moved.sort(key=lambda m: (-abs((m.rank_before or 0) - (m.rank_after or 0)), m.rank_after or 0))
    return DiffQuery(
        query,
        moved=moved,
        entered=[m for m in moves if m.rank_before is None],
        left=[m for m in moves if m.rank_after is None],
        unchanged=sum(m.rank_before == m.rank_after for m in moves),
    )


def _places(ranking: Mapping[str, Any]) -> dict[str, tuple[int | None, float | None]]:
    pairs = zip(ranking["doc_ids"], ranking["scores"], strict=True)
    return {doc: (rank, score) for rank, (doc, score) in enumerate(pairs, start=1)}
