"""What many conversations cost: keeping a message, listing, searching as one types, deleting.

Fills a folder with conversations whose words come from the standard library's
documentation, then measures. The same search without its index, by looking at
every message, is the yardstick.

    python -m bench.conversations [--count 10000]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.machine import machine, percentile, table
from commonplace.chat.answer import Answer, Timings
from commonplace.chat.kept import Kept, new_id
from commonplace.chat.messages import Message
from commonplace.chat.prompt import Block, Prompt
from commonplace.chat.searching import words_in
from commonplace.chat.store import ConversationStore
from commonplace.recall.passages import Passage

TURNS = 3
SEARCHES = {
    "a common word": "return",
    "two words": "socket timeout",
    "a beginning of two letters": "se",
    "a word that one conversation holds": "zanzibarium",
    "a word that none holds": "qqqqxyz",
}


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000)
    args = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), args.count)


def run(folder: Path, count: int) -> None:
    """Measure `count` conversations in `folder`."""
    choose = random.Random(1)
    texts = paragraphs()
    store = ConversationStore(folder)
    fill(store, count, texts, choose)
    kept = [timed(lambda n=n: turn(store, f"new{n}", texts, choose)) / 2 for n in range(200)]
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    rows = [
        ["", "figure"],
        ["messages", f"{count * TURNS * 2:,}"],
        ["on disk", f"{size:.0f} MiB"],
        ["keep a message, flushed to the disk, median", f"{statistics.median(kept):.1f} ms"],
        ["keep a message, p99", f"{percentile(kept, 0.99):.1f} ms"],
        ["list all conversations", f"{best(store.chats):.0f} ms"],
        ["open a conversation with its sources", f"{best(lambda: store.messages('c7')):.1f} ms"],
        ["keep a draft, median", f"{best(lambda: store.set_draft('', texts[0])):.1f} ms"],
    ]
    for name, words in SEARCHES.items():
        found, plain = best(lambda w=words: store.find(w)), best(lambda w=words: scan(store, w), 3)
        hits = len(store.find(words))
        rows.append(
            [f"search, {name}", f"{found:.1f} ms, {hits} found, {plain / found:.0f} × a scan"]
        )
    store.remove("c9")
    rows.append(["delete one for good", f"{timed(store.purge):.0f} ms"])
    store.close()
    table(f"{count:,} conversations", rows)


def fill(store: ConversationStore, count: int, texts: list[str], choose: random.Random) -> None:
    """Keep `count` conversations without waiting for the disk each time."""
    store.set_last("c0")
    store._conn.execute("PRAGMA synchronous = OFF")  # noqa: SLF001 - this is the setting-up
    for number in range(count):
        turn(store, f"c{number}", texts, choose, TURNS)
    question = Kept(new_id(), "rare", 0, "user", "where does zanzibarium stand?")
    store.keep(question)
    store._conn.execute("PRAGMA synchronous = FULL")  # noqa: SLF001


def turn(
    store: ConversationStore, name: str, texts: list[str], choose: random.Random, turns: int = 1
) -> None:
    """Keep questions and answers as the window does."""
    parent = 0
    for _ in range(turns):
        question = Kept(new_id(parent), name, parent, "user", choose.choice(texts)[:120])
        store.keep(question)
        answer = answer_of(choose.choice(texts), [choose.choice(texts) for _ in range(6)])
        reply = Kept(new_id(), name, question.id, "assistant", answer.text, "m", "stop", answer)
        store.keep(reply)
        parent = reply.id


def answer_of(text: str, passages: list[str]) -> Answer:
    """Return an answer with a prompt of ordinary size."""
    found = tuple(
        Passage(f"src/file{n}.py", n, n + 9, t, 1.0, "function", f"f{n}", ("defines it",))
        for n, t in enumerate(passages)
    )
    blocks = tuple(Block(p.place, "code", p.text, 200) for p in found)
    whole = "\n".join(passages)
    prompt = Prompt(blocks, (Message("system", "Be brief."), Message("user", whole)), found, ())
    return Answer(text, (), (), found, prompt, "m", "stop", "", Timings(1, 2, 3, 4, 5))


def scan(store: ConversationStore, words: str) -> list[Any]:
    """Look at every message, as a search without an index would."""
    clause = " AND ".join(["text LIKE ?"] * len(words_in(words)))
    query = f"SELECT DISTINCT conversation FROM messages WHERE {clause}"
    return store._rows(query, [f"%{word}%" for word in words_in(words)])  # noqa: SLF001


def paragraphs() -> list[str]:
    """Return texts of some hundred characters from the standard library."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [text[at : at + 700] for at in range(0, min(len(text), 60_000), 700)]
    return found


def timed(run: Callable[[], object]) -> float:
    """Return the milliseconds that `run` takes."""
    began = time.perf_counter()
    run()
    return (time.perf_counter() - began) * 1000


def best(run: Callable[[], object], times: int = 9) -> float:
    """Return the median of a few runs, in milliseconds."""
    return statistics.median(timed(run) for _ in range(times))


if __name__ == "__main__":
    main()
