"""Chunks: definitions are found in every language, and no line is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.index.chunks import MAX_CHARS, MAX_LINES, chunk_file
from commonplace.index.languages import LANGUAGES, language_of

SAMPLES = {
    "b.py": ("LIMIT = 5\nself.x = 1\na, b = 1, 2\n", {"LIMIT"}),
    "b.ts": ("export const maker = create();\nconst hidden = 1;\n", {"maker"}),
    "a.py": ("class A:\n    '''Doc.'''\n    def run(self): pass\n\ndef free(): ...\n",
             {"A", "A.run", "free"}),
    "a.js": ("class A { run(){} }\nfunction free(){}\nconst arrow = () => 1;\n"
             "app.use = function use(fn){};\n", {"A", "A.run", "free", "arrow", "app.use"}),
    "a.ts": ("export interface I { a: string }\nexport type T = string;\n"
             "namespace N { export function f(){} }\nenum E {A}\nexport const g = () => 3\n",
             {"I", "T", "N", "N.f", "E", "g"}),
    "a.tsx": ("export function App() { return <div/> }\n", {"App"}),
    "a.go": ("package a\nfunc (c *Cmd) Run(x int) {}\ntype T struct { a int }\nfunc Free() {}\n",
             {"Cmd.Run", "T", "Free"}),
    "a.rs": ("impl<T> Foo for Bar<T> { fn a(&self) {} }\ntrait Tr { fn b(); }\nstruct S;\n"
             "mod m { fn q() {} }\n", {"Bar", "Bar.a", "Tr", "Tr.b", "S", "m", "m.q"}),
    "A.java": ("class Gson { Gson() {} void run() {} interface I {} }\n",
               {"Gson", "Gson.Gson", "Gson.run", "Gson.I"}),
    "a.c": ("#define FOO(x) x\nstatic int *free_it(int a) { return 0; }\nstruct s { int a; };\n",
            {"FOO", "free_it", "s"}),
    "a.cpp": ("namespace n { class C { public: void m() {} }; }\nvoid n::C::k() {}\n",
              {"n", "n.C", "n.C.m", "n::C::k"}),
    "a.h": ("namespace n {\nclass C { void m() {} };\n}\n", {"n", "n.C", "n.C.m"}),
    "a.cs": ("namespace N { class Mapper { static int Query(int x) { return x; } int P {get;} } }",
             {"N", "N.Mapper", "N.Mapper.Query", "N.Mapper.P"}),
    "a.php": ("<?php\nclass L { public function f() {} }\nfunction h() {}\n", {"L", "L.f", "h"}),
    "a.rb": ("module Rack\n  class Request\n    def env; end\n    def self.x; end\n  end\nend\n",
             {"Rack", "Rack.Request", "Rack.Request.env", "Rack.Request.x"}),
    "a.kt": ("class A { fun f() {} }\nfun String.x() = 1\nobject O {}\n", {"A", "A.f", "x", "O"}),
    "a.swift": ("struct R { func f() {} init() {} }\nprotocol P {}\n", {"R", "R.f", "P"}),
    "a.sh": ("install_it() {\n  echo\n}\n{\n  inner() { :; }\n}\n", {"install_it", "inner"}),
    "a.lua": ("local M = {}\nfunction M.foo(a) end\nM.c = function() end\nfunction M:d() end\n",
              {"M.foo", "M.c", "M:d"}),
    "a.ex": ("defmodule Plug.Conn do\n  def f(a) when a do\n  end\n  defp g(b), do: b\nend\n",
             {"Plug.Conn", "Plug.Conn.f", "Plug.Conn.g"}),
    "A.hs": ("module A where\ndata X = Y\nf :: Int -> Int\nf 1 = 1\nf x = x\nclass C a where\n",
             {"X", "f", "C"}),
    "a.zig": ("pub fn f(a: u8) void {}\npub const S = struct { x: u8, pub fn g() void {} };\n",
              {"f", "S", "S.g"}),
    "a.scala": ("trait F { def m: Int }\nobject O { def x = 1 }\ncase class C(a: Int)\n",
                {"F", "F.m", "O", "O.x", "C"}),
    "a.sql": ("CREATE TABLE people (x int);\n", {"people"}),
    "a.md": ("# Title\n\ntext\n\n## Part\n\nmore\n", {"Title", "Part"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_definitions_are_found(name):
    text, expected = SAMPLES[name]
    _, chunks = chunk_file(name, text)
    assert expected <= {n for chunk in chunks for n in chunk.defines}


def test_methods_are_told_from_functions():
    body = "\n".join(f"        x = {n}" for n in range(20))
    _, chunks = chunk_file("a.py", f"class A:\n    def run(self):\n{body}\n")
    assert [(c.kind, c.symbol, c.defines) for c in chunks] == [("method", "A.run", ("A", "A.run"))]


def test_decorators_and_comments_belong_to_their_definition():
    body = "def load():\n    a = 1\n    b = 2\n    return a\n"
    text = f"import os\n\n\n\n\n\n# Says why.\n@cache\n{body}"
    _, chunks = chunk_file("a.py", text)
    (load,) = [c for c in chunks if c.symbol == "load"]
    assert load.text.startswith("# Says why.\n@cache\ndef load")
    assert "Says why" in load.comments


def test_comments_and_docstrings_are_a_field_of_their_own():
    _, chunks = chunk_file("a.py", '"""Top."""\n\ndef f():\n    """Inner words."""\n    # remark\n')
    assert "Inner words" in "".join(c.comments for c in chunks)
    assert "remark" in "".join(c.comments for c in chunks)


def test_clauses_of_one_function_stay_together():
    _, chunks = chunk_file("A.hs", "module A where\n\nf :: Int\nf 1 = 1\nf 2 = 2\nf x = x\n")
    assert sum("f" in c.defines for c in chunks) == 1


def test_a_long_function_is_cut_into_windows_that_keep_its_name():
    body = "\n".join(f"    x{n} = {n}" for n in range(200))
    _, chunks = chunk_file("a.py", f"def long():\n{body}\n")
    assert len(chunks) >= 3
    assert {c.symbol for c in chunks} == {"long"}
    assert [c.defines for c in chunks].count(("long",)) == 1


def test_a_header_that_reads_like_cpp_is_cpp():
    assert language_of("x.h", "namespace a {\n}").name == "cpp"
    assert language_of("x.h", "int f(void);\n").name == "c"
    assert language_of("run", "#!/usr/bin/env bash\n").name == "bash"
    assert language_of("Makefile").name == "make"
    assert language_of("README").prose


def test_every_grammar_loads():
    for language in LANGUAGES:
        suffix = (language.suffixes or (".x",))[0]
        chunk_file(f"x{suffix}", "a b c\n")


def assert_covers(text, chunks):
    """Every non-blank line is in exactly one chunk, and chunks hold their lines."""
    lines = text.split("\n")
    seen = [0] * (len(lines) + 1)
    for chunk in chunks:
        assert "\n".join(lines[chunk.start_line - 1 : chunk.end_line]) == chunk.text
        for number in range(chunk.start_line, chunk.end_line + 1):
            seen[number] += 1
    for number, line in enumerate(lines, start=1):
        assert seen[number] <= 1
        if line.strip():
            assert seen[number] == 1, number


pieces = st.sampled_from(
    ["def f():\n    return 1\n", "class A:\n", "    def m(self):\n        pass\n", "x = 1\n", "\n",
     "# note\n", "@dec\n", "if x:\n", "}\n", "function g() {\n", "\tindented\n", "é漢\n", "\x0c\n",
     "'''", "long " * 50 + "\n"]
)  # fmt: skip


@given(
    st.lists(pieces, max_size=60).map("".join),
    st.sampled_from([f"a{language.suffixes[0]}" for language in LANGUAGES if language.suffixes]),
)
def test_no_line_is_lost_or_doubled(text, name):
    _, chunks = chunk_file(name, text)
    assert_covers(text, chunks)
    for chunk in chunks:
        assert chunk.end_line - chunk.start_line < MAX_LINES * 1.5
        assert len(chunk.text) <= MAX_CHARS + 260


def test_deep_nesting_ends():
    text = "".join("  " * n + f"class C{n}:\n" for n in range(200)) + "  " * 200 + "pass\n"
    _, chunks = chunk_file("a.py", text)
    assert_covers(text, chunks)
