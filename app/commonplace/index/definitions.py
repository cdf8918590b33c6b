"""Definitions of a file, found in its syntax tree.

Only bodies that can hold definitions are entered, so a file costs far less
than a walk over its whole tree.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser, Query, QueryCursor, QueryError
from tree_sitter_language_pack import get_language

from commonplace.index.languages import COMMENTS, Language

MAX_DEPTH = 40
PARSE_STEPS, BYTES_PER_STEP = 5_000, 20
"""A parser may take this many steps, and one more for so many bytes. Sources stay below a
third of that; error recovery in what is none can take for ever. Time is not what is
bounded, since the same text must always give the same chunks."""
# The Markdown parser keeps the blocks around a line in a buffer without bounds
# and overruns it at about 250.
NESTED_BLOCKS = re.compile(rb"^(?:[ >]|[*+-] |\d{1,9}[.)] ){200}", re.MULTILINE)
READ_BYTES = 1 << 16
NAME_NODES = frozenset(
    {
        "identifier",
        "type_identifier",
        "field_identifier",
        "property_identifier",
        "simple_identifier",
        "constant",
        "name",
        "word",
        "qualified_identifier",
        "destructor_name",
        "operator_name",
        "variable",
        "IDENTIFIER",
    }
)
FUNCTION_VALUES = frozenset(
    {
        "arrow_function",
        "function_expression",
        "function",
        "generator_function",
        "class",
        "function_definition",
    }
)
ELIXIR_KINDS = {
    "defmodule": "module", "defprotocol": "protocol", "defimpl": "impl", "def": "function",
    "defp": "function", "defmacro": "macro", "defmacrop": "macro", "defguard": "macro",
    "defdelegate": "function", "defstruct": "struct", "test": "test", "describe": "test",
}  # fmt: skip


@dataclass(slots=True)
class Definition:
    """A named stretch of lines. Lines count from 0; `end` is exclusive.

    `name` is dotted through the enclosing definitions.
    """

    kind: str
    name: str
    start: int
    end: int
    children: list[Definition] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outline:
    """What the syntax tree says about a file.

    `comments` are byte ranges of comments and docstrings, in order.
    """

    definitions: list[Definition]
    comments: list[tuple[int, int]]


class _Grammars(threading.local):
    """Parsers and queries per thread, which are not safe to share, and the source in hand."""

    def __init__(self) -> None:
        self.parsers: dict[str, Parser] = {}
        self.comment_queries: dict[str, Query | None] = {}
        self.source = b""


_grammars = _Grammars()


def outline(source: bytes, language: Language) -> Outline | None:
    """Parse `source` and return its outline; None where there is no grammar or it gives up."""
    root = tree_of(source, language)
    return None if root is None else outline_of(root, source, language)


def tree_of(source: bytes, language: Language) -> Node | None:
    """Parse `source` within bounds; None where there is no grammar or it gives up."""
    if language.grammar == "-" or (language.prose and _nested_too_deep(source)):
        return None
    parser = _grammars.parsers.get(language.grammar)
    if parser is None:
        parser = Parser(get_language(language.grammar))  # type: ignore[arg-type]
        _grammars.parsers[language.grammar] = parser
    return _parsed(parser, source)


def outline_of(root: Node, source: bytes, language: Language) -> Outline | None:
    """Return the outline of a tree that `tree_of` gave."""
    _grammars.source = source
    try:
        if language.prose:
            return Outline(list(_sections(root)), [])
        return Outline(list(_definitions(root, language, "", 0)), _comments(root, language))
    except RecursionError:  # thousands of declarators or templates within each other
        return None
    finally:
        _grammars.source = b""


def _parsed(parser: Parser, source: bytes) -> Node | None:
    steps = PARSE_STEPS + len(source) // BYTES_PER_STEP

    def stop(_offset: int, _has_error: bool) -> bool:
        nonlocal steps
        steps -= 1
        return steps < 0

    # The binding never lets go of what it was handed, so it is handed views and
    # they are released: otherwise every text ever parsed would stay in memory.
    whole, views = memoryview(source), list[memoryview]()

    def read(offset: int, _point: object) -> bytes:
        views.append(whole[offset : offset + READ_BYTES])
        return views[-1]  # type: ignore[return-value]

    try:
        return parser.parse(read, progress_callback=stop).root_node
    except ValueError:  # it was stopped
        parser.reset()
        return None
    finally:
        for view in views:
            view.release()


def _nested_too_deep(source: bytes) -> bool:
    return NESTED_BLOCKS.search(source.expandtabs(4)) is not None


def _comments(root: Node, language: Language) -> list[tuple[int, int]]:
    query = _comment_query(language)
    if query is None:
        return []
    found = QueryCursor(query).captures(root).get("c", [])
    return sorted((node.start_byte, node.end_byte) for node in found)


def _comment_query(language: Language) -> Query | None:
    name = language.grammar
    if name not in _grammars.comment_queries:
        grammar = get_language(name)  # type: ignore[arg-type]
        patterns = [f"({node}) @c" for node in sorted(COMMENTS) if _has_node(grammar, node)]
        if name == "python":
            patterns += ["(module (string) @c)", "(block (string) @c)"]  # docstrings
        _grammars.comment_queries[name] = Query(grammar, "\n".join(patterns)) if patterns else None
    return _grammars.comment_queries[name]


def _has_node(grammar: Grammar, node: str) -> bool:
    try:
        Query(grammar, f"({node}) @c")
    except QueryError:
        return False
    return True


def _definitions(
    parent: Node, language: Language, scope: str, depth: int, lead: int | None = None
) -> Iterator[Definition]:
    """Yield the definitions below `parent`.

    `lead` is the first line of the comments and attributes before the next one.
    """
    if depth > MAX_DEPTH:
        return
    last: Definition | None = None
    for node in parent.named_children:
        if node.type in language.prefixes:
            lead = node.start_point[0] if lead is None else lead
            continue
        found = _definition(node, language, scope, depth)
        if found is None:
            lead = None
            if node.type in language.scopes or node.type == "ERROR":
                yield from _definitions(node, language, scope, depth + 1)
            continue
        if lead is not None and found.start - lead < 60:
            found.start = min(lead, found.start)
        lead = None
        if last is not None and last.name == found.name and found.start <= last.end + 1:
            last.end = found.end  # clauses of one function, as in Haskell and Elixir
            continue
        last = found
        yield found


def _definition(node: Node, language: Language, scope: str, depth: int) -> Definition | None:
    outer = node
    if node.type in language.wrappers:
        inner = [c for c in node.named_children if c.type in language.definitions]
        if not inner:
            nested = [c for c in node.named_children if c.type in language.wrappers]
            return (
                _widened(_definition(nested[0], language, scope, depth), node) if nested else None
            )
        node = inner[0]
    kind = language.definitions.get(node.type)
    if kind is None:
        return None
    kind, name = _kind_and_name(node, kind, language)
    if not name:
        return None
    full = f"{scope}.{name}" if scope else name
    definition = Definition(kind, full, outer.start_point[0], _end_line(outer))
    for body in _bodies(node, language):
        lead = _lead_of(body, language)
        definition.children.extend(_definitions(body, language, full, depth + 1, lead))
    if kind == "class":
        for child in definition.children:
            if child.kind == "function":
                child.kind = "method"
    return definition


def _lead_of(body: Node, language: Language) -> int | None:
    """Return the first line of comments that stand before a body, as Ruby's grammar has it."""
    lead, before = None, body.prev_named_sibling
    while before is not None and before.type in language.prefixes:
        lead, before = before.start_point[0], before.prev_named_sibling
    return lead


def _widened(definition: Definition | None, node: Node) -> Definition | None:
    if definition is not None:
        definition.start, definition.end = node.start_point[0], _end_line(node)
    return definition


def _end_line(node: Node) -> int:
    row, column = node.end_point
    return row if column == 0 and row > node.start_point[0] else row + 1


def _bodies(node: Node, language: Language) -> list[Node]:
    kind = language.definitions.get(node.type)
    if kind in {"function", "method"} and language.name not in {"elixir", "zig"}:
        return []
    found = [child for child in node.named_children if child.type in language.scopes]
    if language.name == "zig":
        found += [g for c in node.named_children for g in _zig_containers(c, 0)]
    return found


def _zig_containers(node: Node, depth: int) -> list[Node]:
    if node.type == "ContainerDecl":
        return [node]
    if depth > 6 or node.type == "Block":
        return []
    return [g for child in node.named_children for g in _zig_containers(child, depth + 1)]


def _kind_and_name(node: Node, kind: str, language: Language) -> tuple[str, str]:
    if language.name == "elixir":
        return _elixir(node)
    if language.name == "zig":
        return _zig(node, kind)
    if node.type == "assignment":
        return kind, _assigned_name(node)
    if node.type in {"variable_declarator", "assignment_expression", "assignment_statement"}:
        name = _assigned_function(node)
        return (kind, name) if name else ("constant", _exported_name(node))
    if node.type == "impl_item":
        return kind, _text(node.child_by_field_name("type")).split("<")[0]
    if node.type == "method_declaration" and language.name == "go":
        receiver = _text(node.child_by_field_name("receiver")).strip("()").split()
        owner = receiver[-1].lstrip("*").split("[")[0] if receiver else ""
        return kind, f"{owner}.{_name(node)}" if owner else _name(node)
    if language.name == "sql":
        return kind, _sql_name(node)
    if language.name == "css":
        return kind, _text(node).split("{")[0].strip()[:80]
    if node.type == "companion_object":
        return kind, _name(node) or "Companion"
    if node.type == "init_declaration":
        return kind, "init"
    if node.type in {"struct_specifier", "union_specifier", "enum_specifier"}:
        return kind, _name(node) if node.child_by_field_name("body") else ""
    return kind, _name(node)


def _name(node: Node) -> str:
    """Return the defined name, following declarators of C and its kin."""
    seen = 0
    current: Node | None = node
    while current is not None and seen < 10:
        if current.type == "qualified_identifier":  # n::C::k, whose field is k alone
            return _text(current)
        named = current.child_by_field_name("name")
        if named is not None:
            return _text(named)
        inner = current.child_by_field_name("declarator")
        if inner is None:
            break
        current, seen = inner, seen + 1
    if current is None:
        return ""
    if current.type in NAME_NODES:
        return _text(current)
    for child in current.named_children:
        if child.type in NAME_NODES or child.type == "parenthesized_declarator":
            return _text(child)
        if child.type.endswith("declarator"):
            return _name(child)
    return ""


def _assigned_function(node: Node) -> str:
    left = node.child_by_field_name("name") or node.child_by_field_name("left")
    right = node.child_by_field_name("value") or node.child_by_field_name("right")
    if node.type == "assignment_statement" and node.named_child_count == 2:
        left, values = node.named_children
        right = values.named_children[0] if values.named_children else None
    if left is None or right is None:
        return ""
    while right.type == "assignment_expression":  # a = b = function () {}
        inner = right.child_by_field_name("right")
        if inner is None:
            break
        right = inner
    if right.type in FUNCTION_VALUES or _wraps_function(right):
        return _text(left)[:120]
    return ""


def _assigned_name(node: Node) -> str:
    """Return the plain name a Python assignment binds, or nothing."""
    left = node.child_by_field_name("left")
    return _text(left) if left is not None and left.type == "identifier" else ""


def _exported_name(node: Node) -> str:
    """Return the name of an exported variable, as in ``export const x = make()``."""
    outer = node.parent.parent if node.parent is not None else None
    left = node.child_by_field_name("name")
    if outer is None or outer.type != "export_statement" or left is None:
        return ""
    return _text(left) if left.type == "identifier" else ""


def _wraps_function(node: Node) -> bool:
    """Whether `node` is a call given a function, as in ``memo(() => …)``."""
    arguments = node.child_by_field_name("arguments") if node.type == "call_expression" else None
    return arguments is not None and any(
        child.type in FUNCTION_VALUES for child in arguments.named_children
    )


def _elixir(node: Node) -> tuple[str, str]:
    target = node.child_by_field_name("target") or (
        node.named_children[0] if node.named_children else None
    )
    kind = ELIXIR_KINDS.get(_text(target))
    arguments = next((c for c in node.named_children if c.type == "arguments"), None)
    if kind is None or kind == "struct":
        return "", ""  # a struct is its module's
    if arguments is None or not arguments.named_children:
        return kind, _text(target)
    first = arguments.named_children[0]
    if first.type == "binary_operator" and first.named_children:  # def f(a) when a > 0
        first = first.named_children[0]
    if first.type == "call" and first.named_children:
        first = first.named_children[0]
    return kind, _text(first).strip('"')[:80]


def _zig(node: Node, kind: str) -> tuple[str, str]:
    if node.type == "TestDecl":
        return kind, next((_text(c).strip('"') for c in node.named_children), "")[:80]
    inner = node.named_children[0] if node.named_children else None
    if inner is None:
        return kind, ""
    if inner.type == "VarDecl":
        return ("struct" if _zig_containers(inner, 0) else "constant"), _name(inner)
    return kind, _name(inner)


def _sql_name(node: Node) -> str:
    words = _text(node)[:200].split()
    if not words or words[0].lower() not in {"create", "alter"}:
        return ""
    skip = {"create", "alter", "or", "replace", "temporary", "temp", "unique", "if", "not",
            "exists", "table", "view", "function", "procedure", "index", "trigger", "type",
            "materialized", "schema"}  # fmt: skip
    return next((w.split("(")[0].strip('"`[]') for w in words if w.lower() not in skip), "")


def _sections(root: Node) -> Iterator[Definition]:
    """Yield the sections of a Markdown or reStructuredText tree, nested by heading."""
    for node in root.named_children:
        if node.type != "section":
            continue
        title = _heading(node)
        start, end = node.start_point[0], _end_line(node)
        yield Definition("section", title, start, end, list(_sections(node)))


def _heading(section: Node) -> str:
    for child in section.named_children:
        if "heading" in child.type or child.type == "title":
            return " ".join(_text(child).strip("#=-~ \n").split())[:120]
    return ""


def _text(node: Node | None) -> str:
    if node is None:
        return ""
    # Not `node.text`: that asks the binding, which holds no source of its own.
    return _grammars.source[node.start_byte : node.end_byte].decode("utf-8", "replace")
