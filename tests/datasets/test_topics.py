"""TREC topics as people have them: well formed or not, none vanishes."""

import pytest

import intentx as ix
from intentx.datasets import read_queries


def queries(tmp_path, text):
    path = tmp_path / "topics"
    path.write_text(text, encoding="utf-8")
    return read_queries(path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<top><num>1</num><title><![CDATA[tea & <pots>]]></title></top>", {"1": "tea & <pots>"}),
        ("<topic number='1'><query>a <![CDATA[b]]> c</query></topic>", {"1": "a b c"}),
        (  # the first topic is never closed
            "<top><num> Number: 1\n<title> tea\n<desc> x\n<top><num> Number: 2\n<title> boats\n</top>",
            {"1": "tea", "2": "boats"},
        ),
        ("<TOP><NUM>1<TITLE>tea</TOP>", {"1": "tea"}),
        ("<top><num>1<title>AT&amp;T &lt;b&gt; caf&eacute; &#x1F3B9;</top>", {"1": "AT&T <b> café 🎹"}),
        ("<top><num>1<title>x < y > z</top>", {"1": "x < y > z"}),
        ("<top><num>1<title>tea <b>green</b> pot<br/>lid</title></top>", {"1": "tea green pot lid"}),
        ("<!-- <top><num>9<title>no</top> --><top><num>1<title>t<!-- x -->ea</top>", {"1": "tea"}),
        (
            '<?xml version="1.0"?><!DOCTYPE topics [<!ENTITY a "b">]>\n<topics>\n'
            '<topic type="x" id="7"><title lang="en">tea</title></topic></topics>',
            {"7": "tea"},
        ),
        ("<topic number='1'><title>T</title><query>Q</query></topic>", {"1": "Q"}),
        (
            "<top>\n<num> Number: 401\n\n<title> Topic: tea\npot\n\n<narr> none\n</top>",
            {"401": "tea pot"},
        ),
        ("<topic num=3><desc>x</desc><title>tea</title></topic>", {"3": "tea"}),
    ],
)
def test_topics(tmp_path, text, found):
    assert queries(tmp_path, text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<top><num>1<title>a<title>b</top>", "line 1, topic 1: two <title> in one topic"),
        ("<top>\n<num>1\n<title>a\n<num>2\n<title>b\n</top>", "topic 1: two <num> in one topic"),
        ("<top>\n<num>1<title>a</top>\n<top><num>2<title>b", "line 3, topic 2: the file ends inside"),
        ("<top><num>1<title>a</top>\n<num>2<title>b</top>", "line 2: <num> is in no topic"),
        ("<top><num>1<title>a</top>\n</top>", "line 2: </top> ends a topic that does not begin"),
        (
            "<top><num>1<title></title></top>",
            "topic 1: <title> of topic '1' must hold at least one char",
        ),
        ("<top><num>1<title/></top>", "topic 1: <title> of topic '1' must hold at least one char"),
        ("<top><num></num><title>a</top>", "topic 1: a number, and a <title>"),
        ("<top><num>1 and 2<title>a</top>", "topic 1: its number must be one word, not '1 and 2'"),
        ("<top><num>1<desc>a</top>", "topic 1: a number, and a <title>"),
        (
            "<top><num>1<title>a <entity>b</entity> c</title></top>",
            "<entity> stands inside <title>, which holds text alone",
        ),
        ("<top><num>1<title><![CDATA[tea</title></top>", r"line 1: <!\[CDATA\[ … is never closed"),
        ("<top><num>1<title>a<!-- b</top>", "line 1: <!-- … is never closed"),
        ("<topics>\n</topics>", "<top> … </top> or"),
    ],
)
def test_topics_that_are_broken(tmp_path, text, message):
    with pytest.raises(ix.InputError, match=message):
        queries(tmp_path, text)
