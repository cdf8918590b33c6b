"""Our own chat templates, one per family of models.

A model file carries a template that is a program. We search it for marks that
tell which family the model belongs to, and write prompts by our own rules;
`reference` runs it once, locked away, to see that both say the same. Rendering
yields pieces ``(text, is_special)``: turn marks are special and tokenised as
such, what people and files say never is, so no text can forge a turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from commonplace.chat.messages import Message, Role

Piece = tuple[str, bool]
"""A stretch of the prompt and whether special tokens are parsed in it."""


@dataclass(frozen=True, slots=True)
class Family:
    """How one family of models marks the turns of a conversation.

    Each turn is (before, after) its content. A family whose `system` is None
    gets system text at the head of the next user turn, between the two texts of
    `carry`. `start` comes before all turns. `opening` starts the
    answer. The family is recognised by all `signs` being in the model's own
    template, or by the architecture of a model that has none. `marks` must be
    single tokens of the vocabulary for contents to be unable to forge a turn.
    """

    name: str
    system: tuple[str, str] | None
    user: tuple[str, str]
    assistant: tuple[str, str]
    opening: str
    signs: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    carry: tuple[str, str] = ("", "\n\n")
    start: str = ""


def _chatml(name: str, *signs: str, opening: str = "") -> Family:
    end = "<|im_end|>\n"
    return Family(
        name=name,
        system=("<|im_start|>system\n", end),
        user=("<|im_start|>user\n", end),
        assistant=("<|im_start|>assistant\n", end),
        opening="<|im_start|>assistant\n" + opening,
        signs=("<|im_start|>", *signs),
        architectures=("qwen2", "qwen2moe") if name == "ChatML" else (),
        marks=("<|im_start|>", "<|im_end|>"),
        stops=("<|im_end|>",),
    )


_LLAMA_DATES = "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"

FAMILIES: tuple[Family, ...] = (
    Family(
        name="Phi-4",
        system=("<|im_start|>system<|im_sep|>", "<|im_end|>"),
        user=("<|im_start|>user<|im_sep|>", "<|im_end|>"),
        assistant=("<|im_start|>assistant<|im_sep|>", "<|im_end|>"),
        opening="<|im_start|>assistant<|im_sep|>",
        signs=("<|im_start|>", "<|im_sep|>"),
        marks=("<|im_start|>", "<|im_end|>", "<|im_sep|>"),
        stops=("<|im_end|>",),
    ),
    # Its answer opens with an empty thought: thinking aloud costs minutes on a CPU.
    _chatml("ChatML without thinking", "enable_thinking", opening="<think>\n\n</think>\n\n"),
    _chatml("ChatML"),
    # Its template tells the date its training ended, and a fixed one for today.
    Family(
        name="Llama 3.1",
        system=("<|start_header_id|>system<|end_header_id|>\n\n" + _LLAMA_DATES, "<|eot_id|>"),
        user=("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        assistant=("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
        opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
        signs=("<|start_header_id|>", "<|eot_id|>", "Cutting Knowledge Date", "26 Jul 2024"),
        marks=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        stops=("<|eot_id|>", "<|eom_id|>"),
    ),
    Family(
        name="Llama 3",
        system=("<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"),
        user=("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        assistant=("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
        opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
        signs=("<|start_header_id|>", "<|eot_id|>"),
        marks=("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        stops=("<|eot_id|>",),
    ),
    Family(
        name="Gemma",
        system=None,
        user=("<start_of_turn>user\n", "<end_of_turn>\n"),
        assistant=("<start_of_turn>model\n", "<end_of_turn>\n"),
        opening="<start_of_turn>model\n",
        signs=("<start_of_turn>",),
        architectures=("gemma", "gemma2", "gemma3"),
        marks=("<start_of_turn>", "<end_of_turn>"),
        stops=("<end_of_turn>",),
    ),
    Family(
        name="Granite",
        system=("<|start_of_role|>system<|end_of_role|>", "<|end_of_text|>\n"),
        user=("<|start_of_role|>user<|end_of_role|>", "<|end_of_text|>\n"),
        assistant=("<|start_of_role|>assistant<|end_of_role|>", "<|end_of_text|>\n"),
        opening="<|start_of_role|>assistant<|end_of_role|>",
        signs=("<|start_of_role|>", "<|end_of_role|>"),
        marks=("<|start_of_role|>", "<|end_of_role|>"),
    ),
    Family(
        name="Phi-3",
        system=("<|system|>\n", "<|end|>\n"),
        user=("<|user|>\n", "<|end|>\n"),
        assistant=("<|assistant|>\n", "<|end|>\n"),
        opening="<|assistant|>\n",
        signs=("<|user|>", "<|end|>"),
        architectures=("phi3",),
        marks=("<|user|>", "<|assistant|>", "<|end|>"),
        stops=("<|end|>",),
    ),
    Family(
        name="Phi-4 mini",
        system=("<|system|>", "<|end|>"),
        user=("<|user|>", "<|end|>"),
        assistant=("<|assistant|>", "<|end|>"),
        opening="<|assistant|>",
        signs=("<|tool|>", "<|end|>", "<|assistant|>"),
        marks=("<|user|>", "<|assistant|>", "<|end|>"),
        stops=("<|end|>",),
    ),
    Family(
        name="GLM-4",
        system=("<|system|>\n", ""),
        user=("<|user|>\n", ""),
        assistant=("<|assistant|>\n", ""),
        opening="<|assistant|>\n",
        signs=("[gMASK]<sop>", "<|user|>"),
        architectures=("glm4", "chatglm"),
        marks=("<|user|>", "<|assistant|>"),
        stops=("<|user|>", "<|observation|>"),
        start="[gMASK]<sop>",
    ),
    Family(
        name="Command R",
        system=("<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
        user=("<|START_OF_TURN_TOKEN|><|USER_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
        assistant=("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>", "<|END_OF_TURN_TOKEN|>"),
        opening="<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
        signs=("<|START_OF_TURN_TOKEN|>", "<|CHATBOT_TOKEN|>"),
        architectures=("command-r", "cohere2"),
        marks=("<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>", "<|USER_TOKEN|>"),
        stops=("<|END_OF_TURN_TOKEN|>",),
    ),
    Family(
        name="Zephyr",
        system=("<|system|>\n", "</s>\n"),
        user=("<|user|>\n", "</s>\n"),
        assistant=("<|assistant|>\n", "</s>\n"),
        opening="<|assistant|>\n",
        signs=("<|user|>", "eos_token"),
        marks=("<|user|>", "<|assistant|>"),
        stops=("<|user|>",),
    ),
    # It always thinks: its prompt opens the thought.
    Family(
        name="DeepSeek R1",
        system=("", ""),
        user=("<｜User｜>", ""),
        assistant=("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
        opening="<｜Assistant｜><think>\n",
        signs=("<｜User｜>", "<｜Assistant｜><think>"),
        marks=("<｜User｜>", "<｜Assistant｜>"),
    ),
    Family(
        name="DeepSeek",
        system=("", ""),
        user=("<｜User｜>", ""),
        assistant=("<｜Assistant｜>", "<｜end▁of▁sentence｜>"),
        opening="<｜Assistant｜>",
        signs=("<｜User｜>", "<｜Assistant｜>"),
        marks=("<｜User｜>", "<｜Assistant｜>"),
    ),
    Family(
        name="DeepSeek Coder",
        system=("", "\n"),
        user=("### Instruction:\n", "\n"),
        assistant=("### Response:\n", "\n<|EOT|>\n"),
        opening="### Response:\n",
        signs=("### Instruction:", "<|EOT|>"),
        marks=("### Instruction:", "<|EOT|>"),
        stops=("<|EOT|>", "### Instruction:"),
    ),
    Family(
        name="Mistral 3",
        system=("[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        user=("[INST]", "[/INST]"),
        assistant=("", "</s>"),
        opening="",
        signs=("[INST]", "[SYSTEM_PROMPT]"),
        marks=("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        stops=("[INST]",),
    ),
    Family(
        name="Llama 2",
        system=None,
        user=("[INST] ", " [/INST]"),
        assistant=(" ", " </s><s>"),
        opening="",
        signs=("[INST]", "<<SYS>>"),
        marks=("</s>",),
        stops=("[INST]",),
        carry=("<<SYS>>\n", "\n<</SYS>>\n\n"),
    ),
    Family(
        name="Mistral tight",
        system=None,
        user=("[INST] ", "[/INST]"),
        assistant=(" ", "</s>"),
        opening="",
        signs=("[INST]", '"[/INST]"'),
        marks=("[INST]", "[/INST]"),
        stops=("[INST]",),
    ),
    Family(
        name="Mistral",
        system=None,
        user=("[INST] ", " [/INST]"),
        assistant=("", "</s>"),
        opening="",
        signs=("[INST]",),
        marks=("[INST]", "[/INST]"),
        stops=("[INST]",),
    ),
)

PLAIN = Family(
    name="plain",
    system=("", "\n\n"),
    user=("### Instruction:\n", "\n\n"),
    assistant=("### Response:\n", "\n\n"),
    opening="### Response:\n",
    stops=("### Instruction:",),
)
"""For models of no family we know, and for those that were not taught to chat."""

PLAIN_NOTE = (
    "This model's way of marking turns is not known, so it is asked in plain words; "
    "an instruction-tuned model of a known family answers better."
)
FORGEABLE_NOTE = "This model marks turns with ordinary text, so text in files could imitate a turn."


def detect_family(template: str | None, architecture: str) -> Family:
    """Return the family of a model by its own template text, or `PLAIN`.

    Only a model without any template is judged by its architecture.
    """
    for family in FAMILIES:
        if template and all(sign in template for sign in family.signs):
            return family
        if not template and architecture in family.architectures:
            return family
    return PLAIN


_MARK = re.compile(
    r"(<\|[^|>]+\|>|<｜[^｜>]+｜>|\[/?[A-Z_]+\]|\[gMASK\]|<sop>|</?s>|"
    r"<(?:start|end)_of_turn>|</?think>)"
)
"""What may be a token of its own in the texts of our families."""


def joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Return `pieces` cut so that they become the tokens the model was taught.

    Only marks stay special. The words beside them (a role, a line break) join
    the content, since a tokenizer looks at all text between two marks at once.
    """
    cut: list[Piece] = []
    for text, special in pieces:
        parts = _MARK.split(text) if special else [text]
        for index, part in enumerate(parts):
            mark = special and index % 2 == 1
            if part and cut and not mark and not cut[-1][1]:
                cut[-1] = (cut[-1][0] + part, False)
            elif part:
                cut.append((part, mark))
    return cut


def render(family: Family, messages: Sequence[Message]) -> list[Piece]:
    """Return the prompt made from `messages`, ending where the answer begins.

    Contents come as pieces of their own, never special; empty pieces are left
    out. The token that begins a sequence is the tokenizer's business.
    """
    turns: dict[Role, tuple[str, str] | None] = {
        "system": family.system,
        "user": family.user,
        "assistant": family.assistant,
    }
    pieces: list[Piece] = [(family.start, True)]
    head, tail = family.carry
    carried = ""
    for message in messages:
        turn = turns[message.role]
        if turn is None:
            carried += head + message.content + tail
            continue
        before, after = turn
        content = message.content
        if message.role == "user":
            content, carried = carried + content, ""
        pieces += [(before, True), (content, False), (after, True)]
    if carried:  # system text that no user turn followed
        before, after = family.user
        pieces += [(before, True), (carried.rstrip(), False), (after, True)]
    pieces.append((family.opening, True))
    return [piece for piece in pieces if piece[0]]
