"""The demo collection, and readers of documents and test collections."""

from intentx.datasets.collection import Collection, read_candidates, read_collection, read_qrels
from intentx.datasets.demo import DemoQuery, demo_queries, load_demo
from intentx.datasets.readers import read_documents, read_queries

__all__ = [
    "Collection",
    "DemoQuery",
    "demo_queries",
    "load_demo",
    "read_candidates",
    "read_collection",
    "read_documents",
    "read_qrels",
    "read_queries",
]
