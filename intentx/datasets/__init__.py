"""The demo collection, and readers of document files."""

from intentx.datasets.demo import DemoQuery, demo_queries, load_demo
from intentx.datasets.readers import read_documents, read_table

__all__ = ["DemoQuery", "demo_queries", "load_demo", "read_documents", "read_table"]
