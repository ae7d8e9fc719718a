"""What goes to another process."""

import pickle


def in_another_process(engine):
    """As it arrives there."""
    return pickle.loads(pickle.dumps(engine))  # noqa: S301
