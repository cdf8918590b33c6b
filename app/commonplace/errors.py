"""The errors of Commonplace.

::

    CommonplaceError
    ├── UserError            something the user can mend; always carries the remedy
    │   ├── ProjectError         the folder cannot be opened or was lost
    │   ├── ProjectBusyError     another process already writes this project's index
    │   ├── ModelError           the model file is missing, damaged or too large
    │   ├── EngineError          the engine process cannot run this model
    │   ├── StorageError         disk full, read-only or damaged state
    │   │   ├── NewerDataError       what a newer version wrote; refused and not touched
    │   │   └── DamagedIndexError    an index that is not what was written; rebuilt
    │   ├── NetworkError         what was asked of the network will not work
    │   │   ├── NetworkClosedError   it was not allowed by the user, so nothing was contacted
    │   │   └── ConnectionLostError  nobody answers, or no longer; may work another time
    │   ├── QuestionError        a question that cannot be asked
    │   ├── ConversationError    a conversation that is not there
    │   ├── NoteError            a note that is not there, or cannot be changed so
    │   │   └── NoteChangedError     a note that another program changed meanwhile
    │   ├── AdapterError         an adapter that cannot be made, or must not be used
    │   └── EditError            a change of files that is not made, and why
    │       └── EditChangedError     a file is not what the change was made from
    ├── CancelledError       the user, or a deadline, stopped the work
    └── DefectError          something we must mend; shown as a report
        └── ProtocolError        a worker and its parent disagree

An error that crosses a process boundary keeps its class: `to_wire` and
`from_wire` carry the name, the message and the remedy, and nothing else.
"""

from __future__ import annotations

from typing import Any


class CommonplaceError(Exception):
    """Root of all errors raised on purpose by this package."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Return what happened and how to mend it, on one line."""
        text = f"{self.message} {self.remedy}".strip()
        return " ".join(text.split())


class UserError(CommonplaceError):
    """Something the user can mend: `message` says what, `remedy` says how."""


class ProjectError(UserError):
    """The project folder cannot be opened, or was lost while open."""


class ProjectBusyError(ProjectError):
    """Another process already writes this project's index."""


class ModelError(UserError):
    """The model file is missing, damaged, of an unknown kind or too large."""


class EngineError(UserError):
    """The engine process cannot run, or died, with this model."""


class StorageError(UserError):
    """The machine's fault: disk full, read-only folder, damaged database."""


class NewerDataError(StorageError):
    """What is kept was written by a newer version; it is left as it is."""


class DamagedIndexError(StorageError):
    """An index that is not what was written: it has to be rebuilt."""


class NetworkError(UserError):
    """What was asked of the network failed, and asking again would not help."""


class NetworkClosedError(NetworkError):
    """The user did not allow this, so nothing was contacted."""


class ConnectionLostError(NetworkError):
    """Nobody answers, or no longer; what had arrived is kept and it may work later."""


class QuestionError(UserError):
    """A question that cannot be asked, for instance an empty one."""


class ConversationError(UserError):
    """A conversation that is not there, or a name that fits several."""


class NoteError(UserError):
    """A note that is not there, or cannot be changed as asked."""


class NoteChangedError(NoteError):
    """A note whose file is no longer the version that the change was made from."""


class AdapterError(UserError):
    """An adapter that cannot be made for this file and model, or must not be used."""


class EditError(UserError):
    """A change of the user's files that is refused or failed; the files are as they were."""


class EditChangedError(EditError):
    """A file is no longer what the change, or its undoing, was made from."""


class CancelledError(CommonplaceError):
    """Work stopped because the user or a deadline asked for it."""


class DefectError(CommonplaceError):
    """Our mistake; shown with a report rather than with a remedy."""


class ProtocolError(DefectError):
    """A line on the wire is not a message of this protocol."""


def to_wire(error: BaseException) -> dict[str, str]:
    """Describe `error` for another process: ``{"type", "message", "remedy"}``."""
    if isinstance(error, CommonplaceError):
        return {"type": type(error).__name__, "message": error.message, "remedy": error.remedy}
    return {
        "type": DefectError.__name__,
        "message": f"{type(error).__name__}: {error}",
        "remedy": "This is a defect in Commonplace; the log has the details.",
    }


def from_wire(data: dict[str, Any]) -> CommonplaceError:
    """Rebuild the error that `to_wire` described; unknown types become defects."""
    kinds = {cls.__name__: cls for cls in _descendants(CommonplaceError)}
    kind = kinds.get(str(data.get("type")), DefectError)
    return kind(str(data.get("message", "unknown error")), str(data.get("remedy", "")))


def _descendants(cls: type[CommonplaceError]) -> list[type[CommonplaceError]]:
    found = [cls]
    for child in cls.__subclasses__():
        found.extend(_descendants(child))
    return found
