"""intentx: what does a text ranker think a query means, and how far can that be believed?"""

from intentx.errors import InputError, IntentxError, MissingExtraError, ScorerError
from intentx.evaluation.fidelity import Fidelity, fidelity
from intentx.evaluation.heldout import HeldoutFidelity, heldout_fidelity
from intentx.explainers.explanation import IntentExplanation
from intentx.explainers.intent import IntentGreedy, Multiplex, QueryTerms, RandomTerms
from intentx.preferences.pairs import Pairs, preference_pairs
from intentx.preferences.simple_rankers import PositionAware, Semantic, TextMatching
from intentx.preferences.vectors import TermVectors
from intentx.ranking import Document, Ranking, rank
from intentx.scoring import BlackBox
from intentx.text import Analyzer

__all__ = [
    "Analyzer",
    "BlackBox",
    "Document",
    "Fidelity",
    "HeldoutFidelity",
    "InputError",
    "IntentExplanation",
    "IntentGreedy",
    "IntentxError",
    "MissingExtraError",
    "Multiplex",
    "Pairs",
    "PositionAware",
    "QueryTerms",
    "RandomTerms",
    "Ranking",
    "ScorerError",
    "Semantic",
    "TermVectors",
    "TextMatching",
    "fidelity",
    "heldout_fidelity",
    "preference_pairs",
    "rank",
]

__version__ = "0.1.0"
