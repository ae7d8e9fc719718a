"""Many queries, rankers and methods: a study, its results, and what they come to."""

from intentx.study.plan import Data, Measures, Study, read_study
from intentx.study.results import Results, read_results
from intentx.study.run import Outcome, run_study

__all__ = [
    "Data",
    "Measures",
    "Outcome",
    "Results",
    "Study",
    "read_results",
    "read_study",
    "run_study",
]
