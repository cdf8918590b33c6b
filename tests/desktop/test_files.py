"""The tree, the list of sources and the code view."""

from __future__ import annotations

import dataclasses
import os

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyleOptionViewItem

from commonplace.desktop.background import Background
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.path_tree import PathTree
from commonplace.desktop.project_tree import ProjectTree
from commonplace.desktop.source_text import MAX_BYTES, locate, read_source
from commonplace.desktop.sources import Source, SourcesModel, SourcesPanel
from commonplace.errors import ProjectError
from commonplace.recall.passages import Passage

PATHS = ["b.txt", "src/deep/x.py", "src/a.py", "src-old/y.py", "A.md", "src.txt"]


def tree_of(model, parent=None):
    parent = parent or QModelIndex()
    found = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        found.append((model.data(index), tree_of(model, index)))
    return found


def test_tree(qtmodeltester):
    model = PathTree()
    model.set_paths(PATHS)
    qtmodeltester.check(model)
    assert tree_of(model) == [
        ("src", [("deep", [("x.py", [])]), ("a.py", [])]),
        ("src-old", [("y.py", [])]),
        ("A.md", []),
        ("b.txt", []),
        ("src.txt", []),
    ]
    assert model.path_of(model.find("src/deep/x.py")) == "src/deep/x.py"
    assert not model.find("src/none").isValid()


def test_tree_of_sixty_thousand_is_lazy():
    model = PathTree()
    model.set_paths(f"d{n % 300}/e{n % 7}/file{n}.py" for n in range(60_000))
    assert model.rowCount() == 300
    assert len(model._nodes) == 301


def test_tree_filters_and_keeps_open_folders(qtbot, keeper):
    tree = ProjectTree(keeper)
    qtbot.addWidget(tree)
    tree.show()
    tree.set_files(tuple(PATHS))
    tree.tree.expand(tree.model.find("src"))
    tree.filter.setText("deep X")
    qtbot.waitUntil(lambda: tree_of(tree.model) == [("src", [("deep", [("x.py", [])])])])
    with qtbot.waitSignal(tree.file_chosen) as blocker:
        QTest.keyClick(tree.filter, Qt.Key.Key_Return)
    assert blocker.args == ["src/deep/x.py"]
    tree.filter.clear()
    qtbot.waitUntil(lambda: tree.model.rowCount() == 5)
    tree.set_files((*PATHS, "src/new.py"))
    assert tree.tree.isExpanded(tree.model.find("src"))
    tree.filter.setText("nothing like this")
    qtbot.waitUntil(tree.empty.isVisible)


def source(number, by="", path="src/a.py"):
    passage = Passage(path, 3, 9, "text", 1.0, "function", "load", ("definition", "path words"))
    return Source(number, passage, by)


def test_sources(qtbot, keeper, qtmodeltester):
    panel = SourcesPanel(keeper)
    qtbot.addWidget(panel)
    panel.resize(300, 400)
    panel.show()
    panel.show_sources([source(1, "model"), source(2, "attribution"), source(3)])
    qtmodeltester.check(panel.model)
    said = panel.model.data(panel.model.index(0), Qt.ItemDataRole.AccessibleTextRole)
    assert said == "[1] src/a.py:3-9, function load, cited, definition, path words"
    with qtbot.waitSignal(panel.chosen) as blocker:
        panel.select(2)
        panel.list.setFocus()
        QTest.keyClick(panel.list, Qt.Key.Key_Return)
    assert blocker.args[0].number == 2
    assert panel.select(9) is None
    panel.grab()
    panel.show_sources([])
    assert panel.hint.isVisible()
    assert SourcesModel().rowCount() == 0


def test_a_source_says_who_imports_it_and_what_else_it_defines(qtbot, keeper):
    plain = source(1).passage
    about = dataclasses.replace(
        plain, defines=("load", "save"), importers=("b.py", "c.py"), imported_by=7
    )
    panel = SourcesPanel(keeper)
    qtbot.addWidget(panel)
    panel.show_sources([Source(1, about), Source(2, plain)])
    first, second = (panel.model.index(row) for row in range(2))
    said = panel.model.data(first, Qt.ItemDataRole.AccessibleTextRole)
    assert said.endswith("imported by 7 files · defines save")
    tip = panel.model.data(first, Qt.ItemDataRole.ToolTipRole)
    assert "b.py" in tip
    delegate, option = panel.list.itemDelegate(), QStyleOptionViewItem()
    heights = [delegate.sizeHint(option, index).height() for index in (first, second)]
    assert heights[0] > heights[1]
    panel.resize(300, 300)
    panel.show()
    panel.grab()


@pytest.fixture
def pane(qtbot, keeper, qapp):
    background = Background(qapp)
    pane = CodePane(keeper, background)
    pane.resize(500, 300)
    qtbot.addWidget(pane)
    pane.show()
    yield pane
    pane.shut()
    background.finish()
    background.deleteLater()


def test_code_opens_at_the_lines(qtbot, pane, project, keeper):
    with qtbot.waitSignal(pane.opened):
        pane.open_file(project, "src/config.py", 40, 42)
    assert pane.view.marked_lines == (40, 42)
    assert [s.cursor.blockNumber() for s in pane.view.extraSelections()] == [39, 40, 41]
    qtbot.waitUntil(lambda: bool(pane.view._coloured))
    qtbot.waitUntil(lambda: pane.view.firstVisibleBlock().blockNumber() > 20)
    first = pane.view.firstVisibleBlock().blockNumber()
    assert first < 40 < first + 20
    keeper.choose("dark")
    keeper.choose("light")


def test_code_moves_with_its_passage(qtbot, pane, project):
    file = project / "src" / "config.py"
    text = "\n".join(file.read_text().split("\n")[39:42])
    with qtbot.waitSignal(pane.opened):
        pane.open_file(project, "src/config.py", 40, 42, text)
    file.write_text("# new\n# lines\n" + file.read_text())
    with qtbot.waitSignal(pane.opened):
        pane.reload()
    assert pane.view.marked_lines == (42, 44)
    file.write_text("all gone\n")
    with qtbot.waitSignal(pane.opened):
        pane.reload()
    assert "changed since" in pane.note.text()


def test_what_cannot_be_shown_says_why(qtbot, pane, project):
    file = project / "image.bin"
    file.write_bytes(b"\0\1\2")
    pane.open_file(project, "image.bin")
    qtbot.waitUntil(lambda: "not text" in pane.note.text())
    pane.open_file(project, "gone.py")
    qtbot.waitUntil(lambda: "no longer there" in pane.note.text())


def test_reading_is_bounded(project, tmp_path):
    (project / "big.txt").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ProjectError, match="too large"):
        read_source(project, "big.txt")
    (tmp_path / "secret.txt").write_text("secret")
    (project / "link.txt").symlink_to(tmp_path / "secret.txt")
    for path in ("../secret.txt", "link.txt", str(tmp_path / "secret.txt")):
        with pytest.raises(ProjectError, match="out of the project"):
            read_source(project, path)
    os.mkfifo(project / "pipe")
    with pytest.raises(ProjectError, match="not a file"):
        read_source(project, "pipe")
    with pytest.raises(ProjectError):
        read_source(project, "src")
    (project / "wide.js").write_text("a" * 50_000 + "\n\u202e\n")
    text = read_source(project, "wide.js").text
    assert len(text) < 5000
    assert "⟨U+202E⟩" in text


def test_locate():
    text = "a\nb\nc\nb\nc"
    assert locate(text, "b\nc", 2, 3) == (2, 3)
    assert locate(text, "b\nc", 5, 6) == (4, 5)
    assert locate(text, "z", 1, 1) is None
    assert locate(text, "", 2, 2) == (2, 2)


def test_a_long_file_fills_in_pieces(qtbot, pane, project):
    lines = [f"value_{n} = {n}" for n in range(60_000)]
    (project / "long.py").write_text("\n".join(lines))
    with qtbot.waitSignal(pane.opened, timeout=10000):
        pane.open_file(project, "long.py", 59_000, 59_002)
    assert pane.view.toPlainText() == "\n".join(lines)
    assert pane.view.marked_lines == (59_000, 59_002)
    qtbot.waitUntil(lambda: pane.view.firstVisibleBlock().blockNumber() > 58_000)
    pane.reload()
    with qtbot.waitSignal(pane.opened):
        pass
    pane.forget()
    assert pane.view.toPlainText() == ""


def test_the_filter_finds_the_same_however_it_was_reached(keeper, qtbot):
    from commonplace.desktop.project_tree import ProjectTree

    paths = ("Lib/a.py", "lib/b.py", "lib/ab/c.TXT", "docs/a b.md", "zz")
    tree = ProjectTree(keeper)
    qtbot.addWidget(tree)
    tree.set_files(paths)
    typed = ("l", "li", "lib", "lib a", "lib ab", "lib", "b lib", "a", "A b", "a b.", "", "zz", "q")
    for text in typed:
        words = text.lower().split()
        expected = [p for p in paths if all(word in p.lower() for word in words)]
        assert tree._matching(words) == expected, text
        tree.filter.setText(text)
        tree._apply()
        assert sorted(tree.model._paths) == sorted(expected if words else paths)
    tree.set_files(())
    tree.filter.setText("a")
    tree._apply()
    assert tree.model._paths == []
