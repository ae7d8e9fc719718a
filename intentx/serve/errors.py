"""Errors of the API: a status, a code for programs, a message, and what to do."""

from __future__ import annotations

from intentx.errors import InputError, IntentxError, MissingExtraError, ScorerError
from intentx.serve.structs import ErrorBody

__all__ = ["STATUS", "ApiError", "failure", "status_of"]

STATUS = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "not_done": 409,
    "too_large": 413,
    "wrong_host": 421,
    "not_valid": 422,
    "busy": 429,
    "internal": 500,
    "no_storage": 503,
    "no_engine": 503,
    "stopping": 503,
    "timeout": 504,
}


class ApiError(Exception):
    """An answer that is no success.

    Parameters
    ----------
    code
        One of `STATUS`, which says the status of HTTP.
    cause
        What a worker calls it, where it is told as another code.
    """

    def __init__(
        self, code: str, message: str, todo: str = "", retry: int | None = None, cause: str = ""
    ) -> None:
        super().__init__(message)
        self.body = ErrorBody(code, message, todo)
        self.status, self.retry, self.cause = STATUS[code], retry, cause or code

    @classmethod
    def of_worker(cls, code: str, message: str, todo: str) -> ApiError:
        """What a worker told; its code may be one of jobs alone."""
        return cls(code if code in STATUS else "internal", message, todo, cause=code)


def status_of(code: str) -> int:
    """The status of HTTP for a code; 500 for one of a job's own.

    >>> status_of("busy"), status_of("ranker_failed")
    (429, 500)
    """
    return STATUS.get(code, 500)


def failure(error: BaseException) -> tuple[str, str, str]:
    """Code, message and what to do about an error."""
    if isinstance(error, ScorerError):
        return "ranker_failed", str(error), "look at the ranker; the others go on"
    if isinstance(error, MissingExtraError):
        return "not_installed", str(error), "install it where the server runs"
    if isinstance(error, InputError | IntentxError):
        return "bad_request", str(error), "ask something else"
    if isinstance(error, MemoryError):
        return "out_of_memory", "there is not enough memory for this", "ask with a smaller k"
    return "internal", f"{type(error).__name__}: {error}", "this is a defect: please report it"
