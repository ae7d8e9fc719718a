"""Errors of the API: a status, a code for programs, a message, and what to do."""

from __future__ import annotations

from intentx.serve.structs import ErrorBody

__all__ = ["STATUS", "ApiError", "status_of"]

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
}


class ApiError(Exception):
    """An answer that is no success.

    Parameters
    ----------
    code
        One of `STATUS`, which says the status of HTTP.
    """

    def __init__(self, code: str, message: str, todo: str = "", retry: int | None = None) -> None:
        super().__init__(message)
        self.body = ErrorBody(code, message, todo)
        self.status, self.retry = STATUS[code], retry


def status_of(code: str) -> int:
    """The status of HTTP for a code; 500 for one of a job's own.

    >>> status_of("busy"), status_of("ranker_failed")
    (429, 500)
    """
    return STATUS.get(code, 500)
