"""What people already wrote: rules for assistants, and documentation.

These files are recognised by their names, read where they lie, and never
moved or changed. Rules go into every prompt, documents are found like code
and trusted above it.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

Tier = Literal["rules", "docs", "code"]

RULES = re.compile(
    r"(?:.*/)?(?:AGENTS(?:\.override)?\.md|CLAUDE(?:\.local)?\.md|GEMINI\.md|CONVENTIONS\.md"
    r"|\.cursorrules|\.windsurfrules|\.clinerules"
    r"|\.github/copilot-instructions\.md|\.github/instructions/.+\.md"
    r"|\.cursor/rules/.+\.mdc?)",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"(?:readme|contributing|changelog|changes|history|news|releases?|authors|security|support"
    r"|code_of_conduct|governance|maintainers|upgrading|upgrade|migrating|migration|install"
    r"|hacking|design|architecture|roadmap|style_?guide|faq|glossary|todo)"
    r"(?:[-._]\w+)*",
    re.IGNORECASE,
)
PROSE = frozenset({".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".org", ".textile"})
PLAIN = frozenset({"", ".txt", ".text"})
FOLDERS = frozenset(
    {"doc", "docs", "documentation", "adr", "adrs", "decisions", "rfc", "rfcs", "wiki", "guides"}
)
MAX_DEPTH = 3


def tier_of(path: str) -> Tier:
    """Return how far the words of the file at `path` (relative) can be trusted."""
    if RULES.fullmatch(path):
        return "rules"
    name = PurePosixPath(path)
    suffix = name.suffix.lower()
    if suffix in PROSE:
        return "docs"
    if suffix not in PLAIN:
        return "code"
    folders = {part.lower() for part in name.parts[:-1]}
    stem = name.stem if suffix else name.name
    return "docs" if folders & FOLDERS or NAMED.fullmatch(stem) else "code"


def rules_first(paths: list[str]) -> list[str]:
    """Return the rule files among `paths`, those nearest to the root first."""
    found = [path for path in paths if RULES.fullmatch(path) and path.count("/") < MAX_DEPTH]
    return sorted(found, key=lambda path: (path.count("/"), path))
