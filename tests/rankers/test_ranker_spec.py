"""`RankerSpec`: one parser for what names a ranker."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import intentx as ix
from intentx.rankers import RankerSpec
from intentx.rankers.kinds import KINDS, SPECS
from intentx.rankers.spec_settings import settings_of, settings_text, true_or_false

PAGE = Path(__file__).parents[2] / "docs" / "rankers.md"
# Any sign; surrogates are no text, and of an existing file a name may hold more than this.
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TARGET = st.text(
    st.characters(exclude_categories=["Cs", "Z", "Cc"], exclude_characters="#,"), min_size=1
)
WORD = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
VALUES = {
    str: ANYTHING,
    int: st.integers().map(str),
    float: st.floats(allow_nan=False).map(str),
    true_or_false: st.sampled_from(["true", "false", "1", "No"]),
}


@st.composite
def specs(draw):
    """A spec of any kind that comes along, with any settings that can be read."""
    kind = KINDS[draw(st.sampled_from([*KINDS]))]
    targets = [draw(TARGET) for _ in range(kind.targets)]
    if kind.lexical:
        target = ""
    elif kind.name == "http":
        target = draw(st.sampled_from(["http://", "https://", "https:", ""])) + targets[0]
    elif kind.name == "module":
        target = f"{draw(WORD)}x_.{draw(WORD)}:{draw(WORD)}"
    else:
        target = ",".join(targets)
    settings = {
        name: draw(VALUES.get(read, ANYTHING))
        for name, read in kind.settings.items()
        if (read in VALUES or name in ("language", "stem")) and draw(st.booleans())
    }
    return kind.name, target, settings, draw(st.sampled_from(["", "", "my ranker", "Ä", "a.b/c", "C#"]))


@given(specs())
def test_a_spec_is_read_as_it_is_written(parts):
    spec = RankerSpec(*parts)
    assert (spec.kind, spec.target, spec.settings, spec.name) == parts
    again = RankerSpec.parse(str(spec), named=bool(spec.name))
    assert again == spec
    assert hash(again) == hash(spec)
    assert str(again) == str(spec)
    assert again.values() == spec.values() or "nan" in str(spec.values())


@given(st.dictionaries(ANYTHING.filter(bool), ANYTHING))
def test_settings_are_read_as_they_are_written(settings):
    assert settings_of("x", settings_text(settings)) == settings
    assert "#" not in settings_text(settings)


@given(ANYTHING, st.booleans())
def test_any_text_is_a_spec_or_an_input_error(text, named):
    try:
        spec = RankerSpec.parse(text, named=named)
    except ix.InputError:
        return
    assert RankerSpec.parse(str(spec), named=bool(spec.name)) == spec


@pytest.mark.parametrize(
    ("text", "kind", "target", "settings", "written"),
    [
        ("bm25", "bm25", "", {}, "bm25"),
        ("bm25#k1=0.9&stem=false", "bm25", "", {"k1": 0.9, "stem": False}, "bm25#k1=0.9&stem=false"),
        ("dpr:a/q,b/d#similarity=dot", "dpr", "a/q,b/d", {"similarity": "dot"}, None),
        ("http://h/rank?q=1#listwise=yes", "http", "http://h/rank?q=1", {"listwise": True}, None),
        ("http:https://h/rank", "http", "https://h/rank", {}, "https://h/rank"),
        ("https://h/rank", "http", "https://h/rank", {}, "https://h/rank"),
        ("run:a#b=c", "run", "a#b=c", {}, "run:a#b=c"),
        ("my.rankers:Nested.score", "module", "my.rankers:Nested.score", {}, None),
        ("module:callable", "module", "module:callable", {}, None),
        ("cross-encoder:m#raw=no&", "cross-encoder", "m", {"raw": False}, "cross-encoder:m#raw=no"),
        ("knrm:a,b", "knrm", "a,b", {}, None),
    ],
)
def test_parts(text, kind, target, settings, written):
    spec = RankerSpec.parse(text)
    assert (spec.kind, spec.target, spec.values(), spec.name) == (kind, target, settings, "")
    assert str(spec) == (written or text)


@pytest.mark.parametrize(
    ("text", "name", "spec"),
    [
        ("A=bm25", "A", "bm25"),
        ("my ranker = dpr:a,b", "my ranker", "dpr:a,b"),
        ("http://h/?q=1", "", "http://h/?q=1"),
        ("bm25#k1=1", "", "bm25#k1=1"),
        ("S=https://h/?q=1,2", "S", "https://h/?q=1,2"),
        ("C#=lm#mu=9", "C#", "lm#mu=9"),
        ("ltr=ltr:models/mart", "ltr", "ltr:models/mart"),
        ("bm25=bm25#k1=2", "bm25", "bm25#k1=2"),
    ],
)
def test_names(text, name, spec):
    found = RankerSpec.parse(text, named=True)
    assert (found.name, found) == (name, RankerSpec(*_without_name(spec), name=name))


def _without_name(text):
    spec = RankerSpec.parse(text)
    return spec.kind, spec.target, spec.settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bm52", "no ranker 'bm52'; .*, module:callable; did you mean 'bm25'"),
        ("module:mine:score", "module stands for the name of your module; write 'mine:score'"),
        ("lib/rankers.py:score", "a module is named as Python imports it, lib.rankers:score"),
        ("/mine/rankers.py:score", "rankers:score .from this folder, or one of PYTHONPATH"),
        ("BM25", "did you mean 'bm25'"),
        ("bi-encodr:minilm", "no ranker 'bi-encodr:minilm'.*did you mean 'bi-encoder'"),
        ("crossencoder:model", "did you mean 'cross-encoder'"),
        ("knmr:model", "did you mean 'knrm'"),
        ("json", "no ranker 'json'; .*'json' is a module: name its callable, json:NAME$"),
        ("json.dumps", "'json' is a module: name its callable, json:dumps$"),
        ("", "no ranker ''; a ranker is one of: bm25, lm, rm3, bi-encoder:NAME_OR_PATH"),
        (":", "no ranker ':'; a ranker is one of"),
        ("htp://me:secret@host/rank?key=sk-1", "no ranker 'htp://…@host/rank.key=…'; .*mean 'http'"),
        ("bi-encoder", "bi-encoder needs a model: bi-encoder:NAME_OR_PATH"),
        ("cross-encoder: #raw=true", "cross-encoder needs a model: cross-encoder:NAME_OR_PATH"),
        ("dpr:one", "dpr needs two models: dpr:QUERY_ENCODER,DOC_ENCODER, not 'one'"),
        ("dpr:a,b,c", "dpr needs two models"),
        ("dpr:a,", "dpr needs two models"),
        ("drmm#seed=1", "drmm needs a folder: drmm:PATH; intentx train makes one"),
        ("http:", "http needs a URL"),
        ("lm:x", "lm takes nothing after a colon, not 'x'"),
        ("bm25#k=1", "no setting 'k' after the # of bm25: there are 'b', 'k1'"),
        ("bm25#k1=much", "k1 after the # of bm25 cannot be 'much'"),
        ("bm25#k1=1&k1=1", "k1 is given twice"),
        ("ltr:x#raw=1", "ltr takes none"),
        ("json:dumps#a=1", "a callable takes no settings: json:dumps stands for it as it is"),
    ],
)
def test_what_is_no_spec(text, message):
    with pytest.raises(ix.InputError, match=message) as told:
        RankerSpec.parse(text)
    assert "secret" not in str(told.value)
    assert "sk-1" not in str(told.value)


def test_a_callable_that_is_not_in_its_module():
    with pytest.raises(ix.InputError, match="module 'json' has no 'dumpss'; did you mean 'dumps'"):
        RankerSpec.parse("json:dumpss").load()


def test_made_of_parts():
    spec = RankerSpec("http", "http://h/rank", {"listwise": True, "fields": {"a": "b"}, "timeout": 2.5})
    assert spec.values() == {"listwise": True, "fields": {"a": "b"}, "timeout": 2.5}
    assert str(spec) == 'http://h/rank#listwise=true&fields={"a":%20"b"}&timeout=2.5'
    assert repr(RankerSpec("http", "https://h/rank?key=sk-1")) == "RankerSpec('https://h/rank?key=…')"
    with pytest.raises(ix.InputError, match=r"no kind of ranker 'bm52'; .*did you mean 'bm25'"):
        RankerSpec("bm52")
    assert str(RankerSpec("bm25", "", {}, "lm")) == "lm=bm25"  # it may be called as a kind is
    for parts in (("cross-encoder", "a#b"), ("bm25", "", {}, "a=b")):
        with pytest.raises(ix.InputError, match="would be read as a different ranker"):
            RankerSpec(*parts)


def test_a_module_whose_name_python_could_not_write(tmp_path, monkeypatch):
    (tmp_path / "my-rankers.py").write_text("def score(query, texts):\n    return [1.0] * len(texts)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert RankerSpec.parse("my-rankers:score").load()("q", ["a"]) == [1.0]
    with pytest.raises(ix.InputError, match="no ranker 'no-rankers:score'"):
        RankerSpec.parse("no-rankers:score")


def test_a_target_with_a_number_sign_is_a_file_that_is_there(tmp_path):
    (tmp_path / "model #2").mkdir()
    for end in ("", "#raw=false"):
        text = f"cross-encoder:{tmp_path / 'model #2'}{end}"
        spec = RankerSpec.parse(text)
        assert (spec.target, str(spec)) == (str(tmp_path / "model #2"), text)


def test_the_page_lists_every_kind_with_its_settings():
    page = PAGE.read_text(encoding="utf-8")
    forms, settings = (
        re.findall(r"^\| (`.*?) \|", part, re.M) for part in page.split("## Settings")[:2]
    )
    assert set(re.findall(r"`([a-z0-9-]+)", " ".join(forms))) == set(KINDS)
    for kind in KINDS.values():
        lines = [line for line in page.splitlines() if re.match(rf"\| .*`{kind.name}[`:]", line)]
        assert lines, kind.name
        assert kind.extra == "" or f"`[{kind.extra}]`" in lines[0]
        if kind.settings and kind.name != "http":
            said = re.findall(r"`(\w+)`", " ".join(line.split("|")[2] for line in lines[1:]))
            assert set(kind.settings) <= set(said), kind.name
    assert settings
    assert SPECS.count(",") == 19


class Counting:
    """A ranker with a state, as people write them."""

    def __init__(self):
        self.calls = 0

    def __call__(self, query, texts):
        self.calls += 1
        return [text.count(query) for text in texts]


class Needing(Counting):
    """One that cannot be made without being told something."""

    def __init__(self, path):
        super().__init__()


def test_a_class_is_made_and_one_that_cannot_be_is_told_apart():
    made = RankerSpec.parse(f"{__name__}:Counting").load(["tea"])
    assert isinstance(made, Counting)
    assert made("tea", ["tea tea"]) == [2]
    for text, message in (
        (f"{__name__}:Needing", "without arguments .*path.*name an instance"),
        ("pathlib:Path", "pathlib:Path is not callable"),
        ("nowhere_at_all:score", "no module 'nowhere_at_all', neither in this folder nor .*PYTHONPATH"),
    ):
        with pytest.raises(ix.InputError, match=message):
            RankerSpec.parse(text).load(["tea"])
    with pytest.raises(ix.InputError, match=r"Counting is a class: give an instance.*Counting\(\)"):
        ix.rank(Counting, "tea", ["tea"])


class Linear:
    """A model over features that has ``predict``, as scikit-learn's have, and is no callable."""

    def predict(self, rows):
        return rows @ [1.0, 2.0]


linear = Linear()


@pytest.mark.parametrize("name", ["linear", "Linear"])
def test_a_model_over_features_may_be_any_that_a_feature_model_asks(name):
    model = RankerSpec.parse(f"{__name__}:{name}").load_model()
    assert ix.FeatureModel(model, ["a", "b"])([[1.0, 1.0]]).tolist() == [3.0]
