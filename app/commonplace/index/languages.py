"""The languages whose definitions we know, one row each.

A row names the tree-sitter grammar, the files it is for, and the syntax nodes
that define something. Grammars come with ``tree_sitter_language_pack``; node
names are theirs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Language:
    """How to find definitions in one language.

    `definitions` maps a node type to the kind it defines. `scopes` are the
    node types that are searched for further definitions: bodies of classes,
    namespaces, wrappers. `wrappers` hold one definition and belong to it, as
    decorators and ``export`` do. `prefixes` are siblings that belong to the
    definition after them: comments, attributes, signatures.
    """

    name: str
    grammar: str
    suffixes: tuple[str, ...]
    definitions: Mapping[str, str] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    filenames: tuple[str, ...] = ()
    prose: bool = False


NOTEBOOK = "notebook"
COMMENTS = frozenset({"comment", "line_comment", "block_comment", "multiline_comment"})


def _row(
    name: str,
    suffixes: str,
    definitions: str = "",
    *,
    grammar: str = "",
    scopes: str = "",
    wrappers: str = "",
    prefixes: str = "",
    filenames: str = "",
    prose: bool = False,
) -> Language:
    """Build a row from space-separated words; ``node=kind`` in `definitions`."""
    pairs = (item.partition("=")[::2] for item in definitions.split())
    return Language(
        name=name,
        grammar=grammar or name,
        suffixes=tuple(suffixes.split()),
        definitions=dict(pairs),
        scopes=frozenset(scopes.split()),
        wrappers=frozenset(wrappers.split()),
        prefixes=COMMENTS | frozenset(prefixes.split()),
        filenames=tuple(filenames.split()),
        prose=prose,
    )


_JS = (
    "class_declaration=class abstract_class_declaration=class function_declaration=function "
    "generator_function_declaration=function method_definition=method "
    "interface_declaration=interface type_alias_declaration=type enum_declaration=enum "
    "internal_module=module module=module variable_declarator=function "
    "assignment_expression=function function_signature=function"
)
_JS_SCOPES = "class_body statement_block lexical_declaration variable_declaration internal_module"
_JS_WRAPPERS = "export_statement expression_statement lexical_declaration variable_declaration"

LANGUAGES: tuple[Language, ...] = (
    _row(
        "python",
        ".py .pyi .pyw",
        "class_definition=class function_definition=function assignment=constant",
        scopes="block if_statement else_clause try_statement except_clause with_statement",
        wrappers="decorated_definition",
        filenames="SConstruct SConscript",
    ),
    _row("javascript", ".js .jsx .mjs .cjs", _JS, scopes=_JS_SCOPES, wrappers=_JS_WRAPPERS),
    _row("typescript", ".ts .mts .cts", _JS, scopes=_JS_SCOPES, wrappers=_JS_WRAPPERS),
    _row("tsx", ".tsx", _JS, scopes=_JS_SCOPES, wrappers=_JS_WRAPPERS),
    _row(
        "go",
        ".go",
        "function_declaration=function method_declaration=method type_spec=type "
        "const_spec=constant",
        scopes="type_declaration const_declaration",
        wrappers="type_declaration",
    ),
    _row(
        "rust",
        ".rs",
        "function_item=function function_signature_item=function struct_item=struct "
        "enum_item=enum union_item=struct trait_item=trait impl_item=impl mod_item=module "
        "macro_definition=macro type_item=type const_item=constant static_item=constant",
        scopes="declaration_list",
        prefixes="attribute_item inner_attribute_item",
    ),
    _row(
        "java",
        ".java",
        "class_declaration=class interface_declaration=interface enum_declaration=enum "
        "record_declaration=class annotation_type_declaration=interface "
        "method_declaration=method constructor_declaration=method",
        scopes="class_body interface_body enum_body enum_body_declarations",
    ),
    _row(
        "c",
        ".c .h",
        "function_definition=function struct_specifier=struct union_specifier=struct "
        "enum_specifier=enum type_definition=type preproc_function_def=macro preproc_def=macro",
        scopes="preproc_ifdef preproc_if preproc_else linkage_specification declaration_list",
    ),
    _row(
        "cpp",
        ".cc .cpp .cxx .hpp .hh .hxx .ipp .inl .cu .cuh",
        "function_definition=function class_specifier=class struct_specifier=struct "
        "union_specifier=struct enum_specifier=enum type_definition=type alias_declaration=type "
        "namespace_definition=namespace preproc_function_def=macro preproc_def=macro "
        "concept_definition=type",
        scopes="field_declaration_list declaration_list preproc_ifdef preproc_if preproc_else "
        "linkage_specification",
        wrappers="template_declaration",
    ),
    _row(
        "csharp",
        ".cs",
        "class_declaration=class struct_declaration=struct interface_declaration=interface "
        "enum_declaration=enum record_declaration=class method_declaration=method "
        "constructor_declaration=method property_declaration=property "
        "namespace_declaration=namespace delegate_declaration=type "
        "operator_declaration=method indexer_declaration=property",
        scopes="declaration_list file_scoped_namespace_declaration",
        prefixes="attribute_list",
    ),
    _row(
        "php",
        ".php",
        "class_declaration=class interface_declaration=interface trait_declaration=trait "
        "enum_declaration=enum function_definition=function method_declaration=method",
        scopes="declaration_list compound_statement enum_declaration_list namespace_definition",
    ),
    _row(
        "ruby",
        ".rb .rake .gemspec",
        "class=class module=module method=method singleton_method=method",
        scopes="body_statement",
        filenames="Rakefile Gemfile",
    ),
    _row(
        "kotlin",
        ".kt .kts",
        "class_declaration=class object_declaration=object function_declaration=function "
        "companion_object=object type_alias=type property_declaration=property",
        scopes="class_body enum_class_body",
    ),
    _row(
        "swift",
        ".swift",
        "class_declaration=class protocol_declaration=protocol function_declaration=function "
        "init_declaration=method protocol_function_declaration=method typealias_declaration=type",
        scopes="class_body protocol_body enum_class_body",
    ),
    _row(
        "bash",
        ".sh .bash .zsh .ksh",
        "function_definition=function",
        scopes="compound_statement if_statement",
        filenames=".bashrc",
    ),
    _row(
        "lua",
        ".lua",
        "function_declaration=function assignment_statement=function",
        scopes="variable_declaration",
        wrappers="variable_declaration",
    ),
    _row("elixir", ".ex .exs", "call=function", scopes="do_block", prefixes="unary_operator"),
    _row(
        "haskell",
        ".hs",
        "function=function bind=function data_type=type newtype=type class=class "
        "instance=instance type_synomym=type type_family=type",
        scopes="declarations",
        prefixes="signature haddock pragma",
    ),
    _row("zig", ".zig", "Decl=function TestDecl=test", scopes="ContainerDecl"),
    _row(
        "scala",
        ".scala .sc .sbt",
        "class_definition=class trait_definition=trait object_definition=object "
        "function_definition=function function_declaration=function type_definition=type "
        "enum_definition=enum package_object=object",
        scopes="template_body enum_body",
    ),
    _row("sql", ".sql", "statement=statement"),
    _row("css", ".css .scss .less", "rule_set=rule media_statement=rule"),
    _row("html", ".html .htm .xhtml .vue .svelte", grammar="html"),
    _row("markdown", ".md .markdown .mdx", prose=True),
    _row("rst", ".rst", prose=True),
    _row("text", ".txt .adoc .org", grammar="-", prose=True),
    _row("yaml", ".yaml .yml", grammar="-"),
    _row("toml", ".toml", grammar="-"),
    _row("json", ".json .jsonc .json5", grammar="-"),
    _row(NOTEBOOK, ".ipynb", grammar="-"),
    _row("make", ".mk", grammar="-", filenames="Makefile GNUmakefile makefile"),
)

_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
_BY_NAME = {name: language for language in LANGUAGES for name in language.filenames}
_NAMED = {language.name: language for language in LANGUAGES}
_INTERPRETERS = (
    ("python", "python"),
    ("node", "javascript"),
    ("ruby", "ruby"),
    ("lua", "lua"),
    ("php", "php"),
    ("sh", "bash"),
)
_CPP = re.compile(
    r"^\s*(?:class\s+\w+|namespace\s+\w+|template\s*<|using\s+namespace)", re.MULTILINE
)
PLAIN = Language("plain", "-", ())
PROSE_NAMES = frozenset({"readme", "contributing", "changelog", "changes", "history", "authors"})


@lru_cache(maxsize=4096)
def _by_name(name: str) -> Language:
    if name in _BY_NAME:
        return _BY_NAME[name]
    suffix = PurePosixPath(name).suffix.lower()
    if not suffix and name.lower() in PROSE_NAMES:
        return _BY_SUFFIX[".txt"]
    return _BY_SUFFIX.get(suffix, PLAIN)


def language_of(path: str, text: str = "") -> Language:
    """Return the language of the file at `path` with content `text`.

    Files without a known name may say it themselves (``#!/usr/bin/env bash``),
    and a ``.h`` file is C++ when it reads like C++.
    """
    language = _by_name(path.rpartition("/")[2])
    if language.name == "c" and path.endswith(".h") and _CPP.search(text):
        return _NAMED["cpp"]
    if language is PLAIN and text.startswith("#!"):
        head = text[:100].partition("\n")[0]
        for word, name in _INTERPRETERS:
            if word in head:
                return _NAMED[name]
    return language
