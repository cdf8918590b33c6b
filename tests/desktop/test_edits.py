"""An answer proposes changes; a person reviews, accepts, applies and takes them back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtTest import QAbstractItemModelTester
from test_accessibility import rich_labels, unnamed

from commonplace.desktop.diff_model import DiffModel
from commonplace.desktop.diff_painter import differing
from commonplace.desktop.review_dialog import ReviewDialog
from commonplace.desktop.visible import visible
from commonplace.edits.changes import FileChange, Problem, Proposal
from commonplace.edits.document import Document, body_of, split_lines
from commonplace.edits.room import Edits
from commonplace.errors import EditChangedError


def said(*lines: str) -> str:
    return "change the settings !say " + "⏎".join(lines)


TWO = said(
    "FILE src/config.py",
    "<<<<<<< SEARCH",
    "# line 2",
    "=======",
    "# line two",
    ">>>>>>> REPLACE",
    "<<<<<<< SEARCH",
    "# line 70",
    "=======",
    "# line seventy",
    ">>>>>>> REPLACE",
)


@pytest.fixture
def reviewed(window, settled, qtbot):
    """Return a function that asks, waits, and opens the review by its action."""

    def review(question=TWO, trigger=None) -> ReviewDialog:
        window.ask(question)
        settled(window)
        (trigger or window.actions_by_id["review"].trigger)()
        return opened(window, qtbot)

    return review


def opened(window, qtbot) -> ReviewDialog:
    found = []

    def there() -> bool:
        found[:] = [d for d in window.findChildren(ReviewDialog) if d.isVisible()]
        return bool(found)

    qtbot.waitUntil(there, timeout=5000)
    return found[0]


def gone(window, qtbot) -> None:
    qtbot.waitUntil(
        lambda: not [d for d in window.findChildren(ReviewDialog) if d.isVisible()], timeout=5000
    )


def test_one_hunk_is_accepted_applied_and_undone(window, reviewed, project, qtbot):
    file = project / "src/config.py"
    file.chmod(0o755)
    before = file.read_bytes()
    dialog = reviewed()
    assert "Review changes" in window.transcript.shown_text()
    assert dialog.total.text() == "2 of 2 changes accepted, in 1 file"
    # By keyboard alone: to the second change, reject it, apply.
    qtbot.keyClick(dialog.diff.list, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    row = dialog.diff.model.rows[dialog.diff.list.currentIndex().row()]
    assert (row.kind, row.hunk) == ("hunk", 1)
    qtbot.keyClick(dialog.diff.list, Qt.Key.Key_Space)
    assert dialog.total.text() == "1 of 2 changes accepted, in 1 file"
    shown = dialog.plan().writes[0]
    qtbot.keyClick(dialog, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    gone(window, qtbot)
    assert file.read_bytes() == before.replace(b"# line 2\n", b"# line two\n") == shown.after
    assert file.stat().st_mode & 0o777 == 0o755
    assert "src/config.py" in window.shell.toasts.text
    window.shell.toasts.button.click()
    qtbot.waitUntil(lambda: file.read_bytes() == before)
    qtbot.waitUntil(lambda: "Undone" in window.shell.toasts.text)
    window.actions_by_id["redo_change"].trigger()
    qtbot.waitUntil(lambda: file.read_bytes() == shown.after)
    qtbot.waitUntil(lambda: "again" in window.shell.toasts.text)
    window.actions_by_id["undo_change"].trigger()
    qtbot.waitUntil(lambda: file.read_bytes() == before)
    qtbot.waitUntil(lambda: "Undone" in window.shell.toasts.text)


def test_the_link_below_the_answer_opens_the_review(window, reviewed):
    follow = window.transcript.anchorClicked.emit
    dialog = reviewed(trigger=lambda: follow(QUrl("commonplace:review/0")))
    assert len(dialog.proposal.files) == 1
    dialog.reject()


def test_an_answer_without_changes_offers_no_review(window, settled):
    window.ask("settings !say Look at `src/config.py`:⏎```python⏎# line 2⏎```")
    settled(window)
    assert "Review changes" not in window.transcript.shown_text()
    assert not window.actions_by_id["review"].isEnabled()


def test_a_mouse_accepts_and_rejects(reviewed, qtbot):
    dialog = reviewed()
    box = dialog.diff.list.visualRect(dialog.diff.model.index(dialog.diff.model.row_of_hunk(0)))
    qtbot.mouseClick(dialog.diff.list.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert dialog.choice == {0: frozenset({1})}
    qtbot.mouseClick(dialog.reject_button, Qt.MouseButton.LeftButton)
    assert dialog.choice == {0: frozenset()}
    assert not dialog.apply_button.isEnabled()
    dialog.files.item(0).setCheckState(Qt.CheckState.Checked)
    assert dialog.choice == {0: frozenset({0, 1})}
    dialog.reject()


def test_what_cannot_be_applied_says_why(reviewed):
    dialog = reviewed(
        said("FILE src/config.py", "<<<<<<< SEARCH", "nowhere", "=======", "x", ">>>>>>> REPLACE",
             "FILE ../evil.py", "<<<<<<< SEARCH", "=======", "x", ">>>>>>> REPLACE")
    )  # fmt: skip
    assert "2 cannot be applied" in dialog.total.text()
    assert not dialog.apply_button.isEnabled()
    assert "do not stand in the file" in dialog.warning.text()
    dialog.files.setCurrentRow(1)
    assert "straight into the project" in dialog.warning.text()
    assert "x" in dialog.words.toPlainText()
    dialog.reject()


def test_settings_that_run_by_themselves_ask_twice(window, reviewed, project, qtbot):
    dialog = reviewed(said("```yaml .github/workflows/ci.yml", "on: push", "```"))
    file = project / ".github/workflows/ci.yml"
    assert dialog.choice == {0: frozenset()}  # not accepted without a hand
    assert "build server" in dialog.warning.text()
    dialog.accept_button.click()
    dialog.apply_button.click()
    assert dialog.message.isVisible()
    assert "ci.yml" in dialog.remedy.text()
    assert not file.exists()
    dialog.confirm.click()
    gone(window, qtbot)
    assert file.read_bytes() == b"on: push\n"


def test_a_file_that_changed_meanwhile_is_refused_and_looked_at_again(
    window, reviewed, project, qtbot
):
    file = project / "src/config.py"
    dialog = reviewed()
    file.write_bytes(b"# mine\n" + file.read_bytes())
    mine = file.read_bytes()
    dialog.apply_button.click()
    qtbot.waitUntil(dialog.message.isVisible)
    assert "changed by another program" in dialog.headline.text()
    assert file.read_bytes() == mine
    dialog.confirm.click()
    qtbot.waitUntil(lambda: not dialog.message.isVisible())
    dialog.apply_button.click()
    gone(window, qtbot)
    assert file.read_bytes() == mine.replace(b"line 2\n", b"line two\n").replace(
        b"line 70\n", b"line seventy\n"
    )


def test_undo_offers_the_difference_where_somebody_went_on(window, reviewed, project, qtbot):
    file = project / "src/config.py"
    before = file.read_bytes()
    dialog = reviewed()
    dialog.apply_button.click()
    gone(window, qtbot)
    file.write_bytes(file.read_bytes() + b"# mine\n")
    window.actions_by_id["undo_change"].trigger()
    qtbot.waitUntil(lambda: "edits" in window.messages.texts)
    assert "changed since" in window.messages.texts["edits"]
    button = next(
        b for b in window.messages.findChildren(type(dialog.confirm)) if "Difference" in b.text()
    )
    button.click()
    again = opened(window, qtbot)
    assert len(again.proposal.files[0].hunks) == 3
    again.toggle(2)  # keep what was added by hand
    again.apply_button.click()
    gone(window, qtbot)
    assert file.read_bytes() == before + b"# mine\n"


def test_nothing_to_undo_is_told(window, qtbot):
    window.actions_by_id["undo_change"].trigger()
    qtbot.waitUntil(lambda: "no change to undo" in window.messages.texts.get("edits", ""))


def test_a_crash_is_mended_when_the_project_opens(window, project, paths, qtbot):
    from commonplace.edits.changes import EditPlan, Write
    from commonplace.edits.system import System

    class Stopped(BaseException):
        pass

    class Stopping(System):
        def replace(self, folder, source, target):
            super().replace(folder, source, target)
            if target == "README.md":
                raise Stopped

    writes = tuple(
        Write(name, (project / name).read_bytes(), b"new\n")
        for name in ("README.md", "src/other.py")
    )
    with pytest.raises(Stopped):
        Edits(project, paths, Stopping()).apply(EditPlan(writes, title="both"))
    assert (project / "README.md").read_bytes() == b"new\n"
    assert (project / "src/other.py").read_bytes() != b"new\n"
    window.open_project(project)
    qtbot.waitUntil(lambda: "completed" in window.messages.texts.get("edits", ""), timeout=15000)
    assert (project / "src/other.py").read_bytes() == b"new\n"


def test_a_patch_file_is_reviewed_too(window, project, tmp_path, qtbot):
    patch = tmp_path / "a.patch"
    patch.write_text("--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-# Demo\n+# Démo\n")
    window.edits.review_file(patch)
    dialog = opened(window, qtbot)
    dialog.apply_button.click()
    gone(window, qtbot)
    assert (project / "README.md").read_text().startswith("# Démo\n")
    window.edits.review_file(tmp_path / "missing.patch")
    qtbot.waitUntil(lambda: "edits" in window.messages.texts)


# ---- the dialog and the diff by themselves


def change(old: str, new: str, **more) -> FileChange:
    before, after = Document(split_lines(old)), Document(split_lines(new))
    return FileChange("src/a.py", "src/a.py", before, after, **more)


def many() -> Proposal:
    base = change("a\nb\n" * 20, "a\nb\n" * 9 + "x\u202e\ty\n" + "a\nb\n" * 10 + "end")
    return Proposal(
        (
            base,
            FileChange("new.py", "new.py", None, Document(("x = 1\n",))),
            FileChange("gone.py", "gone.py", Document(("x\r\n", "y\n")), None, ("a note",)),
            FileChange("moved.py", "from.py", Document(("x\n",)), Document(("x\n",))),
            FileChange(".envrc", ".envrc", None, Document(("x\n",)), (), "a shell may run it"),
        ),
        (Problem("bad.py", "it is bad", "<b>text</b>"),),
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_has_a_name_and_is_drawn(keeper, qtbot, theme):
    keeper.choose(theme)
    dialog = ReviewDialog(many(), "title", keeper)
    qtbot.addWidget(dialog)
    dialog.show()
    for row in range(dialog.files.count()):
        dialog.files.setCurrentRow(row)
        for beside in (True, False):
            dialog.beside.setChecked(beside)
            assert not dialog.grab().isNull()
        assert not unnamed(dialog)
        assert not rich_labels(dialog)
    keeper.choose("light")


@pytest.mark.parametrize("beside", [True, False])
def test_the_bytes_shown_are_the_bytes_written(keeper, qtbot, beside):
    """What the rows show for the accepted side is, line by line, what the plan writes."""
    dialog = ReviewDialog(many(), "title", keeper)
    qtbot.addWidget(dialog)
    dialog.beside.setChecked(beside)
    model = dialog.diff.model
    while gaps := [n for n, row in enumerate(model.rows) if row.kind == "gap"]:
        model.open_gap(gaps[0])
    for refuse in (None, 0, 1):
        if refuse is not None:
            dialog.toggle(refuse)
        lines = []
        for row in model.rows:
            new = model.is_accepted(row) or row.kind == "same"
            if row.kind in {"same", "both", "new"} and new:
                lines.append(row.new_text)
            if row.kind in {"old", "both"} and not model.is_accepted(row):
                lines.append(row.old_text)
        plan = dialog.plan()
        written = next((w.after for w in plan.writes if w.path == "src/a.py"), None)
        if written is None:
            written = dialog.proposal.files[0].before.encoded()
        assert "".join(lines).encode() == written
        for line in lines:
            assert model.shown(line).startswith(visible(body_of(line)).expandtabs(4))
    assert any("⟨U+202E⟩" in model.shown(row.new_text) for row in model.rows)
    assert any(model.shown(row.new_text).endswith("⟨no line end⟩") for row in model.rows)


def test_the_model_is_sound(qtbot):
    model = DiffModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show(many().files[0], {0})
    model.set_beside(True)
    gap = next(n for n, row in enumerate(model.rows) if row.kind == "gap")
    assert "unchanged" in model.data(model.index(gap))
    before = model.rowCount()
    model.open_gap(gap)
    assert model.rowCount() > before
    model.accept({0, 1})
    model.show(None, ())
    assert model.rowCount() == 0
    tester.deleteLater()


def test_letters_that_differ_are_found():
    assert differing("x = 1", "x = 22") == (4, 5)
    assert differing("abc", "xyz") is None
    assert differing("same", "same") is None
    assert differing("ab", "abc") is None


def test_a_large_change_is_looked_at_only_where_it_is_seen(keeper, qtbot):
    """Rows are counted, not timed: painting asks for those in sight and no others."""
    old = "".join(f"line {n}\n" for n in range(60_000))
    new = "".join(f"line {n}{'!' if n % 5 == 0 else ''}\n" for n in range(60_000))
    dialog = ReviewDialog(Proposal((change(old, new),)), "large", keeper)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    model = dialog.diff.model
    assert model.rowCount() > 60_000
    dialog.grab()
    assert len(model._texts) < 500
    dialog.diff.list.scrollToBottom()
    dialog.grab()
    assert len(model._texts) < 1000


def test_an_endless_line_is_painted_in_pieces(keeper, qtbot):
    dialog = ReviewDialog(Proposal((change("x" * 2_000_000, "x" * 2_000_000 + "y\t"),)), "", keeper)
    qtbot.addWidget(dialog)
    dialog.show()
    bar = dialog.diff.bar
    assert bar.maximum() > 1_900_000
    bar.setValue(bar.maximum())
    assert not dialog.grab().isNull()


def test_an_error_is_shown_and_the_review_goes_on(keeper, qtbot):
    dialog = ReviewDialog(many(), "", keeper)
    qtbot.addWidget(dialog)
    dialog.show()
    with qtbot.waitSignal(dialog.apply_asked):
        dialog.apply_button.click()
    assert not dialog.apply_button.isEnabled()
    dialog.show_error(EditChangedError("It changed.", "Look."))
    assert dialog.apply_button.isEnabled()
    with qtbot.waitSignal(dialog.renew_asked):
        dialog.confirm.click()


def test_the_row_with_the_focus_stays_legible(keeper, qtbot):
    """The frame around it is a frame: most of the row keeps its ground."""
    dialog = ReviewDialog(many(), "title", keeper)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.activateWindow()
    dialog.diff.list.setFocus()
    dialog.diff.show_row(dialog.diff.model.row_of_hunk(0))
    qtbot.waitUntil(dialog.diff.list.hasFocus)
    view = dialog.diff.list.viewport()
    box = dialog.diff.list.visualRect(dialog.diff.list.currentIndex())
    image = view.grab(box).toImage()
    accent = keeper.theme.colour("accent").rgb()
    row = [image.pixel(x, image.height() // 2) for x in range(image.width())]
    assert row.count(accent) < image.width() // 10
    assert accent in [image.pixel(x, 0) for x in range(image.width())]
