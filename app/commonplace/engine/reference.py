"""What a model's own chat template says, run where it can do no harm.

A template is a program from whoever made the file: its sandbox keeps it from
files and modules, and still lets it count for ever. So it runs in a process of
its own with a deadline and a limit on memory, once for each model, only to
compare it with our own rules.
"""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from commonplace.chat.messages import Message
from commonplace.engine.templates import FAMILIES, Family, render
from commonplace.engine.types import messages_to_wire
from commonplace.paths import worker_command

log = logging.getLogger(__name__)

SECONDS = 5.0
MEMORY = 512 << 20
MAX_TEMPLATE = 256 << 10
MAX_TEXT = 64 << 10

TALK = (
    Message("system", "Answer briefly."),
    Message("user", "What is a list?"),
    Message("assistant", "A row of things."),
    Message("user", "And a tuple?"),
)
"""What both sides render; shaped like our own prompts."""
DIFFERS_NOTE = (
    "This model's own template marks turns a little differently from ours for {}; "
    "its answers may be worse for it."
)


def reference_text(
    template: str,
    messages: Sequence[Message],
    *,
    bos: str = "",
    eos: str = "",
    seconds: float = SECONDS,
) -> str | None:
    """Return what `template` makes of `messages`, or None if it fails or takes too long."""
    if len(template) > MAX_TEMPLATE:
        return None
    request = {
        "template": template,
        "messages": messages_to_wire(messages),
        "bos": bos,
        "eos": eos,
    }
    try:
        done = subprocess.run(
            worker_command("template"),
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        text = json.loads(done.stdout)["text"] if done.returncode == 0 else None
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired) as error:
        log.info("The model's template gave nothing: %s", type(error).__name__)
        return None
    return text if isinstance(text, str) else None


Same = Callable[[Family, Sequence[Message], str], bool]
"""Whether a family's rules make the very tokens of a reference from messages."""


def same_text(family: Family, messages: Sequence[Message], reference: str) -> bool:
    """Compare letters, where there is no tokenizer."""
    return "".join(text for text, _ in render(family, messages)) == reference


def agreed_family(
    first: Family, template: str, same: Same = same_text, *, bos: str = "", eos: str = ""
) -> tuple[Family, str]:
    """Return the family to use for a model with `template`, and a note for the user.

    Templates that refuse system turns are asked without one. A beginning of the
    sequence in the reference is the tokenizer's business.
    """
    heard = False
    for talk in (TALK, TALK[1:]):
        reference = reference_text(template, talk, bos=bos, eos=eos)
        if reference is None:
            continue
        heard = True
        wanted = reference.removeprefix(bos)
        for family in (first, *FAMILIES):
            if same(family, talk, wanted):
                return family, ""
    return first, DIFFERS_NOTE.format(first.name) if heard else ""


def render_template(request: dict[str, Any]) -> str:
    """Render the template of `request`; for the process that is locked away."""
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> NoReturn:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.globals["raise_exception"] = refuse
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    return environment.from_string(request["template"]).render(
        messages=request["messages"],
        bos_token=request["bos"],
        eos_token=request["eos"],
        add_generation_prompt=True,
        enable_thinking=False,
    )


def main() -> None:
    """Render one request from standard input; does not return."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS) + 1, int(SECONDS) + 1))
    try:
        text = render_template(json.loads(sys.stdin.buffer.read()))
    except Exception:  # noqa: BLE001 - a stranger's program may raise anything
        sys.exit(1)
    if len(text) > MAX_TEXT:
        sys.exit(1)
    sys.stdout.write(json.dumps({"text": text}))
    sys.exit(0)
