"""The steps an answer is made of.

`chat.answer.answer_steps` is a generator: it yields one of these steps and is
sent the reply named beside it. The window replies from signals, the command
line from blocking calls, tests from a list.
"""

from __future__ import annotations

from dataclasses import dataclass

from commonplace.chat.messages import Message
from commonplace.recall.passages import Found


@dataclass(frozen=True, slots=True)
class Search:
    """Find passages for `question`; the reply is a `recall.passages.Found`."""

    question: str
    limit: int


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Count the model's tokens in each text; the reply is a `Counts`."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens per text, in the order asked."""

    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Complete:
    """Let the model answer `messages`; the reply is a `Completed`.

    Whoever replies also shows the text while it streams in. A `grammar` in GBNF
    gives the answer its form; `copies` says that much of it repeats the prompt.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float
    grammar: str = ""
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Completed:
    """What the model wrote. Times are milliseconds since the step was taken.

    `finish` is ``stop``, ``length`` (the longest answer was reached),
    ``repeated`` (the model went round in circles) or ``cancelled`` (the user
    stopped it; the text so far is kept).
    """

    text: str
    finish: str
    prompt_tokens: int
    completion_tokens: int
    first_token_ms: float


Step = Search | CountTokens | Complete
Reply = Found | Counts | Completed
