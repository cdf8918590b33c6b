"""Imports: found in every language as written, and led to the right files."""

# ruff: noqa: E501 - files of projects, one a line

import sqlite3
from contextlib import closing, nullcontext

import pytest

from commonplace.index.chunks import chunk_file
from commonplace.index.database import SCHEMA
from commonplace.index.entries import file_entries, from_frame, to_frame
from commonplace.index.imports import MAX_IMPORTS, find_imports
from commonplace.index.links import link_imports, put_links, remove_links

STATEMENTS = {
    "a.py": ("import os, a.b as c\nfrom . import x\nfrom ..p.q import (\n  r as s,  # why\n  t,\n)\n"
             "from z import *\nfrom .m import n \\\n  , o\n"
             "# import commented\ndef f():\n    import late\n",
             {"os", "a/b", "./x", "../p/q/r", "../p/q/t", "z", "./m/n", "./m/o", "late"}),
    "a.js": ("import x from './x'\nimport {\n  a,\n  b,\n} from '../y.js';\nimport 'z';\n"
             "export * from \"./w\";\nconst q = require('./q');\nimport('./lazy');\n// from './no'\n",
             {"./x", "../y.js", "z", "./w", "./q", "./lazy"}),
    "a.ts": ("import type { T } from './t';\nimport fs = require('fs');\n", {"./t", "fs"}),
    "a.tsx": ("import React from 'react';\nimport { A } from '@/a';\n", {"react", "@/a"}),
    "a.go": ('package a\nimport "fmt"\nimport x "e.com/x"\nimport (\n\t_ "e.com/y" // y\n\t"z"\n)\n',
             {"fmt", "e.com/x", "e.com/y", "z"}),
    "a.rs": ("use std::fmt;\npub use crate::a::{b, c::{self, D as E}, *};\nuse super::x;\n"
             "mod inner;\npub(crate) mod other;\nmod here { }\n",
             {"std/fmt", "crate/a/b", "crate/a/c", "crate/a/c/D", "crate/a", "super/x", "self/inner",
              "self/other"}),
    "A.java": ("package a;\nimport b.C;\nimport static d.E.f;\nimport g.h.*;\nclass A {}\n",
               {"b/C", "d/E/f", "g/h/*"}),
    "a.c": ('#include "x/y.h"\n # include <stdio.h>\n/* #include "no.h" */\n',
            {"./x/y.h", "stdio.h"}),
    "a.cpp": ('#include <vector>\n#include "../b.hpp"\n', {"vector", "../b.hpp"}),
    "a.cs": ("global using A.B;\nusing static C.D;\nusing E = F.G;\nusing (var x = y) {}\n",
             {"A/B/*", "C/D", "F/G"}),
    "a.php": ("<?php\nuse A\\B;\nuse C\\{D, E as F};\nuse function G\\h;\nrequire_once __DIR__ . '/i.php';\n",
              {"A/B", "C/D", "C/E", "G/h", "./i.php"}),
    "a.rb": ("require 'json'\nrequire_relative 'b/c'\nautoload :D, \"d/e\"\n# require 'no'\n",
             {"json", "./b/c", "d/e"}),
    "a.kt": ("package a\nimport b.c.D\nimport e.f.*\nimport g.h as i\n", {"b/c/D", "e/f/*", "g/h"}),
    "a.swift": ("import Foundation\n@testable import Vapor\nimport struct A.B\n",
                {"Foundation", "Vapor", "A"}),
    "a.sh": ('source ./a.sh\n. "$DIR/lib/b.sh"\n. "$(dirname "$0")/c.sh" && d\necho source e\n',
             {"./a.sh", "./lib/b.sh", "./c.sh"}),
    "a.lua": ("local a = require('b.c')\nlocal d = require \"e\"\n-- require('no')\n", {"b/c", "e"}),
    "a.ex": ("defmodule A do\n  alias B.C\n  alias D.{E, F}\n  import G, only: [h: 1]\n  use I\nend\n",
             {"B/C", "D/E", "D/F", "G", "I"}),
    "a.hs": ("module A where\nimport B.C\nimport qualified D as E\nimport F.G (h)\n",
             {"B/C", "D", "F/G"}),
    "a.zig": ('const std = @import("std");\nconst b = @import("b.zig");\nconst c = @import("../c.zig");\n',
              {"./b.zig", "../c.zig"}),
    "a.scala": ("package a\nimport b.C\nimport d.{E, F => G}\nimport h._\nimport i.J, k.L\n",
                {"b/C", "d/E", "d/F", "h/*", "i/J", "k/L"}),
}  # fmt: skip


@pytest.mark.parametrize("path", STATEMENTS)
def test_imports_are_found_as_written(path):
    text, expected = STATEMENTS[path]
    _, chunks = chunk_file(path, text)
    assert {item.target for chunk in chunks for item in chunk.imports} == expected


def test_lines_are_those_of_the_statements():
    _, chunks = chunk_file("a.py", "# import no\n\nimport os\nfrom a import (\n    b,\n)\n")
    found = [(item.line, item.target) for chunk in chunks for item in chunk.imports]
    assert found == [(3, "os"), (4, "a/b")]


def test_generated_code_with_thousands_of_imports_is_bounded():
    code = "".join(f"import m{n}\n" for n in range(5000))
    assert len(find_imports("python", code)) == MAX_IMPORTS


PROJECTS = {
    "python": (
        {
            "src/pkg/__init__.py": "from .core import run\n",
            "src/pkg/core.py": "import json\nimport pkg.util\nfrom . import util\nfrom .sub import deep\n",
            "src/pkg/util.py": "from pkg.sub.deep import thing\n",
            "src/pkg/json.py": "",
            "src/pkg/sub/__init__.py": "",
            "src/pkg/sub/deep.py": "from ..core import run\nfrom ... import outside\n",
            "tests/test_core.py": "from pkg import core\nimport pkg\nimport helper\n",
            "tests/helper.py": "",
        },
        {
            ("src/pkg/__init__.py", "src/pkg/core.py"),
            ("src/pkg/core.py", "src/pkg/util.py"),
            ("src/pkg/core.py", "src/pkg/sub/deep.py"),
            ("src/pkg/util.py", "src/pkg/sub/deep.py"),
            ("src/pkg/sub/deep.py", "src/pkg/core.py"),
            ("tests/test_core.py", "src/pkg/core.py"),
            ("tests/test_core.py", "src/pkg/__init__.py"),
            ("tests/test_core.py", "tests/helper.py"),
        },
    ),
    "script": (
        {
            "src/app.ts": "import a from './a.js'\nimport b from './b'\nimport '@/lib/c'\nimport 'd'\n"
            "import x from './x.service'\nimport data from './data.json'\n",
            "src/a.ts": "", "src/a.test.ts": "import '.'\n", "src/index.ts": "export * from './app'\n",
            "src/b/index.tsx": "import '..'\n", "src/lib/c.ts": "", "src/d.ts": "",
            "src/x.service.ts": "", "src/data.json": "{}", "src/data.ts": "",
        },
        {
            ("src/app.ts", "src/a.ts"), ("src/app.ts", "src/b/index.tsx"),
            ("src/app.ts", "src/lib/c.ts"), ("src/app.ts", "src/x.service.ts"),
            ("src/app.ts", "src/data.json"), ("src/index.ts", "src/app.ts"),
            ("src/b/index.tsx", "src/index.ts"), ("src/a.test.ts", "src/index.ts"),
        },
    ),
    "go": (
        {
            "go.mod": "module example.com/m\n\ngo 1.22\n",
            "main.go": 'package main\nimport (\n\t"fmt"\n\t"example.com/m/store"\n\t"example.com/n/store"\n)\n',
            "store/store.go": 'package store\nimport "example.com/m"\n',
            "store/sql.go": "package store\n", "store/sql_test.go": "package store\n",
            "fmt/fmt.go": "package fmt\n",
            "tool/go.mod": "module example.com/tool\n",
            "tool/a.go": 'package tool\nimport "example.com/tool/b"\n', "tool/b/b.go": "package b\n",
        },
        {
            ("main.go", "store/store.go"), ("main.go", "store/sql.go"),
            ("store/store.go", "main.go"), ("tool/a.go", "tool/b/b.go"),
        },
    ),
    "rust": (
        {
            "one/src/lib.rs": "mod de;\npub mod ser;\n",
            "one/src/de/mod.rs": "mod value;\nuse crate::ser::Serializer;\nuse crate::Top;\n",
            "one/src/de/value.rs": "use super::Thing;\nuse self::inner::X;\nuse std::fmt;\n",
            "one/src/de/value/inner.rs": "", "one/src/ser.rs": "",
            "two/src/main.rs": "use one::de::value::V;\nuse one::Top;\n",
        },
        {
            ("one/src/lib.rs", "one/src/de/mod.rs"), ("one/src/lib.rs", "one/src/ser.rs"),
            ("one/src/de/mod.rs", "one/src/de/value.rs"), ("one/src/de/mod.rs", "one/src/ser.rs"),
            ("one/src/de/mod.rs", "one/src/lib.rs"), ("one/src/de/value.rs", "one/src/de/mod.rs"),
            ("one/src/de/value.rs", "one/src/de/value/inner.rs"),
            ("two/src/main.rs", "one/src/de/value.rs"), ("two/src/main.rs", "one/src/lib.rs"),
        },
    ),
    "jvm": (
        {
            "a/src/com/x/A.java": "package com.x;\nimport com.y.B;\nimport com.y.B.Inner;\nimport java.util.List;\n"
            "import static com.z.KThing;\nclass A {}\n",
            "a/src/com/y/B.java": "package com.y;\nimport com.x.*;\npublic class B { class Inner {} }\n",
            "b/things.kt": "package com.z\nimport com.x.A\nclass KThing\nfun helper() {}\n",
            "b/C.scala": "package com\npackage w\nimport com.z.{KThing, helper => h}\nobject C\n",
            "b/D.kt": "package com.z\nimport com.w.C\n",
        },
        {
            ("a/src/com/x/A.java", "a/src/com/y/B.java"), ("a/src/com/x/A.java", "b/things.kt"),
            ("a/src/com/y/B.java", "a/src/com/x/A.java"), ("b/things.kt", "a/src/com/x/A.java"),
            ("b/C.scala", "b/things.kt"), ("b/D.kt", "b/C.scala"),
        },
    ),
    "c": (
        {
            "src/a.c": '#include "a.h"\n#include "uv.h"\n#include <fmt/core.h>\n#include <string.h>\n#include "unix/b.h"\n',
            "src/a.h": "", "src/a.cpp": "", "include/uv.h": "", "include/fmt/core.h": "",
            "src/deep/string.h": "", "src/unix/b.h": '#include "../a.h"\n', "other/a.h": "",
        },
        {
            ("src/a.c", "src/a.h"), ("src/a.c", "include/uv.h"),
            ("src/a.c", "include/fmt/core.h"), ("src/a.c", "src/unix/b.h"),
            ("src/unix/b.h", "src/a.h"),
        },
    ),
    "csharp": (
        {
            "A.cs": "using My.Data;\nusing System;\nnamespace My { class A {} }\n",
            "B.cs": "using static My.A;\nnamespace My.Data;\nclass B {}\n",
        },
        {("A.cs", "B.cs"), ("B.cs", "A.cs")},
    ),
    "php": (
        {
            "src/A.php": "<?php\nnamespace My;\nuse My\\Sub\\{B};\nrequire __DIR__ . '/boot.php';\nclass A {}\n",
            "src/Sub/B.php": "<?php\nnamespace My\\Sub;\nuse My\\A;\nfinal class B {}\n",
            "src/boot.php": "<?php\n",
        },
        {("src/A.php", "src/Sub/B.php"), ("src/A.php", "src/boot.php"),
         ("src/Sub/B.php", "src/A.php")},
    ),
    "ruby": (
        {
            "lib/rack.rb": "require 'rack/utils'\nrequire 'json'\nautoload :R, 'rack/request'\n",
            "lib/rack/utils.rb": "require_relative 'request'\nrequire_relative '../rack'\n",
            "lib/rack/request.rb": "", "lib/rack/json.rb": "",
        },
        {
            ("lib/rack.rb", "lib/rack/utils.rb"), ("lib/rack.rb", "lib/rack/request.rb"),
            ("lib/rack/utils.rb", "lib/rack/request.rb"), ("lib/rack/utils.rb", "lib/rack.rb"),
        },
    ),
    "bash": (
        {"run.sh": 'source "$HERE/lib/util.sh"\n', "lib/util.sh": ". ./more.sh\n", "lib/more.sh": ":\n"},
        {("run.sh", "lib/util.sh"), ("lib/util.sh", "lib/more.sh")},
    ),
    "lua": (
        {"lua/m/init.lua": "local a = require('m.core.a')\n",
         "lua/m/core/a.lua": "local m = require 'm'\n"},
        {("lua/m/init.lua", "lua/m/core/a.lua"), ("lua/m/core/a.lua", "lua/m/init.lua")},
    ),
    "elixir": (
        {"lib/a.ex": "defmodule My.A do\n  alias My.{B, C}\n  use Logger\nend\n",
         "lib/odd.ex": "defmodule My.B do\n  import My.A\nend\n"},
        {("lib/a.ex", "lib/odd.ex"), ("lib/odd.ex", "lib/a.ex")},
    ),
    "haskell": (
        {"src/Data/A.hs": "module Data.A where\nimport qualified Data.B as B\nimport Data.Map\n",
         "src/Data/B.hs": "module Data.B (b) where\nimport Data.A (a)\n"},
        {("src/Data/A.hs", "src/Data/B.hs"), ("src/Data/B.hs", "src/Data/A.hs")},
    ),
    "zig": (
        {"src/main.zig": 'const a = @import("a/b.zig");\nconst std = @import("std");\n',
         "src/a/b.zig": 'const m = @import("../main.zig");\n'},
        {("src/main.zig", "src/a/b.zig"), ("src/a/b.zig", "src/main.zig")},
    ),
    "swift": ({"Sources/A/a.swift": "import B\n", "Sources/B/b.swift": ""}, set()),
}  # fmt: skip


class Tables:
    """The tables of imports alone, filled file by file."""

    def __init__(self, root="/home/u/project"):
        self.conn = sqlite3.connect(":memory:")
        self.conn.executescript(SCHEMA)
        self.root = root
        self.ids = {}

    def put(self, path, text):
        self.remove(path)
        entries = file_entries(path, text.encode())
        assert from_frame(*to_frame(entries)) == entries
        number = self.conn.execute(
            "INSERT INTO files (path, size, mtime_ns, ctime_ns, inode, read_ns, hash, language, "
            "reason) VALUES (?, 0, 0, 0, 0, 0, '', ?, '')",
            [path, entries.language],
        ).lastrowid
        self.ids[path] = number
        put_links(self.conn, number, path, entries)

    def remove(self, path):
        if path in self.ids:
            number = self.ids.pop(path)
            remove_links(self.conn, number, path)
            self.conn.execute("DELETE FROM files WHERE id = ?", [number])

    def links(self):
        link_imports(self.conn, self.root, nullcontext)
        return set(
            self.conn.execute(
                "SELECT a.path, b.path FROM links l JOIN files a ON a.id = l.from_file "
                "JOIN files b ON b.id = l.to_file"
            )
        )


def _links_of(files):
    made = Tables()
    with closing(made.conn):
        for path, text in files.items():
            made.put(path, text)
        return made.links()


@pytest.fixture
def tables():
    made = Tables()
    with closing(made.conn):
        yield made


@pytest.mark.parametrize("name", PROJECTS)
def test_imports_lead_to_the_files_they_mean(name, tables):
    files, expected = PROJECTS[name]
    for path, text in files.items():
        tables.put(path, text)
    assert tables.links() == expected


@pytest.mark.parametrize("name", PROJECTS)
def test_links_follow_files_that_come_late_and_go_again(name, tables):
    files, expected = PROJECTS[name]
    for path, text in reversed(files.items()):
        tables.put(path, text)
        tables.links()
    assert tables.links() == expected
    for gone in files:
        tables.remove(gone)
        assert tables.links() == _links_of({p: t for p, t in files.items() if p != gone})
        tables.put(gone, files[gone])
        assert tables.links() == expected


def test_module_names_may_begin_above_the_project():
    for root, files, link in (
        ("/w/lazy.nvim/lua/lazy", {"core/a.lua": "require('lazy.util')", "util.lua": ""}, ("core/a.lua", "util.lua")),
        ("/w/src/pkg", {"a.py": "from pkg.sub import b", "sub/b.py": ""}, ("a.py", "sub/b.py")),
        ("/w/m", {"doc/a.go": 'package doc\nimport "e.com/x/m"\n', "m.go": "package m"}, ("doc/a.go", "m.go")),
        ("/w/include/fmt", {"a.h": "#include <fmt/b.h>\n", "b.h": ""}, ("a.h", "b.h")),
    ):  # fmt: skip
        made = Tables(root)
        with closing(made.conn):
            for path, text in files.items():
                made.put(path, text)
            assert made.links() == {link}


def test_of_several_files_the_nearest_is_meant(tables):
    tables.put("a/use.c", '#include "x/util.h"\n')
    tables.put("b/x/util.h", "")
    assert tables.links() == {("a/use.c", "b/x/util.h")}
    tables.put("a/lib/x/util.h", "")
    assert tables.links() == {("a/use.c", "a/lib/x/util.h")}
    tables.remove("a/lib/x/util.h")
    assert tables.links() == {("a/use.c", "b/x/util.h")}


def test_a_package_that_many_files_share_says_nothing_of_any(tables):
    tables.put("A.cs", "using Big;\nnamespace Small;\n")
    for number in range(30):
        tables.put(f"B{number}.cs", "namespace Big;\n")
    assert tables.links() == set()
