"""What tests of conversations share: answers with everything in them."""

from __future__ import annotations

from commonplace.chat.answer import Answer, Timings
from commonplace.chat.citations import Citation, Sentence
from commonplace.chat.kept import Kept, new_id
from commonplace.chat.messages import Message
from commonplace.chat.prompt import Block, Prompt
from commonplace.recall.passages import Passage

PASSAGES = (
    Passage("src/a.py", 3, 4, "def a():\n    pass", 2.5, "function", "a", ("defines a",)),
    Passage("b.md", 1, 1, "# B", 1.0, "section", "B", ("path words", "close"), tier="docs"),
)


def answer(text="It is in a [1].", question="where is a?", finish="stop"):
    blocks = (
        Block("Instructions", "ours", "Be brief.", 3),
        Block("src/a.py:3-4", "code", "[1] src/a.py", 9),
        Block("Question", "person", question, 5),
    )
    asked = f"[1] src/a.py\n{question}"
    return Answer(
        text=text,
        citations=(Citation(1, "src/a.py", 3, 4, "model"),),
        sentences=(Sentence(0, len(text), (1,), "model"),),
        passages=PASSAGES,
        prompt=Prompt(
            blocks,
            (Message("system", "Be brief."), Message("user", asked)),
            PASSAGES[:1],
            ("Passage b.md:1-1 did not fit.",),
        ),
        model="tiny",
        finish=finish,
        note="",
        timings=Timings(1.5, 20.0, 90.25, 17, 6),
    )


def asked(conversation, text, parent=0):
    return Kept(new_id(parent), conversation, parent, "user", text)


def said(question, text="It is in a [1].", **about):
    kept = answer(text, question.text, **about)
    return Kept(
        new_id(question.id), question.conversation, question.id, "assistant", text,
        kept.model, kept.finish, kept,
    )  # fmt: skip
