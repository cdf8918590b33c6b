"""Which build this is, and which licences it comes with."""

from __future__ import annotations

import json
import sys

import pytest

from commonplace import __version__
from commonplace.build import DEVELOPMENT, Build, read_build
from commonplace.cli import commands
from commonplace.licences import licences

SBOM = "0123456789abcdef" * 4
WHOLE = {"version": "1.2.3", "commit": "abc123", "date": "2026-11-21", "sbom_sha256": SBOM}


def written(tmp_path, data):
    path = tmp_path / "build.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def test_a_package_says_what_it_was_made_from(tmp_path):
    build = read_build(written(tmp_path, WHOLE))
    assert build == Build("1.2.3", "abc123", "2026-11-21", SBOM)
    assert build.lines() == (
        "commonplace 1.2.3", "build  2026-11-21", "commit abc123", f"SBOM   sha256:{SBOM}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "data", ["", "[]", "{", "\x00", '{"version": 7}', '{"version": ""}', '{"version": "a\\u0007"}']
)
def test_a_description_that_is_none_is_a_development_version(tmp_path, data):
    assert read_build(written(tmp_path, data)) == Build(__version__)
    assert read_build(tmp_path / "nothing") == Build(__version__)


def test_a_checksum_that_is_none_is_not_shown(tmp_path):
    build = read_build(written(tmp_path, {**WHOLE, "sbom_sha256": "none"}))
    assert not any("SBOM" in line for line in build.lines())


def test_the_version_is_printed(capsys):
    assert commands.run(["--version"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [f"commonplace {__version__}", f"build  {DEVELOPMENT}"]


def test_a_checkout_reads_licences_beside_its_libraries(tmp_path):
    new = tmp_path / "site" / "click-8.1.0.dist-info" / "licenses" / "LICENSE.txt"
    new.parent.mkdir(parents=True)
    new.write_text("BSD")
    old = tmp_path / "site" / "some_tool-2.0.dist-info"
    old.mkdir()
    (old / "COPYING").write_text("GPL")
    (old / "METADATA").write_text("Name: some_tool")
    found = licences(tmp_path / "none", tmp_path / "site")
    assert [one.title for one in found] == [
        "LICENSE", "click: LICENSE.txt", "some_tool: COPYING",
    ]  # fmt: skip
    assert [one.text() for one in found[1:]] == ["BSD", "GPL"]


def test_a_package_carries_its_licences(tmp_path, monkeypatch):
    for name in ("qt/LGPL-3.0.txt", "LICENSE", "Apache-2.0.txt", "LGPL-NOTICE.txt"):
        path = tmp_path / "licences" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() + b"\xff")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "commonplace"))
    found = licences()
    assert [one.title for one in found] == [
        "LICENSE", "Apache-2.0.txt", "LGPL-NOTICE.txt", "qt: LGPL-3.0.txt",
    ]  # fmt: skip
    assert found[-1].text() == "qt/LGPL-3.0.txt\ufffd"


def test_this_checkout_has_licences():
    components = {one.component.lower() for one in licences()}
    assert {"", "click"} <= components
