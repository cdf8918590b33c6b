#!/usr/bin/env python3
"""Keep the catalogues of translations: collect the texts, merge them, compile them.

    python scripts/translations.py            collect, merge into each .po, compile to .mo
    python scripts/translations.py --check    change nothing; fail if a text is missing

Collected are the literals and f-strings that are given to `tr`, `_tr`, `_translated`,
`QCoreApplication.translate` and `said`, the messages and remedies of our errors, and the
declarations of actions, settings and commands. What an f-string puts in becomes a
numbered place: ``{0}``, ``{1}``.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from commonplace.desktop.settings_dialog import GROUPS
from commonplace.settings import declared

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "app" / "commonplace"
FOLDER = ROOT / "resources" / "translations"
LANGUAGES = ("de", "fr")
FIRST = {"tr": 0, "_tr": 0, "_translated": 0, "said": 0, "translate": 1}
"""Functions whose argument, by its number, is a text."""
DECLARED = {"ActionSpec": (1, 2), "Command": (1,), "_setting": (2,), "_Unplaced": (0,)}
"""Tables whose entries hold texts, by the numbers of the arguments."""
NOT_SHOWN = {"DefectError", "ProtocolError", *dir(builtins)}
"""Errors whose words are for those who mend the program, not for those who use it."""
HEADER = "# What Commonplace says, in another language. Made by `make translations`."
MADE = datetime(2026, 1, 1, tzinfo=UTC)
"""A date that never changes, so that the same texts make the same file."""


def texts() -> dict[str, list[str]]:
    """Return every text that the program can show, with the files that hold it."""
    found: dict[str, list[str]] = {}
    for file in sorted(CODE.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if file.is_relative_to(CODE / "cli"):
            continue  # the command line speaks English: scripts read it
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for text in _of_call(node):
                    if any(map(str.isalpha, text)) and name not in found.setdefault(text, []):
                        found[text].append(name)
    settings = "app/commonplace/settings.py"
    for text in GROUPS.values():
        found.setdefault(text, [settings])
    for setting in declared():
        for text in (setting.title, *(c for c in setting.choices if len(c) > len("en"))):
            found.setdefault(text, [settings])
    return found


def _of_call(call: ast.Call) -> Iterator[str]:
    function = call.func
    name = getattr(function, "attr", None) or getattr(function, "id", "")
    arguments: list[ast.expr] = []
    if name in FIRST:
        arguments = call.args[FIRST[name] : FIRST[name] + 1]
    elif name in DECLARED:
        arguments = [call.args[n] for n in DECLARED[name] if n < len(call.args)]
    elif name.endswith("Error") and name not in NOT_SHOWN:
        arguments = [*call.args, *(k.value for k in call.keywords)]
    for argument in arguments:
        yield from _literals(argument)


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)
        return
    parts = _parts(node)
    if parts is not None:
        text, number = "", 0
        for part in parts:
            if part is None:
                text, number = text + f"{{{number}}}", number + 1
            else:
                text += part
        yield text


def _parts(node: ast.expr) -> list[str | None] | None:
    """Return the pieces of a text, None for what is put in; None where it is no literal."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return [v.value if isinstance(v, ast.Constant) else None for v in node.values]  # type: ignore[misc]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _parts(node.left), _parts(node.right)
        return None if left is None or right is None else left + right
    return None


def template() -> Catalog:
    """Return a catalogue of all texts without translations."""
    catalog = Catalog(project="Commonplace", charset="utf-8", fuzzy=False)
    for text, files in sorted(texts().items()):
        catalog.add(text, locations=[(name, 0) for name in files])
    return catalog


def read(code: str) -> Catalog:
    """Read the catalogue of a language; an empty one where there is none."""
    file = FOLDER / f"{code}.po"
    if not file.exists():
        return Catalog(locale=code, project="Commonplace", charset="utf-8", fuzzy=False)
    with file.open("rb") as opened:
        return read_po(opened, locale=code)


def write(code: str, catalog: Catalog) -> None:
    """Write a catalogue for people and, beside it, for the program."""
    catalog.obsolete.clear()
    catalog.header_comment = HEADER
    catalog.version = catalog.msgid_bugs_address = ""
    catalog.last_translator = catalog.language_team = ""
    catalog.creation_date = catalog.revision_date = MADE
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{code}.po").open("wb") as file:
        write_po(file, catalog, width=100, include_lineno=False, sort_output=True)
    with (FOLDER / f"{code}.mo").open("wb") as file:
        write_mo(file, catalog)


def missing(code: str, wanted: Catalog) -> list[str]:
    """Return the texts that a language lacks, or has only as a guess."""
    there = {m.id: m for m in read(code) if m.id}
    return [
        str(m.id)
        for m in wanted
        if m.id and (m.id not in there or not there[m.id].string or there[m.id].fuzzy)
    ]


def main() -> int:
    """Do what the arguments say; 1 where a text is not translated."""
    wanted = template()
    status = 0
    for code in LANGUAGES:
        if "--check" not in sys.argv[1:]:
            catalog = read(code)
            catalog.update(wanted, no_fuzzy_matching=True)
            write(code, catalog)
        lacking = missing(code, wanted)
        sys.stdout.write(f"{code}: {len(wanted):,} texts, {len(lacking):,} not translated\n")
        for text in lacking[:20] if lacking else ():
            sys.stdout.write(f"  {text!r}\n")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
