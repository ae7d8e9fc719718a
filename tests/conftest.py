from pathlib import Path

import hypothesis
import pytest

# Machines differ in speed, and the same examples everywhere make a failure easy to repeat.
hypothesis.settings.register_profile("intentx", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("intentx")


@pytest.fixture(scope="session")
def dl19() -> Path:
    """The folder with TREC Deep Learning 2019; data that cannot be part of the repository."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "dl19"
    if not (folder / "passages.jsonl.gz").exists():
        pytest.skip(f"no TREC-DL 2019 passages at {folder}")
    return folder
