"""Answers of language models, read and repaired."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intentx.rankers.llm.answers import KINDS, read_order, read_pair


@pytest.mark.parametrize(
    "text",
    [
        "[2] > [3] > [1]",
        "[2]>[3]>[1]",
        "2 > 3 > 1",
        "[2] &gt; [3] &gt; [1]",
        "[2] → [3] → [1]",
        "[2] -> [3] -> [1]",
        "**[2]** > **[3]** > **[1]**",
        "Passage 2 > Passage 3 > Passage 1",
        "[Passage 2] > [Passage 3] > [Passage 1]",
        "Here are the 3 passages, ranked for 2024:\n[2] > [3] > [1]\nI hope this helps 100 %.",
        "```\n[2] > [3] > [1]\n```",
        "<think>Maybe [1] > [2] > [3]? No.</think>[2] > [3] > [1]",
        "First I thought [1] > [2]. The ranking is [2] > [3] > [1].",
        "[2, 3, 1]",
        '["2", "3", "1"]',
        '{"ranking": [2, 3, 1]}',
        "2, 3, 1",
        "1. [2]\n2. [3]\n3. [1]",
        "1. Passage 2\n2. Passage 3\n3. Passage 1",
        "1) [2] about tea (score 9)\n2) [3]\n3) [1]",
        "2\n3\n1",
        "[2] is the best, then [3], and [1] comes last.",
        "(2) > (3) > (1)",
        "#2 > #3 > #1",
        "Doc 2 > Doc 3 > Doc 1",
        "document [2], document [3], document [1]",
        "2; 3; 1",
        r"\[2\] > \[3\] > \[1\]",
        r"Final answer: \boxed{2 > 3 > 1}",
        "| rank | passage |\n|---|---|\n| 1 | [2] |\n| 2 | [3] |\n| 3 | [1] |",
        "Scores: [1] 0.1, [2] 0.9, [3] 0.5. So [2] > [3] > [1].",
        "[2] > [3] = [1]",
        "Hmm, [1] > [3] > [2] > [1]?</think>\n[2] > [3] > [1]",
        "<think>a <think>[1] > [2] > [3] > [1]</think></think>[2] > [3] > [1]",
        "【2】＞【3】＞【1】",
        "［2］>［3］>［1］",
        "2、3、1",
        "段落2 > 段落3 > 段落1",
        "[2]\u200b > [3] > [1]",
        "['2', '3', '1']",
        "2 ≥ 3 ≥ 1",
        "2 >> 3 >> 1",
        "passage_2 > passage_3 > passage_1",
        "doc2, doc3, doc1",
        "P2 > P3 > P1",
        "Rank 1: Passage 2\nRank 2: Passage 3\nRank 3: Passage 1",
        "2 3 1",
        "2 | 3 | 1.",
        "[2] = [3] = [1]",
    ],
)
def test_orders_of_many_shapes(text):
    assert read_order(text, 3) == ((1, 2, 0), {})


@pytest.mark.parametrize(
    ("text", "order", "troubles"),
    [
        ("[3]", (2, 0, 1), {"missing numbers": 2}),
        ("[3] > [3] > [3]", (2, 0, 1), {"doubled numbers": 2, "missing numbers": 2}),
        ("[0] > [4] > [3]", (2, 0, 1), {"unknown numbers": 2, "missing numbers": 2}),
        ("[999999999999] > [2]", (1, 0, 2), {"missing numbers": 2}),
        ("[0]", (0, 1, 2), {"no order": 1}),
        ('{"3": 0.1, "1": 0.9, "2": 0.3}', (0, 1, 2), {"no order": 1}),
        ("0.3, 0.1, 0.2", (0, 1, 2), {"no order": 1}),
        ("[3] < [1] < [2]", (0, 1, 2), {"no order": 1}),
        ("3 < 1 < 2", (0, 1, 2), {"no order": 1}),
        ("Score: [3] 0.1, [1] 0.9, [2] 0.5", (0, 1, 2), {"no order": 1}),
        ("[3]: 3\n[1]: 9\n[2]: 5", (0, 1, 2), {"no order": 1}),
        ('{"1": 3, "2": 1, "3": 2}', (0, 1, 2), {"no order": 1}),
        ('[{"rank":1,"passage":3},{"rank":2,"passage":1}]', (0, 1, 2), {"no order": 1}),
        ("I can't help with that.", (0, 1, 2), {"refusal": 1}),
        ("As an AI, I have no opinion", (0, 1, 2), {"refusal": 1}),
        ("They are equally good", (0, 1, 2), {"no order": 1}),
        ("<think>[1] > [2] > [3] and it never ends", (0, 1, 2), {"empty": 1}),
        ("   \n", (0, 1, 2), {"empty": 1}),
        (None, (0, 1, 2), {"empty": 1}),
    ],
)
def test_orders_that_are_repaired(text, order, troubles):
    assert read_order(text, 3) == (order, troubles)


@given(st.text(alphabet="[]> 0123456789,.\n{}\"'ab*", max_size=80), st.integers(1, 12))
def test_any_text_gives_each_passage_once(text, passages):
    found = read_order(text, passages)
    assert sorted(found.order) == list(range(passages))
    assert set(found.troubles) <= set(KINDS)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("A", 1), ("b", 0), ("**A**", 1), ("[B]", 0), ("Passage B", 0), ("(A).", 1),
        ("Answer: A", 1), ("The answer is B, since A is about boats.", 0),
        ("Passage A is about tea, which the query asks for.", 1),
        ('{"answer": "B"}', 0), ("<think>A? B?</think>\nA", 1),
        ("A\n\nPassage B is about boats.", 1), ("**B**\nPassage A is short", 0),
        ("A is better.", 1), ("**Passage B** is more relevant than Passage A.", 0),
        ("The better passage is A.", 1), ("A > B", 1), ("B > A", 0),
        ("Option B", 0), ("Document B is more relevant.", 0), ("<answer>B</answer>", 0),
        (r"\boxed{A}", 1), ("The more relevant passage is document B", 0), ("Text A", 1),
        ("Passage A names boats. Passage B is the better one, since A is short.", 0),
        ("Passage A looks weak. A is better? No.</think>\nB", 0), ("Passage A is on boats.\n\n**B**", 0),
        ("Passage A is not about tea. Passage B is.", 0), ("B is clearly more relevant.", 0),
        ("A is slightly better than B.", 1), ("A, because it names tea", 1), ("I would choose A.", 1),
        ("Winner: B", 0), ("答案：B", 0), ('{"better": "A", "why": "tea"}', 1),
    ],
)  # fmt: skip
def test_pairs(text, first):
    assert read_pair(text) == (first, {})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A passage about tea wins.", "undecided"), ("Passage A and Passage B are equal", "undecided"),
        ("tie", "undecided"), ("A document on tea, a text on boats.", "undecided"),
        ("Document A and Document B are equal", "undecided"), ("A < B", "undecided"),
        ("I cannot compare them", "refusal"), ("", "empty"), (None, "empty"),
        ("[1, 2]", "undecided"), ('{"a": 1}', "undecided"), ("A is not better.", "undecided"),
        ("A passage on tea is better than one on boats.", "undecided"),
        ("Passage A is better. Passage B is better.", "undecided"),
        ("Passage A is less relevant.", "undecided"), ("Passage A is irrelevant", "undecided"),
        ("Passage A is not more relevant than B", "undecided"), ("Passage A is worse", "undecided"),
        ("Passage A doesn't mention tea.", "undecided"), ("I would not choose A.", "undecided"),
        ("A is hardly better.", "undecided"), ('{"first": "A", "second": "B"}', "undecided"),
    ],
)  # fmt: skip
def test_pairs_that_are_ties(text, kind):
    assert read_pair(text) == (0.5, {kind: 1})
