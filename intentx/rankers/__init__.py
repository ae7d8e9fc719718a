"""Black boxes: rankers that intentx brings along."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from intentx.rankers.bm25 import BM25
from intentx.rankers.features.lambdamart import train_lambdamart
from intentx.rankers.features.ltr import FeatureRanker
from intentx.rankers.features.text_features import TextFeatures
from intentx.rankers.interaction.training_data import training_lists
from intentx.rankers.known import RM3, LanguageModel
from intentx.rankers.load import load_ranker
from intentx.rankers.pyterrier import from_pyterrier
from intentx.rankers.runs import named_run, read_run, run_of
from intentx.rankers.services.http import HTTPReranker
from intentx.rankers.specs import RankerSpec
from intentx.rankers.transformers.cross_encoder import CrossEncoder
from intentx.rankers.transformers.encoders import DPR, BiEncoder

if TYPE_CHECKING:
    from intentx.rankers.interaction.drmm import DRMM, DRMMSettings
    from intentx.rankers.interaction.knrm import KNRM, KNRMSettings
    from intentx.rankers.interaction.lexicon import Lexicon
    from intentx.rankers.interaction.matchpyramid import MatchPyramid, MatchPyramidSettings
    from intentx.rankers.interaction.training import Training, train

__all__ = [
    "BM25",
    "DPR",
    "DRMM",
    "KNRM",
    "RM3",
    "BiEncoder",
    "CrossEncoder",
    "DRMMSettings",
    "FeatureRanker",
    "HTTPReranker",
    "KNRMSettings",
    "LanguageModel",
    "Lexicon",
    "MatchPyramid",
    "MatchPyramidSettings",
    "RankerSpec",
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
    "DRMM": "interaction.drmm",
    "DRMMSettings": "interaction.drmm",
    "KNRM": "interaction.knrm",
    "KNRMSettings": "interaction.knrm",
    "Lexicon": "interaction.lexicon",
    "MatchPyramid": "interaction.matchpyramid",
    "MatchPyramidSettings": "interaction.matchpyramid",
    "Training": "interaction.training",
    "train": "interaction.training",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"intentx.rankers.{_LATER[name]}"), name)
