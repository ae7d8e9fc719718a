"""Black boxes: rankers that intentx brings along."""

from intentx.rankers.bm25 import BM25
from intentx.rankers.encoders import BiEncoder
from intentx.rankers.load import load_ranker
from intentx.rankers.runs import read_run, run_of

__all__ = ["BM25", "BiEncoder", "load_ranker", "read_run", "run_of"]
