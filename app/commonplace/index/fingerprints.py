"""Fingerprints of code: what a piece of source says, whatever its formatting.

A fingerprint is taken from the syntax tree. Comments, docstrings, blank space,
the kind of quotes, redundant parentheses and trailing commas do not count; a
name, a literal, an operator or the nesting of statements does. The name that a
definition gives itself does not count either, so that a renamed one is known
again. Without a grammar the text of the lines counts, without its blanks.

Fingerprints are kept in people's notes for years, so they carry the version of
this algorithm: whatever changes them, a grammar included, is a new `ALGORITHM`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from commonplace.index.definitions import Definition, outline_of, tree_of
from commonplace.index.languages import COMMENTS, Language, language_of
from commonplace.index.words import SEPARATORS

ALGORITHM = "1"
"""Changes whenever the same source would get another fingerprint."""
DIGEST = 6
"""Bytes of each half: ten thousand notes meet by chance once in a million projects."""
BLANK = re.compile(r"\s+")
SKIPPED = COMMENTS | {"line_continuation"}
TRANSPARENT = frozenset({"parenthesized_expression"})
"""Their structure is in the tree already; the brackets say nothing more."""
BODIES = frozenset(
    "block function_body class_body enum_class_body do_block body_statement declaration_list "
    "compound_statement statement_block".split()
)
"""What a body is called where the grammar has no field for it."""
QUOTES_ALIKE = frozenset({"python", "javascript", "typescript", "tsx"})
"""Languages in which both kinds of quotes mean the same."""
SAME = {"expression_list": "tuple", "pattern_list": "tuple_pattern"}
BARE = frozenset({"tuple", "tuple_pattern", "import_from_statement", "with_clause", "with_item"})
"""Python's nodes that mean the same with and without parentheses."""
ESCAPED_QUOTE = re.compile(r"\\(.)", re.DOTALL)
NUMBERS = frozenset({"integer", "float"})
OWN_NAME = "\0"
OPENED = "\0body"


_Rows = tuple[int, int, Node]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a piece of source says: its head (signature) and its body.

    `weight` counts the tokens of both: little code is alike by chance.
    """

    signature: str
    body: str
    weight: int

    def __str__(self) -> str:
        """Return the fingerprint as notes keep it."""
        return f"{ALGORITHM}-{self.signature}-{self.body}"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition of a file: lines from 1, inclusive; `name` is dotted."""

    name: str
    kind: str
    start_line: int
    end_line: int


class Source:
    """One file, parsed once, of which any part can be fingerprinted."""

    def __init__(self, path: str, text: str, *, parse: bool = True) -> None:
        """Parse the file at `path` with the content `text`; lines end in line feeds."""
        self.path = path
        self.language: Language = language_of(path, text)
        self.lines = text.split("\n")
        self._bytes = text.encode("utf-8", "surrogatepass")
        # What prose says is its words; its tree says nothing more.
        parse = parse and not self.language.prose
        self._root = tree_of(self._bytes, self.language) if parse else None
        self._symbols: list[Symbol] | None = None
        self._by_last: dict[str, list[Symbol]] = {}
        self._children: dict[int, list[_Rows]] = {}
        self._taken: dict[tuple[int, int, str], Fingerprint] = {}

    @property
    def symbols(self) -> list[Symbol]:
        """Every definition of the file, in order, the inner ones after the outer."""
        if self._symbols is None:
            tree = None
            root = self._root
            if root is None and self.language.prose:
                root = tree_of(self._bytes, self.language)
            if root is not None:
                tree = outline_of(root, self._bytes, self.language)
            self._symbols = list(_flat(tree.definitions)) if tree is not None else []
            for symbol in self._symbols:
                self._by_last.setdefault(_parts(symbol.name)[-1], []).append(symbol)
        return self._symbols

    def named(self, name: str) -> list[Symbol]:
        """Return the definitions called `name`: in full, or else by the end of their name."""
        wanted = _parts(name)
        alike = self._by_last.get(wanted[-1], []) if self.symbols else []
        exact = [s for s in alike if _parts(s.name) == wanted]
        return exact or [s for s in alike if _parts(s.name)[-len(wanted) :] == wanted]

    def text(self, start_line: int, end_line: int) -> str:
        """Return the text of some lines, counted from 1, inclusive."""
        return "\n".join(self.lines[start_line - 1 : end_line])

    def of_file(self) -> Fingerprint:
        """Return the fingerprint of the whole file."""
        return self._fingerprint(1, len(self.lines), "")

    def of_symbol(self, symbol: Symbol) -> Fingerprint:
        """Return the fingerprint of a definition, but for its own name."""
        return self._fingerprint(symbol.start_line, symbol.end_line, _parts(symbol.name)[-1])

    def of_lines(self, start_line: int, end_line: int) -> Fingerprint:
        """Return the fingerprint of some lines: their text without blanks and comments.

        Its signature is the length of that text, so that the same text can be
        found elsewhere (`find_lines`).
        """
        said = "".join(self._said()[start_line - 1 : end_line])
        return Fingerprint(f"{len(said):x}", _digest(said), len(said) // 4)

    def find_lines(self, wanted: str) -> list[tuple[int, int]]:
        """Return the (first, last) lines of which `of_lines` is `wanted`, as a string."""
        _, _, rest = wanted.partition("-")
        length_text, _, digest = rest.partition("-")
        length = int(length_text, 16)
        said = self._said()
        offsets, at = [], 0
        for line in said:
            offsets.append(at)
            at += len(line)
        whole = "".join(said)
        found = []
        for first, offset in enumerate(offsets):
            if not said[first] or offset + length > at:
                continue
            if _digest(whole[offset : offset + length]) == digest:
                last = first
                while last + 1 < len(said) and offsets[last] + len(said[last]) < offset + length:
                    last += 1
                found.append((first + 1, last + 1))
        return found

    def _fingerprint(self, start_line: int, end_line: int, own_name: str) -> Fingerprint:
        if self._root is None:
            said = "".join(BLANK.sub("", line) for line in self.lines[start_line - 1 : end_line])
            return Fingerprint("-", _digest(said), len(said) // 4)
        key = (start_line, end_line, own_name)
        if key not in self._taken:
            writer = _Writer(self._bytes, self.language.name, own_name)
            for node in self._covered(self._root, start_line - 1, end_line):
                writer.write(node)
            self._taken[key] = writer.fingerprint()
        return self._taken[key]

    def _covered(self, root: Node, first: int, end: int) -> Iterator[Node]:
        """Yield the outermost nodes that lie within the lines from `first` to before `end`.

        Neither the root nor a bare body is one: they say what stands around a
        definition, and may span its very lines while it is the only one there.
        """
        waiting = list(reversed(self._rows(root)))
        while waiting:
            top, last, node = waiting.pop()
            if top >= first and last < end and node.type not in BODIES:
                yield node
            elif top < end and last >= first:
                waiting.extend(reversed(self._rows(node)))

    def _rows(self, node: Node) -> list[_Rows]:
        """Return the children of a node with their first and last lines, from 0."""
        if node.id not in self._children:
            self._children[node.id] = [_rows_of(child) for child in node.children]
        return self._children[node.id]

    def _said(self) -> list[str]:
        """Return every line without its blanks and comments."""
        data = bytearray(self._bytes)
        for start, end in self._comments():
            for position in range(start, end):
                if data[position] != 0x0A:
                    data[position] = 0x20
        text = data.decode("utf-8", "replace")
        return [BLANK.sub("", line) for line in text.split("\n")]

    def _comments(self) -> list[tuple[int, int]]:
        if self._root is None:
            return []
        tree = outline_of(self._root, self._bytes, self.language)
        return tree.comments if tree is not None else []


def _flat(definitions: list[Definition]) -> Iterator[Symbol]:
    for d in definitions:
        yield Symbol(d.name, d.kind, d.start + 1, max(d.end, d.start + 1))
        yield from _flat(d.children)


def _parts(name: str) -> list[str]:
    return [part for part in SEPARATORS.split(name) if part] or [name]


def _digest(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=DIGEST).hexdigest()


def _rows_of(node: Node) -> _Rows:
    top, (bottom, column) = node.start_point[0], node.end_point
    return top, bottom - 1 if column == 0 and bottom > top else bottom, node


class _Writer:
    """Writes nodes down as tokens, head and body apart."""

    def __init__(self, source: bytes, language: str, own_name: str) -> None:
        self._source = source
        self._python = language == "python"
        self._quotes_alike = language in QUOTES_ALIKE
        self._own_name = own_name
        self._head: list[str] = []
        self._body: list[str] | None = None
        self._out = self._head
        self._position = -1

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of all that was written."""
        body = self._body or []
        weight = sum(len(token) > 1 or token.isalnum() for token in (*self._head, *body))
        return Fingerprint(_digest("\n".join(self._head)), _digest("\n".join(body)), weight)

    def write(self, node: Node) -> None:
        """Write a node and all below it."""
        if self._position < 0 or node.start_byte > self._position:
            self._position = node.start_byte
        # A stack of our own: sources may nest deeper than Python's does.
        stack: list[tuple[Node | None, str, str]] = [(node, "", "")]
        while stack:
            current, parent, field = stack.pop()
            if current is None:
                self._leave(parent, field)
                continue
            outside = self._body is None
            if self._enter(current, parent, field):
                kind = SAME.get(current.type, current.type) if self._python else current.type
                opened = outside and self._body is not None
                stack.append((None, kind, OPENED if opened else ""))
                children = current.children
                if self._body is not None:  # fields only tell where a body begins
                    stack.extend([(child, kind, "") for child in reversed(children)])
                    continue
                names = [current.field_name_for_child(i) for i in range(len(children))]
                stack.extend(
                    (child, kind, name or "")
                    for child, name in zip(reversed(children), reversed(names), strict=True)
                )

    def _enter(self, node: Node, parent: str, field: str) -> bool:
        """Write a leaf, or open an inner node; returns whether to go into it."""
        kind = node.type
        if kind in SKIPPED or self._is_docstring(kind, parent):
            self._position = node.end_byte
            return False
        if self._body is None and (field == "body" or (not field and kind in BODIES)):
            self._body = self._out = []
        if self._quotes_alike and kind in {"string", "concatenated_string"}:
            self._write_string(node)
            return False
        if self._python and kind == "argument_list" and parent == "class_definition":
            if node.named_child_count == 0:
                self._position = node.end_byte
                return False
        elif node.child_count == 0:
            self._write_leaf(node, parent)
            return False
        if kind not in TRANSPARENT and node.is_named:
            self._out.append(f"({SAME.get(kind, kind) if self._python else kind}")
        return True

    def _leave(self, kind: str, field: str) -> None:
        if kind in TRANSPARENT:
            return
        self._drop_trailing(kind)
        self._out.append(")")
        if field == OPENED:
            self._out = self._head

    def _write_leaf(self, node: Node, parent: str) -> None:
        self._write_gap(node.start_byte)
        text = self._text(node)
        self._position = node.end_byte
        if text in {"(", ")"} and (parent in TRANSPARENT or (self._python and parent in BARE)):
            return
        if text in {")", "]", "}"}:
            self._drop_trailing(parent)
        if node.type in NUMBERS and self._python:
            text = text.replace("_", "").lower()
        text = BLANK.sub(" ", text) if not node.is_named else text
        if not text.strip():
            return
        self._out.append(OWN_NAME if text == self._own_name else text)

    def _write_gap(self, start: int) -> None:
        """Write what stands between two leaves and belongs to neither."""
        if 0 <= self._position < start:
            gap = self._source[self._position : start].strip()
            if gap and gap != b"\\":
                self._out.append(gap.decode("utf-8", "replace"))

    def _write_string(self, node: Node) -> None:
        """Write a string by what it says, whatever its quotes."""
        self._write_gap(node.start_byte)
        self._position = node.end_byte
        parts = node.children if node.type == "concatenated_string" else [node]
        said: list[tuple[str, str]] = []
        for part in parts:
            if part.type in SKIPPED:
                continue
            prefix, content = self._said(self._text(part))
            if said and said[-1][0] == prefix:
                content = said.pop()[1] + content
            said.append((prefix, content))
        self._out.extend(f"'{prefix}'{content}" for prefix, content in said)

    def _said(self, text: str) -> tuple[str, str]:
        """Return the prefix and the content of a string literal."""
        at = min((text.find(q) for q in "\"'" if q in text), default=0)
        prefix = "".join(sorted(text[:at].lower().replace("u", "")))
        quote = text[at : at + 3] if text[at : at + 3] in {'"""', "'''"} else text[at : at + 1]
        content = text[at + len(quote) : len(text) - len(quote)]
        if "r" not in prefix:
            content = ESCAPED_QUOTE.sub(lambda m: m[1] if m[1] in "\"'" else m[0], content)
        return prefix, content

    def _drop_trailing(self, parent: str) -> None:
        """Take back a separator with nothing after it."""
        if self._out and self._out[-1] in {",", ";"} and parent != "subscript":
            self._out.pop()

    def _is_docstring(self, kind: str, parent: str) -> bool:
        return self._python and kind == "string" and parent in {"block", "module"}

    def _text(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")
