"""How a ranking is explained, stage by stage, over an `IntentProblem`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from intentx.asked import Asked, asking
from intentx.call_limits import calls_of, cost_note
from intentx.coverage.crossfit import Choice
from intentx.coverage.shares import coverage_shares
from intentx.evaluation.fidelity import judge
from intentx.explainers.ranking.bought import bought
from intentx.explainers.ranking.choosing import ChoiceSettings, TermChooser
from intentx.explainers.ranking.evidence import Evidence
from intentx.explainers.ranking.explanation import IntentExplanation
from intentx.explainers.ranking.judging import IntentJudge
from intentx.explainers.ranking.problem import IntentProblem
from intentx.explainers.ranking.stages import Stages
from intentx.preferences import PreferenceMatrices

__all__ = ["Session"]


class Session:
    """One problem being explained: its stages, what is noted, and how long each one takes.

    Parameters
    ----------
    problem
        What is explained.
    method
        Name of the method that explains it.
    settings
        Those of the method, as plain data: what the explanation says of them.
    seed
        For random draws.

    Examples
    --------
    >>> from intentx.ranking import Ranking
    >>> docs = {"a": "tea in a pot", "b": "tea with milk", "c": "milk and honey"}
    >>> ranking = Ranking.from_run({"a": 3, "b": 2, "c": 1}, "tea", docs)
    >>> problem = IntentProblem.of(ranking, simple_rankers="text")
    >>> Session(problem, "by hand", {"seed": 0}).given(("tea",)).coverage
    0.6666666666666666
    """

    def __init__(
        self, problem: IntentProblem, method: str, settings: Mapping[str, Any], seed: int = 0
    ) -> None:
        self.problem = problem
        self.method = method
        self.settings = settings
        self.seed = seed
        self.stages = Stages({"pairs and index": problem.seconds})
        box = problem.ranking.scorer
        self.stages.notes += box.doubts.values() if box else ()
        self._asked = Asked(box)

    def chosen(self, settings: ChoiceSettings, usual: IntentProblem | None = None) -> IntentExplanation:
        """Terms chosen among the candidates.

        Parameters
        ----------
        usual
            The problem as it is with the default generality, where nothing but coverage counts: the
            terms that cover most are looked for, and those chosen for it take part.
        """
        chooser = TermChooser(self.problem, settings, self.stages)
        with asking(self.problem.ranking.scorer) as self._asked:
            chosen = chooser.chosen() if usual is None else chooser.most_covering(usual)
        self.stages.close("selection")
        selection = chosen.selection
        # With generality the objective is not the coverage, and its bound would be read as one.
        bound = None if settings.generality > 0 else selection.bound
        matrices = chosen.matrices.restricted(selection.indices)
        return self._explanation(matrices, bound, selection.status, chosen.choice, chooser.evidence)

    def given(self, terms: tuple[str, ...]) -> IntentExplanation:
        """These terms."""
        matrices = self.problem.matrices(terms)
        self.stages.close("term scores")
        return self._explanation(matrices)

    def at_random(self, number: int) -> IntentExplanation:
        """Candidates drawn at random; the ranker is not asked for their importance."""
        pool = self.problem.candidates()
        self.stages.close("candidates")
        generator = np.random.default_rng(self.seed)
        drawn = generator.choice(len(pool), size=min(number, len(pool)), replace=False)
        return self.given(tuple(pool[i] for i in drawn))

    def _explanation(
        self,
        matrices: PreferenceMatrices,
        bound: float | None = None,
        status: str = "given",
        choice: Choice | None = None,
        evidence: Evidence | None = None,
    ) -> IntentExplanation:
        problem, stages, evidence = self.problem, self.stages, evidence or Evidence()
        ranking = problem.ranking
        weights = coverage_shares(matrices, seed=self.seed)
        most_useful_first = np.argsort(-weights, kind="stable")
        weights, matrices = weights[most_useful_first], matrices.restricted(most_useful_first.tolist())
        fidelity = judge(ranking, matrices, problem.pairs)
        stages.close("fidelity")
        stages.seconds |= {"model": self._asked.seconds, "total": stages.total}
        return IntentExplanation(
            method=self.method,
            ranking=ranking,
            terms=matrices.scores.terms,
            weights=tuple(weights.tolist()),
            matrices=matrices,
            coverage=matrices.coverage(range(matrices.n_terms)),
            bound=bound,
            status=status,
            fidelity=fidelity,
            analyzer=problem.index.analyzer,
            simple_rankers=problem.simple_rankers,
            settings=self._plain_settings(),
            model_calls=self._asked.besides(ranking.query, ranking.texts),
            seconds=dict(stages.seconds),
            notes=(*stages.notes, *self._cost_notes(), *ranking.can.remarks),
            effects=evidence.of(matrices.scores.terms),
            avoids=evidence.unwanted,
            judge=IntentJudge(problem, choice, self.seed),
        )

    def _cost_notes(self) -> tuple[str, ...]:
        """What was asked of a ranker of dear calls, and what so many calls buy."""
        ranking = self.problem.ranking
        calls = calls_of(ranking, self._asked)
        return (*cost_note(ranking, self._asked), *([bought(calls)] if calls else []))

    def _plain_settings(self) -> dict[str, Any]:
        """The settings of the method, with the simple rankers that were made where none were given."""
        plain = {**self.settings, "analyzer": self.problem.index.analyzer.to_dict()}
        if plain.get("simple_rankers", ()) is None:
            plain["simple_rankers"] = [ranker.name for ranker in self.problem.simple_rankers]
        return plain
