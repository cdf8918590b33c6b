"""Measure the engine with a model: ``python -m bench.engine [MODEL.gguf]``.

All figures are ratios within one run, or times next to what they are compared
with, since absolute ones say more about the machine than about the program.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil

from bench.engine import adapters, waiting
from bench.machine import machine, percentile, table
from commonplace.chat.messages import Message
from commonplace.engine.grammars import choice_grammar
from commonplace.engine.session import EngineSession
from commonplace.engine.types import Completion, LoadOptions, Sampling
from commonplace.errors import EngineError

MODEL = Path(__file__).resolve().parents[2] / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT = 4096
READ_TOKENS = 2000
WRITE_TOKENS = 128
ROUNDS = 9
CYCLES = 100
WARM_CYCLES = 20
FAKE = [sys.executable, "-m", "commonplace.engine.fake_worker"]
GREEDY = Sampling(max_tokens=WRITE_TOKENS, temperature=0.0, repeat_penalty=1.0)
SYSTEM = Message("system", "You are a coding assistant.")
CODE = "def add(first, second):\n    return first + second\n\n\n"

Row = list[str]


def main() -> None:
    """Print all figures, or those of one part."""
    parts = {
        "decode": decode,
        "copy": copy,
        "follow": follow_up,
        "cancel": cancel,
        "killed": killed,
        "protocol": protocol,
        "cycles": cycles,
        "adapter": adapters.adapter,
        "score": adapters.score,
        "waiting": waiting.waiting,
    }
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", nargs="?", type=Path, default=MODEL)
    parser.add_argument("--only", choices=parts, action="append")
    args = parser.parse_args()
    if not args.model.is_file():
        parser.error(f"there is no {args.model}; `make models` fetches the starter model")
    print(machine())
    print(f"{args.model.name}; load {os.getloadavg()[0]:.1f} before the run")
    rows: list[Row] = [["", "figure", "aim"]]
    for name in args.only or parts:
        rows += parts[name](args.model)
    table("The engine", rows)


def decode(model: Path) -> list[Row]:
    """Compare writing through our process with llama.cpp's own loop, turn by turn."""
    ours, bare = [], []
    with EngineSession(LoadOptions(context=CONTEXT, batch=512)) as session:
        threads = session.load(model).threads
        command = [sys.executable, "-m", "bench.engine.bare", str(model), str(CONTEXT)]
        with subprocess.Popen(
            [*command, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as loop:
            assert loop.stdin is not None
            assert loop.stdout is not None
            loop.stdout.readline()

            def plain(prompt: int, written: int) -> float:
                loop.stdin.write(f"{prompt} {written}\n")
                loop.stdin.flush()
                return float(loop.stdout.readline()) / (written - 1)

            for number in range(ROUNDS + 1):
                answer = session.complete(question(number, 200), GREEDY)
                sizes = answer.prompt_tokens, answer.completion_tokens
                before = plain(*sizes)
                times = [answer.total_ms - answer.first_token_ms]
                answer = session.complete(question(number, 200), GREEDY)
                spent = min(*times, answer.total_ms - answer.first_token_ms)
                after = plain(*sizes)
                if number and answer.completion_tokens > WRITE_TOKENS // 2:  # the first warms up
                    ours.append(spent / 1000 / (answer.completion_tokens - 1))
                    bare.append(min(before, after))
            loop.stdin.close()
    # The best of all rounds: whatever else the machine does only ever adds time.
    ratio = min(bare) / min(ours)
    speed = 1 / min(ours)
    return [
        ["writing through the engine / bare loop", f"{ratio:.3f}", ">= 0.97"],
        [f"writing, {threads} threads", f"{speed:.0f} tokens/s", ""],
    ]


def question(number: int, tokens: int) -> list[Message]:
    """Return messages of about so many tokens, unlike those of any other number."""
    body = f"# file {number}\n" + CODE * (tokens // 15)
    return [SYSTEM, Message("user", f"{body}\nExplain at length what file {number} does.")]


def copy(model: Path) -> list[Row]:
    """Compare an answer that repeats code, foretold and written one by one."""
    ratios, found = [], 0
    body = (
        CODE.replace("add", "total") + "def scale(value, factor):\n    return value * factor\n\n\n"
    )
    talk = [SYSTEM, Message("user", f"Repeat this code exactly:\n```python\n{body * 2}```")]
    with (
        tempfile.TemporaryDirectory() as cache,
        EngineSession(LoadOptions(context=CONTEXT, cache=cache)) as session,
    ):
        session.load(model)
        facts = json.loads((Path(cache) / "tuning.json").read_text(encoding="utf-8"))
        found = next(iter(facts.values()))["ahead"]
        grammar = choice_grammar([body * 2])  # a small model would stray
        once = replace(GREEDY, max_tokens=96, grammar=grammar)
        for _ in range(ROUNDS // 2):
            plain = session.complete(talk, once)
            copied = session.complete(talk, replace(once, copies=True))
            assert copied.text == plain.text
            spent = [a.total_ms - a.first_token_ms for a in (plain, copied)]
            ratios.append(spent[1] / spent[0])
    return [
        ["tokens foretold where an answer copies", str(found), ""],
        ["copying foretold / one by one", f"{statistics.median(ratios):.2f}", "< 1 or unused"],
    ]


def follow_up(model: Path) -> list[Row]:
    """Time the first token of a second question, in the same process and in a new one."""
    live, reopened, firsts, sizes = [], [], [], []
    short = Sampling(max_tokens=8, temperature=0.0)
    for number in range(3):
        with tempfile.TemporaryDirectory() as cache:
            options = LoadOptions(context=CONTEXT, cache=cache)
            with EngineSession(options) as session:
                session.load(model)
                talk = question(number, READ_TOKENS)
                first = session.complete(talk, short, conversation="bench")
                talk += [Message("assistant", first.text), Message("user", "And why is that so?")]
                second = session.complete(talk, short, conversation="bench")
                began = time.perf_counter()
                session.keep()
                kept_ms = (time.perf_counter() - began) * 1000
            sizes.append(sum(f.stat().st_size for f in (Path(cache) / "states").iterdir()))
            talk += [Message("assistant", second.text), Message("user", "Is there another way?")]
            with EngineSession(options) as session:
                session.load(model)
                third = session.complete(talk, short, conversation="bench")
        firsts.append(first)
        live.append(second.first_token_ms / first.first_token_ms)
        reopened.append(third.first_token_ms / first.first_token_ms)
    read = statistics.median(first.prompt_tokens for first in firsts)
    return [
        ["tokens of the first question", f"{read:.0f}", ""],
        ["its first token", f"{median_first(firsts):.0f} ms", ""],
        ["follow-up / first question", f"{statistics.median(live):.3f}", "<= 0.25"],
        ["after reopening / first question", f"{statistics.median(reopened):.3f}", "<= 0.4"],
        ["the state on disk", f"{max(sizes) / 1e6:.0f} MB, kept in {kept_ms:.0f} ms", ""],
    ]


def median_first(answers: list[Completion]) -> float:
    """Return the usual time to a first token, in milliseconds."""
    return statistics.median(answer.first_token_ms for answer in answers)


def cancel(model: Path) -> list[Row]:
    """Time it from asking to stop until the answer has ended, while writing and while reading."""
    writing, reading = [], []
    with EngineSession(LoadOptions(context=CONTEXT)) as session:
        session.load(model)
        for number in range(ROUNDS):
            writing.append(_stopped_after(session, question(number, 100), on_text=True))
            reading.append(_stopped_after(session, question(100 + number, 3000), on_text=False))
    return [
        ["cancel until the last token, writing", f"{max(writing):.0f} ms at most", "<= 200 ms"],
        ["cancel until the end, reading", f"{max(reading):.0f} ms at most", "<= 200 ms"],
    ]


def _stopped_after(session: EngineSession, talk: list[Message], *, on_text: bool) -> float:
    asked: list[float] = []
    began = time.perf_counter()
    written: list[float] = []

    def stop() -> bool:
        ready = len(written) > 3 if on_text else time.perf_counter() - began > 0.5
        if ready and not asked:
            asked.append(time.perf_counter())
        return bool(asked)

    answer = session.complete(
        talk,
        Sampling(max_tokens=1000, repeat_penalty=1.0),
        on_text=lambda _text: written.append(time.perf_counter()),
        stop=stop,
    )
    assert answer.finish == "cancelled", answer
    return (time.perf_counter() - asked[0]) * 1000


def killed(model: Path) -> list[Row]:
    """Time it from the end of the child until the next one answers, beyond the time to load."""
    over, loads = [], []
    for _ in range(3):
        with EngineSession(LoadOptions(context=CONTEXT)) as session:
            began = time.perf_counter()
            session.load(model)
            loads.append(time.perf_counter() - began)
            pid = session.pid
            assert pid is not None
            began = time.perf_counter()
            try:
                session.complete(
                    question(1, 50), GREEDY, on_text=lambda _t, p=pid: os.kill(p, signal.SIGKILL)
                )
            except EngineError:
                session.load(model)
                session.count(["usable again"])
            over.append(time.perf_counter() - began - loads[-1])
    return [
        ["starting and loading", f"{statistics.median(loads):.2f} s", ""],
        ["killed until usable, beyond that", f"{max(over):.2f} s at most", "<= 2 s"],
    ]


def protocol(_model: Path) -> list[Row]:
    """Time the gaps between tokens of an engine that takes no time to think."""
    gaps: list[float] = []
    with EngineSession(command=FAKE) as session:
        session.load(Path("fake.gguf"))
        for _ in range(5):
            arrived: list[float] = []
            session.complete(
                [Message("user", "!long")],
                Sampling(max_tokens=2000),
                on_text=lambda _text, times=arrived: times.append(time.perf_counter()),
            )
            gaps += [(b - a) * 1000 for a, b in itertools.pairwise(arrived)]
    return [
        ["protocol for each token, mean", f"{statistics.mean(gaps):.3f} ms", ""],
        ["protocol for each token, p99", f"{percentile(gaps, 0.99):.3f} ms", "< 0.5 ms"],
    ]


def cycles(model: Path) -> list[Row]:
    """Start, load, answer and stop again and again, and say what grows."""
    me = psutil.Process()
    marks: list[tuple[float, int, int]] = []
    short = Sampling(max_tokens=2)
    for number in range(CYCLES):
        with EngineSession(LoadOptions(context=512, batch=128, threads=1)) as session:
            session.load(model)
            session.complete([Message("user", "Hello")], short)
        if number + 1 in {WARM_CYCLES, CYCLES}:
            marks.append((me.memory_info().rss / 2**20, me.num_fds(), me.num_threads()))
    inside: list[float] = []
    with EngineSession(LoadOptions(context=512, batch=128, threads=1)) as session:
        for number in range(CYCLES):
            session.load(model)
            session.complete([Message("user", "Hello")], short)
            if number + 1 in {WARM_CYCLES, CYCLES}:
                inside.append(psutil.Process(session.pid).memory_info().rss / 2**20)
    (memory, handles, threads), (then, handles_then, threads_then) = marks
    said = f"cycles {WARM_CYCLES} to {CYCLES}"
    return [
        [f"{said}: memory of the parent", f"{then - memory:+.1f} MiB", "no growth"],
        [f"{said}: handles, threads", f"{handles_then - handles:+d}, {threads_then - threads:+d}",
         "+0, +0"],
        [f"loads {WARM_CYCLES} to {CYCLES} in one child", f"{inside[1] - inside[0]:+.1f} MiB",
         "no growth"],
    ]  # fmt: skip


if __name__ == "__main__":
    main()
