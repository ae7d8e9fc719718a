import pickle

import pytest

from intentx import InputError, IntentxError, MissingExtraError, ScorerError


@pytest.mark.parametrize(
    "error",
    [InputError("no"), ScorerError("bad", "query", ["text"]), MissingExtraError("torch", "neural")],
    ids=repr,
)
def test_errors_come_back_whole_from_a_worker_process(error):
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert isinstance(error, IntentxError)


def test_a_missing_extra_is_named():
    error = MissingExtraError("torch", "neural")
    assert str(error) == "torch is not installed; it comes with: pip install 'intentx[neural]'"
    assert error.name == "torch"
