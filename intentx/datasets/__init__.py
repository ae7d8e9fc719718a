"""The demo collection, and readers of documents and test collections."""

from intentx.datasets.collection import Collection, read_candidates, read_collection, read_qrels
from intentx.datasets.demo import DemoQuery, demo_queries, load_demo
from intentx.datasets.letor import LETOR_4, Letor, LetorQuery, read_letor
from intentx.datasets.readers import read_documents, read_queries

__all__ = [
    "LETOR_4",
    "Collection",
    "DemoQuery",
    "Letor",
    "LetorQuery",
    "demo_queries",
    "load_demo",
    "read_candidates",
    "read_collection",
    "read_documents",
    "read_letor",
    "read_qrels",
    "read_queries",
]
