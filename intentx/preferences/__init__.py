"""From a ranking to preference matrices: candidate terms, pairs, simple rankers, matrices."""

from intentx.preferences.matrices import MARGIN, PreferenceMatrices, TermScores
from intentx.preferences.pairs import Pairs, preference_pairs, split_pairs

__all__ = ["MARGIN", "Pairs", "PreferenceMatrices", "TermScores", "preference_pairs", "split_pairs"]
