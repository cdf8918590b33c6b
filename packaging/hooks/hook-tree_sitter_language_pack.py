"""Only the grammars of languages that Commonplace knows: 26 of some 170."""

from commonplace.index.languages import LANGUAGES

hiddenimports = ["tree_sitter_c_sharp"]
hiddenimports += [
    f"tree_sitter_language_pack.bindings.{language.grammar}"
    for language in LANGUAGES
    if language.grammar not in {"-", "csharp"}
]
