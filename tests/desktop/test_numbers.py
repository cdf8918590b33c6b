"""Numbers and kinds of code, as the language of the window writes them."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from PySide6.QtCore import QLocale

from commonplace.adapt.records import Figure, Gate, Source
from commonplace.desktop import numbers
from commonplace.desktop.adapt_link import Estimate
from commonplace.desktop.adapt_words import answers, estimate_line, percent, source_line
from commonplace.desktop.chat_days import Headings, when
from commonplace.desktop.evidence_words import date_of
from commonplace.desktop.index_panel import IndexPanel
from commonplace.desktop.kinds import ASIDE, KINDS, kind_words
from commonplace.desktop.languages import told, told_error
from commonplace.desktop.model_words import model_size
from commonplace.desktop.numbers import disk_size, number_words
from commonplace.desktop.sources import symbol_of
from commonplace.desktop.status import IndexStatus
from commonplace.errors import ModelError
from commonplace.index.definitions import ELIXIR_KINDS
from commonplace.index.languages import LANGUAGES
from commonplace.measure.results import Result
from commonplace.memory.figures import Details
from commonplace.memory.status import Status
from commonplace.recall.passages import Passage

NARROW = "\u202f"
"""What holds the groups of a French number together."""


@pytest.mark.parametrize(
    ("code", "whole", "part", "model", "disk"),
    [
        ("en", "1,234,567", "1,234.5", "4.7 GB", "1.5 KiB"),
        ("de", "1.234.567", "1.234,5", "4,7 GB", "1,5 KiB"),
        ("fr", f"1{NARROW}234{NARROW}567", f"1{NARROW}234,5", "4,7 Go", "1,5 Kio"),
    ],
)
def test_numbers_are_written_as_in_the_language(speak, code, whole, part, model, disk):
    speak(code)
    assert number_words(1234567) == whole
    assert number_words(1234.5, ",.1f") == part
    assert number_words(999) == "999"
    assert model_size(4_700_000_000) == model
    assert disk_size(1536) == disk


@pytest.mark.parametrize(
    ("code", "whole", "part"),
    [("en", "98 MB", "4.7 GB"), ("de", "98 MB", "4,7 GB"), ("fr", "98 Mo", "4,7 Go")],
)
def test_sizes_have_the_units_of_the_language_wherever_they_come_from(speak, code, whole, part):
    speak(code)
    assert model_size(98_000_000) == whole
    error = ModelError("models has 98 MB free, 4.7 GB are needed.", "Free some space.")
    assert f" {whole} " in told_error(error)
    assert f" {part}" in told_error(error)
    assert "a 98 MB file" in told("a 98 MB file"), "what is no text of ours stays as it is"


@pytest.mark.parametrize(("code", "number"), [("de", "12.345"), ("fr", f"12{NARROW}345")])
def test_numbers_in_texts_of_other_rooms_too(speak, code, number):
    speak(code)
    said = told("It sees 12,345 tokens at once, so fewer passages fit into a question.")
    assert number in said
    assert "so fewer" not in said
    error = ModelError("a.gguf is truncated: 12,345 of 99 bytes.", "Download it again.")
    assert f"{number} " in told_error(error), "nothing that holds a number together is lost"


def test_the_foot_of_the_project_counts_in_the_language(speak, qtbot):
    speak("de")
    foot = IndexStatus()
    qtbot.addWidget(foot)
    foot.show_status(Status(phase="ready", files=12345, chunks=1234567, skipped=1000))
    assert "12.345" in foot.detail.text()
    assert "1.234.567" in foot.detail.text()
    assert foot.skipped.text().startswith("1.000 ")


@pytest.mark.parametrize(("code", "tokens"), [("de", "12.345"), ("fr", f"12{NARROW}345")])
def test_what_adapting_takes_and_brings_is_counted_in_the_language(speak, code, tokens):
    speak(code)
    assert tokens in source_line(Source("a.py", "the open file", 12345))
    assert " 4,7 G" in estimate_line(Estimate(seconds=60, memory_bytes=4_700_000_000))
    gate = Gate(
        heldout=Figure(20.0, 18.0, (-0.12, -0.08), passed=True, tokens=12345),
        parity=Figure(-0.0012, 0.0034, passed=True),
    )
    heldout, _other, parity = answers(gate)
    for figure in ("20,00", "18,00", "−10,0 %", "−12,0 %", "−8,0 %", tokens):
        assert figure in heldout.figures
    assert "0,001" in parity.figures
    assert "0,02" in parity.figures
    assert percent(0.051) == "+5,1 %"


FRIDAY = time.mktime((2026, 1, 23, 14, 5, 0, 0, 0, -1))
LATER = time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))
YEARS_LATER = time.mktime((2028, 11, 21, 12, 0, 0, 0, 0, -1))


DATES = (
    ("de", "fr_FR", "Januar 2026", "23. Januar", "23. Januar 2026",
     "23.01.26", "14:05", "23.01.26 14:05"),
    ("fr", "de_DE", "Janvier 2026", "23 janvier", "23 janvier 2026",
     "23/01/2026", "14:05", "23/01/2026 14:05"),
    ("en", "de_DE", "January 2026", "23 January", "23 January 2026",
     "23/01/2026", "14:05", "23/01/2026 14:05"),
    ("en", "en_US", "January 2026", "23 January", "23 January 2026",
     "1/23/26", f"2:05{NARROW}PM", f"1/23/26 2:05{NARROW}PM"),
    ("de", "de_AT", "Jänner 2026", "23. Jänner", "23. Jänner 2026",
     "23.01.26", "14:05", "23.01.26 14:05"),
)  # fmt: skip
"""Language, system, month, day of this year, of an earlier one; date, time, both in short."""


def test_dates_follow_the_language_not_the_system(speak, monkeypatch, qtbot, window):
    panel = IndexPanel(window.controller.memory)
    qtbot.addWidget(panel)
    measured = dt.datetime.fromtimestamp(FRIDAY, tz=dt.UTC).isoformat()
    result = Result(date=measured, project="p", model="", seed=1)
    for code, system, month, this_year, earlier, day, hour, both in DATES:
        monkeypatch.setattr(numbers, "system_locale", lambda name=system: QLocale(name))
        speak(code)
        assert Headings(YEARS_LATER)(FRIDAY) == month
        assert when(FRIDAY, FRIDAY) == hour
        assert when(FRIDAY, LATER) == this_year
        assert when(FRIDAY, YEARS_LATER) == earlier
        panel.show_details(Details(newest=FRIDAY))
        assert panel.figures[5].value.text() == day
        assert date_of(result) == both


@pytest.mark.parametrize("name", ["1.5", "1,234.py", "v1,234", "a/1,234/b.gguf", "12,34", "0.7.12"])
def test_versions_paths_and_lists_stay_as_they_are(speak, name):
    speak("de")
    said = told(f"{name} is truncated: 12,345 of 99,999 bytes.")
    assert said.startswith(name)
    assert "12.345" in said
    assert told(name) == name


def test_every_kind_of_code_has_a_word(speak):
    found = {"block", "section", "cell", *ELIXIR_KINDS.values()}
    for language in LANGUAGES:
        found |= set(language.definitions.values())
    assert found <= set(KINDS)
    for code, method in (("en", "method"), ("de", "Methode"), ("fr", "méthode")):
        speak(code)
        assert kind_words("method") == method
        assert not [kind for kind in KINDS if kind_words(kind).endswith(ASIDE)]
    assert kind_words("anything new") == "anything new"


def test_kinds_change_where_they_are_shown_alone(speak):
    speak("de")
    passage = Passage(
        path="a.py", start_line=1, end_line=2, text="", score=1.0, kind="method", symbol="A.b",
        reasons=(),
    )  # fmt: skip
    assert symbol_of(passage) == "Methode A.b"
    assert passage.kind == "method"
    assert told("test") == "test", "a file may be called so"
