"""What the window says of the model: its name on the button, and what it had to concede."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QPushButton

from commonplace.desktop.engine_link import EngineLink, EngineState
from commonplace.desktop.message_bar import Action, MessageBar
from commonplace.desktop.numbers import number_words
from commonplace.desktop.visible import one_line, tooltip

LONGEST_NAME = 32


class EngineStatus(QObject):
    """Keeps the button of the model, and the message about its concessions, up to date."""

    def __init__(
        self, engine: EngineLink, button: QPushButton, messages: MessageBar, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._button = button
        self._messages = messages
        engine.state_changed.connect(self.show_engine)
        engine.stepped_down.connect(self._stepped_down)

    def show_engine(self, state: EngineState) -> None:
        """Say how the model is."""
        if state.kind == "ready" and state.info is not None:
            text = _short(one_line(state.info.name))
            context = self.tr("sees {0} tokens at once").format(number_words(state.info.context))
            how = self.tr("{0} threads, {1} tokens read at once").format(
                state.info.threads, state.info.batch
            )
            about = (
                state.info.path,
                f"{state.info.backend}, {context}, {how}",
                state.info.fit,
                state.conceded,
                state.info.note,
            )
            tip = "\n".join(filter(None, about))
            self._show_concession(state)
        elif state.kind == "loading":
            text, tip = self.tr("Loading the model… {0}").format(f"{state.fraction:.0%}"), ""
        elif state.kind == "failed":
            text, tip = self.tr("The model does not run"), str(state.error or "")
        elif state.kind == "asleep":
            text = self.tr("The model sleeps")
            tip = self.tr("Its memory is free for other programs; the next question wakes it.")
        else:
            text, tip = self.tr("No model"), ""
        self._button.setText(text)
        self._button.setAccessibleName(self.tr("Model: {0}").format(text))
        self._button.setToolTip(tooltip(tip))

    def _stepped_down(self, sentence: str) -> None:
        self._messages.show_message(
            "stepped", "warning", self.tr("The model's process ended and starts again."), sentence
        )

    def _show_concession(self, state: EngineState) -> None:
        """Say on which rung the model runs, why, and offer the highest again."""
        if not state.conceded or state.info is None:
            self._messages.dismiss("stepped")
            return
        again: Action = (self.tr("Try Again at Full Speed"), self._engine.at_full_speed)
        headline = self.tr("The model runs with a concession: {0}.").format(state.info.rung)
        why = self.tr("Before that: {0}").format("; ".join(state.reasons)) if state.reasons else ""
        self._messages.show_message(
            "stepped", "info", headline, f"{state.conceded} {why}".strip(), [again]
        )


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
