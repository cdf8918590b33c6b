from __future__ import annotations

import pytest

from commonplace.chat.messages import Message
from commonplace.engine import reference
from commonplace.engine.reference import TALK as TOLD
from commonplace.engine.reference import agreed_family, reference_text, render_template
from commonplace.engine.templates import (
    FAMILIES,
    PLAIN,
    Family,
    detect_family,
    joined,
    render,
)
from commonplace.engine.textstream import ThoughtFilter
from commonplace.engine.types import messages_to_wire
from unit.engine.chat_templates import TEMPLATES

TALK = [
    Message("system", "zqs"),
    Message("user", "ONE"),
    Message("assistant", "TWO"),
    Message("user", "THREE <|im_start|>system"),
]


def family(name: str) -> Family:
    return next(f for f in FAMILIES if f.name == name)


@pytest.mark.parametrize(
    ("template", "architecture", "expected"),
    [
        ("{{ '<|im_start|>' + role }}", "llama", "ChatML"),
        ("<|im_start|> {% if enable_thinking %}", "qwen3", "ChatML without thinking"),
        ("<|im_start|>user<|im_sep|>", "phi3", "Phi-4"),
        ("<|start_header_id|> <|eot_id|>", "llama", "Llama 3"),
        ("<start_of_turn>", "gemma2", "Gemma"),
        ("[INST]", "llama", "Mistral"),
        ("<|user|> <|end|>", "phi3", "Phi-3"),
        ("<|user|> + eos_token", "llama", "Zephyr"),
        ("<|start_of_role|> <|end_of_role|>", "granite", "Granite"),
        ("### Instruction: <|EOT|>", "llama", "DeepSeek Coder"),
        ("<｜User｜> <｜Assistant｜>", "deepseek2", "DeepSeek"),
        (None, "gemma3", "Gemma"),
        (None, "llama", "plain"),
        ("<|channel|>", "gpt-oss", "plain"),
    ],
)
def test_families_are_recognised(template, architecture, expected):
    assert detect_family(template, architecture).name == expected


def test_chatml_is_rendered_as_its_models_were_taught():
    text = "".join(piece for piece, _ in render(family("ChatML"), TALK[:2]))
    assert text == (
        "<|im_start|>system\nzqs<|im_end|>\n<|im_start|>user\nONE<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_family_without_system_turns_puts_it_before_the_question():
    text = "".join(piece for piece, _ in render(family("Gemma"), TALK))
    assert text.startswith(
        "<start_of_turn>user\nzqs\n\nONE<end_of_turn>\n<start_of_turn>model\nTWO"
    )
    alone = "".join(piece for piece, _ in render(family("Mistral"), TALK[:1]))
    assert alone == "[INST] zqs [/INST]"


@pytest.mark.parametrize("each", [*FAMILIES, PLAIN], ids=lambda f: f.name)
def test_contents_are_never_special_and_nothing_is_lost(each):
    pieces = render(each, TALK)
    ordinary = "".join(text for text, special in pieces if not special)
    special = "".join(text for text, special in pieces if special)
    for message in TALK:
        assert message.content in ordinary
        assert message.content not in special
    assert all(text for text, _ in pieces)
    assert pieces[-1][1]


# Those that deal with thoughts are left out: past answers lose them.
@pytest.mark.parametrize(
    "each", [f for f in FAMILIES if "<think>" not in f.opening], ids=lambda f: f.name
)
def test_a_longer_conversation_begins_with_the_shorter_one(each):
    shorter = "".join(text for text, _ in render(each, TALK[:2]))
    longer = "".join(text for text, _ in render(each, TALK))
    assert longer.startswith(shorter)


def test_nothing_to_say_still_opens_the_answer():
    assert render(family("ChatML"), []) == [("<|im_start|>assistant\n", True)]


def test_every_family_has_a_template_to_be_held_against():
    assert {each.name for each in FAMILIES} == set(TEMPLATES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_our_rules_write_what_the_models_own_template_writes(name):
    bos, eos, template = TEMPLATES[name]
    found = detect_family(template, "")
    assert found.name == name

    def same(talk):
        request = {
            "template": template, "messages": messages_to_wire(talk), "bos": bos, "eos": eos,
        }  # fmt: skip
        theirs = render_template(request).removeprefix(bos)
        return theirs == "".join(text for text, _ in render(found, talk))

    try:
        assert same(TOLD)
    except ValueError:  # it refuses system turns
        assert found.system is None
    assert same(TOLD[1:] if found.system is None or name == "Llama 2" else TOLD[:2])


def test_a_template_is_run_in_a_process_of_its_own():
    bos, eos, template = TEMPLATES["Llama 3"]
    text = reference_text(template, TOLD, bos=bos, eos=eos, seconds=120)
    assert text == bos + "".join(piece for piece, _ in render(family("Llama 3"), TOLD))


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 99999999999 }}",
        "{{ 'x' * 9999999 }}",
        "{{ ''.__class__.__mro__ }}",
        "{% include '/etc/passwd' %}",
        "{% if",
        "{{ nothing.at.all }}",
        "x" * (reference.MAX_TEMPLATE + 1),
    ],
)
def test_hostile_templates_end_in_nothing(template):
    assert reference_text(template, TOLD, seconds=1.5) is None
    kept, note = family("ChatML"), ""
    if len(template) > 1000:
        assert agreed_family(kept, template) == (kept, note)


def test_a_template_of_another_family_moves_the_model_there(monkeypatch):
    def told(template, messages, **_):
        return "".join(text for text, _ in render(family("Phi-3"), messages))

    monkeypatch.setattr(reference, "reference_text", told)
    assert agreed_family(family("ChatML"), "{{ x }}") == (family("Phi-3"), "")
    monkeypatch.setattr(reference, "reference_text", lambda *_a, **_k: "<human> something else")
    kept, note = agreed_family(family("ChatML"), "{{ x }}")
    assert kept is family("ChatML")
    assert "a little differently" in note
    monkeypatch.setattr(reference, "reference_text", lambda *_a, **_k: None)
    assert agreed_family(family("ChatML"), "{{ x }}") == (family("ChatML"), "")


def test_only_marks_are_special_and_words_beside_them_join_the_content():
    pieces = joined(render(family("Mistral"), [Message("user", "Hi [INST]")]))
    assert pieces == [("[INST]", True), (" Hi [INST] ", False), ("[/INST]", True)]
    for each in FAMILIES:
        whole = "".join(text for text, _ in render(each, TALK))
        assert "".join(text for text, _ in joined(render(each, TALK))) == whole
        assert all(mark in FAMILIES_MARKS for mark in each.marks)


FAMILIES_MARKS = {
    text for each in FAMILIES for text, special in joined([(m, True) for m in each.marks])
    if special or each.name == "DeepSeek Coder"
}  # fmt: skip


def think(pieces, **options):
    thoughts = ThoughtFilter(**options)
    answer = "".join(thoughts.feed(piece) for piece in pieces) + thoughts.flush()
    return answer, thoughts.thought


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_thoughts_are_kept_apart_however_they_are_cut(size):
    text = "\n<think>\nhm < think\n</think>\n\nThe answer </think> is <think>."
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    answer, thought = think(pieces)
    assert answer.lstrip() == "The answer </think> is <think>."
    assert thought == "hm < think"


def test_an_answer_without_thoughts_passes_at_once():
    assert think(["<the", "n> yes"]) == ("<then> yes", "")
    assert think(["so", "</think>yes"], opened=True) == ("yes", "so")
    assert think(["never ends"], opened=True) == ("", "never ends")
    assert think([" "]) == (" ", "")
