"""What other rooms remark on answers and on the index, in the language of the window."""

from __future__ import annotations

import pytest

from commonplace.chat.answer import Answer, Timings
from commonplace.chat.choosing import Chosen
from commonplace.chat.prompt import Prompt
from commonplace.desktop.context_dialog import ContextDialog
from commonplace.desktop.index_panel import IndexPanel
from commonplace.memory.figures import Details
from commonplace.memory.status import Status
from commonplace.recall.adapter import Figures


def answer_with(*dropped, note=""):
    return Answer(
        text="It is so.", citations=(), sentences=(), passages=(),
        prompt=Prompt((), (), (), dropped), model="m", finish="stop", note=note,
        timings=Timings(1.0, 1.0, 1.0, 1, 1),
    )  # fmt: skip


ONE = "1 of the passages read was cut to its first lines."
TWO = "2 of the passages read were cut to their first lines."
TURN = "The oldest turn did not fit."
TURNS = "The passages of the oldest 3 turns are no longer read."
RULES = "The rules in AGENTS.md did not fit."


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", {text: text for text in (ONE, TWO, TURN, TURNS, RULES)}),
        (
            "de",
            {
                ONE: "1 der gelesenen Stellen wurde auf ihre ersten Zeilen gekürzt.",
                TWO: "2 der gelesenen Stellen wurden auf ihre ersten Zeilen gekürzt.",
                TURN: "Die älteste Frage mit ihrer Antwort passte nicht.",
                TURNS: "Die Stellen zu den ältesten 3 Fragen werden nicht mehr gelesen.",
                RULES: "Die Regeln in AGENTS.md passten nicht.",
            },
        ),
        (
            "fr",
            {
                ONE: "1 des passages lus a été réduit à ses premières lignes.",
                TWO: "2 des passages lus ont été réduits à leurs premières lignes.",
                TURN: "La plus ancienne question, avec sa réponse, ne tenait pas.",
                TURNS: "Les passages des 3 plus anciennes questions ne sont plus lus.",
                RULES: "Les règles dans AGENTS.md ne tenaient pas.",
            },
        ),
    ],
)
def test_what_was_left_out_is_said_in_the_language(speak, window, qtbot, keeper, code, words):
    speak(code)
    answer = answer_with(*words, note="You stopped this answer.")
    remarks = [text for text, _role in window.conversation._remarks(answer)]
    assert remarks[1:] == list(words.values())
    assert (remarks[0] == "You stopped this answer.") is (code == "en")
    dialog = ContextDialog("Why?", answer, Chosen(), keeper)
    qtbot.addWidget(dialog)
    assert dialog.summary.text().endswith(" ".join(words.values()))


WON = Figures(kept=True, pairs=90, base=0.61, adapted=0.67)


FITTED = (
        ("en", WON, "the first three 61 % → 67 %."),
        ("de", WON, "An die Wörter dieses Projekts angepasst: beiseitegelegte Treffer unter den "
         "ersten drei 61 % → 67 %."),
        ("fr", WON, "Adapté aux mots de ce projet : résultats mis de côté parmi les trois premiers "
         "61 % → 67 %."),
        ("de", Figures(kept=False, pairs=90, base=0.61, adapted=0.6), "Nicht angepasst: kein "
         "sicherer Gewinn bei beiseitegelegten Paaren (beiseitegelegte Treffer unter den ersten "
         "drei 61 % → 60 %)."),
        ("fr", Figures(kept=False, pairs=0, problem="there was no room to try it"),
         "Pas adapté : la place manquait pour l'essayer."),
        ("fr", Figures(kept=False, pairs=2, problem="only 2 documented functions to learn from"),
         "Pas adapté : seulement 2 fonctions documentées dont apprendre."),
        ("de", Figures(kept=False, pairs=1, problem="only one documented function to learn from"),
         "Nicht angepasst: nur eine dokumentierte Funktion, aus der zu lernen wäre."),
)  # fmt: skip


def test_how_fitting_to_a_project_went_is_said_in_the_language(speak, window, qtbot):
    panel = IndexPanel(window.controller.memory)
    qtbot.addWidget(panel)
    for code, figures, words in FITTED:
        speak(code)
        panel.show_status(Status(phase="ready", adapter=figures.to_wire()))
        panel.show_details(Details(folder="/cache"))
        assert words in panel.about.text()
