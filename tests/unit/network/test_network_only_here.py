"""Nothing but ``commonplace.network`` can open a connection, loopback included."""

from __future__ import annotations

import ast
from pathlib import Path

import commonplace

PACKAGE = Path(commonplace.__file__).resolve().parent
FORBIDDEN = {
    "_socket", "_ssl", "aiohttp", "asyncio", "asyncore", "ftplib", "http", "httplib2", "httpx",
    "huggingface_hub", "imaplib", "nntplib", "poplib", "requests", "smtplib", "socket",
    "socketserver", "ssl", "telnetlib", "urllib", "urllib3", "websocket", "websockets", "xmlrpc",
}  # fmt: skip
FORBIDDEN_PARTS = ("PySide6.QtNetwork", "PySide6.QtWebSockets", "multiprocessing.connection")


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield node.lineno, ast.unparse(node.args[0]).strip("'")
        elif isinstance(node, ast.Name) and node.id == "__import__":
            yield node.lineno, "socket"  # it hides what it imports


def offences(source):
    for line, name in imported(ast.parse(source)):
        if name.partition(".")[0] in FORBIDDEN or name.startswith(FORBIDDEN_PARTS):
            yield f"{line}: {name}"


def test_only_the_network_room_can_open_a_connection():
    found = [
        f"{path.relative_to(PACKAGE)}:{offence}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] != "network"
        for offence in offences(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_the_walk_sees_what_it_should():
    for source in (
        "import socket",
        "import os, http.client as h",
        "from urllib.parse import quote",
        "def f():\n    from PySide6 import QtNetwork",
        "import importlib; importlib.import_module('ssl')",
        "from multiprocessing import connection",
    ):
        assert list(offences(source)), source
    assert not list(offences("from .http import x\nimport httpies\nx = 'http'"))


def test_the_window_does_not_load_the_door():
    import subprocess
    import sys

    code = (
        "import sys; import commonplace.desktop.app, commonplace.network.grants;"
        "print([m for m in ('ssl', 'http.client', 'commonplace.network.door') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent
    )
    assert done.stdout.strip() == "[]"
