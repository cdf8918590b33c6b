"""The models that can be downloaded, with what one should know before doing so.

The facts are in ``models/catalogue.toml``; this module reads and checks them.
It asks nothing of the network.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from commonplace.errors import DefectError, UserError
from commonplace.paths import catalogue_file

Commercial = Literal["yes", "no", "conditions"]
"""Whether the licence allows the model at work."""

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{1,60}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.gguf")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Score:
    """One published result, in per cent, and who published it."""

    benchmark: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """One model that can be downloaded.

    `size` and `memory` (at a context of 4,096 tokens) are in bytes, and only as
    exact as the catalogue says; 0 is unknown. `context` is in tokens; 0 is
    unknown. `active` is how many parameters one token uses, if not all.
    `sha256` is empty where nobody told us. An empty `repository` means that the
    file is not downloaded but comes with the program.
    """

    id: str
    name: str
    parameters: int
    quantisation: str
    repository: str
    file: str
    size: int
    sha256: str
    licence: str
    commercial: Commercial
    context: int
    chat: bool
    fim: bool
    memory: int
    note: str
    exact: bool = False
    active: int = 0
    licence_note: str = ""
    scores: tuple[Score, ...] = ()

    @property
    def licence_line(self) -> str:
        """What the licence is and what it allows, in one line."""
        allows = {
            "yes": "commercial use is allowed",
            "no": "NOT for commercial use",
            "conditions": "commercial use with conditions",
        }[self.commercial]
        return f"{self.licence}: {allows}. {self.licence_note}".strip()

    @property
    def checks_line(self) -> str:
        """What a download of this can be checked by."""
        if self.sha256:
            return "The download is checked by its SHA-256."
        return "No checksum is known: only the size, the first bytes and the header are checked."


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models, the smallest first, and where they are kept."""

    address: str
    path: str
    models: tuple[CatalogueModel, ...]

    def find(self, name: str) -> CatalogueModel:
        """Return the model with the id or the name `name`; raises `UserError`."""
        wanted = name.strip().lower()
        for model in self.models:
            if wanted in {model.id, model.name.lower(), model.file.lower()}:
                return model
        known = ", ".join(model.id for model in self.models)
        raise UserError(f"The catalogue has no {name}.", f"It has: {known}.")

    def url(self, model: CatalogueModel, address: str = "") -> str:
        """Return where the file of `model` is, below `address` or the hub's own.

        Raises `UserError` for a model that is not downloaded.
        """
        if not model.repository:
            raise UserError(
                f"{model.name} is not downloaded: it comes with the starter models.",
                "Run: make models",
            )
        place = self.path.format(repository=model.repository, file=model.file)
        return f"{(address or self.address).rstrip('/')}/{place}"


def read_catalogue(path: Path | None = None) -> Catalogue:
    """Read and check the catalogue at `path`, or the one shipped with the program.

    It is ours, so whatever is wrong with it is a `DefectError`.
    """
    path = path or catalogue_file()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [_model(entry) for entry in document["model"]]
        models = tuple(sorted(entries, key=lambda model: (model.parameters, model.name)))
        catalogue = Catalogue(document["hub"]["address"], document["hub"]["path"], models)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DefectError(f"The catalogue {path} is wrong: {error}.") from error
    for what in ("id", "file"):
        found = [getattr(model, what) for model in models]
        if len(set(found)) != len(found):
            raise DefectError(f"The catalogue {path} names one {what} twice.")
    return catalogue


def _model(entry: dict[str, Any]) -> CatalogueModel:
    values = dict(entry)
    values["scores"] = tuple(
        Score(str(s["benchmark"]), float(s["value"]), str(s["source"]))
        for s in entry.get("scores", ())
    )
    model = CatalogueModel(**values)
    hints = get_type_hints(CatalogueModel)
    for field in fields(CatalogueModel):
        kind = hints[field.name]
        value = getattr(model, field.name)
        if kind in {int, str, bool} and type(value) is not kind:
            raise ValueError(f"{field.name} of {model.id} is {value!r}")
    if not (
        _ID.fullmatch(model.id)
        and _FILE.fullmatch(model.file)
        and (not model.repository or _REPOSITORY.fullmatch(model.repository))
        and (not model.sha256 or _SHA256.fullmatch(model.sha256))
        and model.commercial in get_args(Commercial)
        and min(model.parameters, model.size, model.memory, model.context) >= 0
    ):
        raise ValueError(f"the entry {model.id} is malformed")
    return model
