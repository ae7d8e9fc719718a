"""Black boxes: rankers that intentx brings along."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from intentx.rankers.bm25 import BM25
from intentx.rankers.cross_encoder import CrossEncoder
from intentx.rankers.encoders import DPR, BiEncoder
from intentx.rankers.features import TextFeatures
from intentx.rankers.http import HTTPReranker
from intentx.rankers.lambdamart import train_lambdamart
from intentx.rankers.load import load_ranker
from intentx.rankers.ltr import FeatureRanker
from intentx.rankers.pyterrier import from_pyterrier
from intentx.rankers.runs import named_run, read_run, run_of
from intentx.rankers.training_data import training_lists

if TYPE_CHECKING:
    from intentx.rankers.drmm import DRMM, DRMMSettings
    from intentx.rankers.knrm import KNRM, KNRMSettings
    from intentx.rankers.lexicon import Lexicon
    from intentx.rankers.matchpyramid import MatchPyramid, MatchPyramidSettings
    from intentx.rankers.training import Training, train

__all__ = [
    "BM25",
    "DPR",
    "DRMM",
    "KNRM",
    "BiEncoder",
    "CrossEncoder",
    "DRMMSettings",
    "FeatureRanker",
    "HTTPReranker",
    "KNRMSettings",
    "Lexicon",
    "MatchPyramid",
    "MatchPyramidSettings",
    "TextFeatures",
    "Training",
    "from_pyterrier",
    "load_ranker",
    "named_run",
    "read_run",
    "run_of",
    "train",
    "train_lambdamart",
    "training_lists",
]

# What brings torch is loaded when it is asked for.
_LATER = {
    "DRMM": "drmm",
    "DRMMSettings": "drmm",
    "KNRM": "knrm",
    "KNRMSettings": "knrm",
    "Lexicon": "lexicon",
    "MatchPyramid": "matchpyramid",
    "MatchPyramidSettings": "matchpyramid",
    "Training": "training",
    "train": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"intentx.rankers.{_LATER[name]}"), name)
