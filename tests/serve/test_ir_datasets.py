"""A dataset of ir_datasets that is on this machine."""

import pytest

from intentx.errors import InputError
from intentx.serve.opening import open_engine

ir_datasets = pytest.importorskip("ir_datasets", reason="ir_datasets is not installed")


@pytest.fixture
def registered(tmp_path):
    from ir_datasets.datasets.base import Dataset
    from ir_datasets.formats import TsvDocs, TsvQueries
    from ir_datasets.util import LocalDownload

    (tmp_path / "docs.tsv").write_text("a\tgreen tea in a pot\nb\ta boat\nc\tblack tea and milk\n")
    (tmp_path / "queries.tsv").write_text("q1\tgreen tea\n")
    docs, queries = (LocalDownload(tmp_path / f"{name}.tsv") for name in ("docs", "queries"))
    dataset = Dataset(TsvDocs(docs, namespace="mine"), TsvQueries(queries))
    ir_datasets.registry.register("intentx-mine", dataset)
    yield "intentx-mine"
    del ir_datasets.registry._registered["intentx-mine"]


def test_its_documents_are_indexed_and_its_queries_suggested(registered, tmp_path):
    asked = []
    for _ in range(2):  # at once the second time
        with open_engine("ir_datasets", registered, state=tmp_path, workers=1,
                         progress=lambda name, count: asked.append(name)) as engine:  # fmt: skip
            assert (engine.name, len(engine), dict(engine.queries)) == (
                registered,
                3,
                {"q1": "green tea"},
            )
            assert [hit.doc_id for hit in engine.search("green tea", 5)] == ["a", "c"]
            assert engine.documents(["b"])[0].text == "a boat"
        assert set(asked) == {registered}
    with pytest.raises(InputError, match="ir_datasets knows no dataset 'nothing-of-the-kind'"):
        open_engine("ir_datasets", "nothing-of-the-kind", state=tmp_path)
