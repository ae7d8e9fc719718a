"""What is counted of a language model's answers: `Usage` and `Problem`."""

from __future__ import annotations

from typing import NamedTuple

from intentx.rankers.llm.answer_file import Said

__all__ = ["Problem", "Usage"]


class Problem(NamedTuple):
    """One kind of problem with answers.

    Attributes
    ----------
    answers
        Answers that had it.
    numbers
        How often it was there, such as numbers that were missing.
    example
        The beginning of the first such answer.
    """

    answers: int
    numbers: int
    example: str


class Usage(NamedTuple):
    """What a model was asked and what that cost.

    Attributes
    ----------
    calls
        Requests that were answered by the service.
    remembered
        Answers from memory or from the file, which cost nothing.
    prompt_tokens, completion_tokens
        Tokens of these calls, as the service counts them.
    estimated
        Calls whose tokens the service did not tell, so that four characters counted as one.

    Examples
    --------
    >>> print(Usage().with_call(Said("[1]", 80, 3, True)).with_remembered())
    1 call (80 + 3 tokens, those of 1 call estimated), 1 answer remembered
    """

    calls: int = 0
    remembered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0

    @property
    def tokens(self) -> int:
        """Of prompts and answers together."""
        return self.prompt_tokens + self.completion_tokens

    def with_call(self, said: Said) -> Usage:
        """With one more answer of the service."""
        return Usage(
            self.calls + 1,
            self.remembered,
            self.prompt_tokens + said.prompt_tokens,
            self.completion_tokens + said.completion_tokens,
            self.estimated + said.estimated,
        )

    def with_remembered(self) -> Usage:
        """With one more answer that was known."""
        return self._replace(remembered=self.remembered + 1)

    def __str__(self) -> str:
        guessed = f", those of {_some(self.estimated, 'call')} estimated" if self.estimated else ""
        tokens = f"{self.prompt_tokens:,} + {self.completion_tokens:,} tokens{guessed}"
        return f"{_some(self.calls, 'call')} ({tokens}), {_some(self.remembered, 'answer')} remembered"


def _some(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
