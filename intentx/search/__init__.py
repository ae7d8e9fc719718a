"""First-stage search: BM25 over whole collections, indexed once and kept on disk."""

from intentx.search.index import Hits, SearchIndex

__all__ = ["Hits", "SearchIndex"]
