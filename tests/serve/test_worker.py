"""What a worker asks of a ranker for one question."""

import pytest

from intentx.serve.loaded import Loaded
from intentx.serve.turns import Turns, Work
from intentx.serve.worker import _done


class Watched:
    """Counts how often it is looked at, whether it has changed."""

    looks = 0
    settings = 1

    def __call__(self, query, texts):
        return [self.settings * len(text) for text in texts]

    def state_mark(self, *, thorough=False):
        self.looks += 1
        return self.settings


watched = Watched()
EDIT = {
    "ranker": "R", "collection": "none", "query": "tea", "k": 2, "edited_query": None,
    "documents": [{"doc_id": name, "title": "", "text": name * 9} for name in ("a", "bb")],
}  # fmt: skip


@pytest.fixture
def loaded():
    return Loaded({"R": f"{__name__}:watched"}, {}, Turns())


def edit(loaded, text, quick):
    said = []
    work = Work("1", quick, lambda *told: said.append(told))
    before = watched.looks
    with loaded.turns.doing(work):
        ended, answer = _done(work, "score", {**EDIT, "doc": "a", "text": text}, loaded)
    assert ended == "done", answer
    return answer["doc"], watched.looks - before


def test_an_edit_looks_once_whether_the_ranker_has_changed(loaded, monkeypatch):
    assert edit(loaded, "longer than the other one", quick=True)[1] == 1
    assert edit(loaded, "longer than others", quick=False)[1] > 1
    monkeypatch.setattr(watched, "settings", -1)
    found, looks = edit(loaded, "longer than the other one", quick=True)
    assert (found["score_after"], looks) == (-25, 1), "a change shows at the next question"
