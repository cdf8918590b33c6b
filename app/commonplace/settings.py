"""The settings, each declared once.

A setting is a field of `Settings` with its key in the file, its default and
its explanation; validation, the settings page and the documentation are made
from `declared()`. The file is TOML and belongs to the user: comments and keys
unknown to this version survive a save.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import tomlkit
from tomlkit.exceptions import TOMLKitError

from commonplace.errors import StorageError, UserError
from commonplace.storage.documents import Form
from commonplace.storage.files import write_atomically


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is known about one setting: enough to check it, edit it, explain it.

    A setting of type ``tuple`` holds any number of texts.
    """

    name: str
    key: str
    type: type[Any]
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def title(self) -> str:
        """What the setting is called: the end of its key in words."""
        words = self.key.partition(".")[2].replace("_", " ").capitalize()
        return words.replace("Gpu", "GPU").replace("Kv", "KV")

    def checked(self, value: Any) -> Any:
        """Return `value` in this setting's type.

        Raises `UserError` that names the key and what it may hold.
        """
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.type is tuple:
            return self._list(value)
        if type(value) is not self.type:
            raise UserError(
                f"Setting {self.key} is {value!r}.", f"It holds a {self.type.__name__}."
            )
        if self.choices and value not in self.choices:
            raise UserError(
                f"Setting {self.key} is {value!r}.", f"It is one of {', '.join(self.choices)}."
            )
        low, high = self.low, self.high
        # Asked this way round, since no comparison with "nan" is true.
        if not ((low is None or value >= low) and (high is None or value <= high)):
            raise UserError(
                f"Setting {self.key} is {value!r}.", f"It lies between {low} and {high}."
            )
        return value

    def _list(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise UserError(
                f"Setting {self.key} is {value!r}.", "It holds a list of texts in quotes."
            )
        return tuple(value)


def _setting(
    key: str,
    default: Any,
    help_text: str,
    *,
    choices: tuple[str, ...] = (),
    low: float | None = None,
    high: float | None = None,
) -> Any:
    about = {"key": key, "help": help_text, "choices": choices, "low": low, "high": high}
    return field(default=default, metadata=about)


@dataclass(frozen=True)
class Settings:
    """Every setting of the program, with defaults."""

    model_path: str = _setting(
        "model.path", "", "The GGUF model that answers. Empty: the first model found."
    )
    model_context: int = _setting(
        "model.context",
        4096,
        "Tokens the model sees at once; more needs more memory.",
        low=512,
        high=131072,
    )
    model_gpu_layers: int = _setting(
        "model.gpu_layers",
        -1,
        "Layers placed on the graphics card; -1 places as many as fit.",
        low=-1,
        high=999,
    )
    model_threads: int = _setting(
        "model.threads", 0, "Processor threads; 0 finds out what is fastest.", low=0, high=256
    )
    model_batch: int = _setting(
        "model.batch", 0, "Tokens read at once; 0 finds out what is fastest.", low=0, high=4096
    )
    model_kv_type: str = _setting(
        "model.kv_type",
        "auto",
        "How the model keeps what it has read: 16, 8.5 or 4.5 bits a number. "
        "Fewer need less memory; 'auto' takes 16 while there is room.",
        choices=("auto", "f16", "q8_0", "q4_0"),
    )
    model_kept_mb: int = _setting(
        "model.kept_mb",
        2048,
        "Megabytes on disk for what the model has read of each conversation, "
        "so that a reopened one goes on at once; 0 keeps nothing.",
        low=0,
        high=1048576,
    )
    model_endpoint: str = _setting(
        "model.endpoint",
        "",
        "The address of somebody else's engine that answers instead, such as "
        "http://localhost:8080/v1. Nothing is sent there before you allowed it, when asked.",
    )
    model_endpoint_model: str = _setting(
        "model.endpoint_model", "", "The model to use there; empty takes the first it offers."
    )
    model_idle_minutes: int = _setting(
        "model.idle_minutes",
        30,
        "Minutes without a question after which the model's memory is freed; "
        "the next question loads it again. 0 never frees it.",
        low=0,
        high=10080,
    )
    answer_max_tokens: int = _setting(
        "answer.max_tokens", 512, "The longest answer, in tokens.", low=16, high=8192
    )
    answer_temperature: float = _setting(
        "answer.temperature", 0.2, "0 repeats itself exactly; higher varies.", low=0.0, high=2.0
    )
    answer_passage_tokens: int = _setting(
        "answer.passage_tokens",
        1500,
        "Tokens of code the model reads for one answer; fewer is faster.",
        low=200,
        high=100000,
    )
    answer_passages: int = _setting(
        "answer.passages", 6, "How many passages an answer may rest on.", low=1, high=20
    )
    recall_embedder: str = _setting(
        "recall.embedder",
        "built-in",
        "What vectors come from: 'built-in', 'minilm' (slower), 'none' (words only), "
        "or the folder of a sentence-transformers model.",
    )
    recall_adapter: str = _setting(
        "recall.adapter",
        "auto",
        "Adapt the built-in embedder to each project's own words, where that finds more: "
        "tried in the background, kept only if it wins. 'off' does without.",
        choices=("auto", "off"),
    )
    recall_depth: str = _setting(
        "recall.depth",
        "off",
        "Read the best passages again with a larger model: 'off', 'minilm', or the folder of a "
        "sentence-transformers model. Slower, and little is gained.",
    )
    adapt_enabled: bool = _setting(
        "adapt.enabled",
        False,
        "Let the model be adapted to the file that is open, when you ask for it, and use what "
        "passed the tests for questions about that file alone.",
    )
    adapt_scale: float = _setting(
        "adapt.scale",
        1.0,
        "How strongly an adapter is used: 1 as it was tested, less for less of it.",
        low=0.1,
        high=1.0,
    )
    appearance_theme: str = _setting(
        "appearance.theme",
        "system",
        "Light or dark; 'system' follows the desktop.",
        choices=("system", "light", "dark"),
    )
    appearance_language: str = _setting(
        "appearance.language",
        "system",
        "Language of the window; 'system' follows the desktop. "
        "Takes effect when the window is opened again.",
        choices=("system", "en", "de", "fr"),
    )
    appearance_font_size: int = _setting(
        "appearance.font_size", 10, "Size of text in points.", low=7, high=24
    )
    appearance_motion: str = _setting(
        "appearance.motion",
        "system",
        "Whether things on screen move and text cursors blink; 'system' follows the desktop.",
        choices=("system", "reduced", "full"),
    )
    window_restore: bool = _setting(
        "window.restore",
        True,
        "Open the last project again at start, with the file that was shown.",
    )
    window_tray: bool = _setting(
        "window.tray",
        False,
        "Keep an icon in the desktop's tray, if it has one: closing the window then hides it, "
        "and what was begun goes on. Quit ends it.",
    )
    editor_command: str = _setting(
        "editor.command",
        "",
        "The command that opens a file in your editor; {path} and {line} stand for the place, as "
        "in 'code --goto {path}:{line}'. Empty: the first known editor on this machine.",
    )
    models_folders: tuple[str, ...] = _setting(
        "models.folders", (), "More folders in which you keep models, one per line."
    )
    models_other_apps: bool = _setting(
        "models.other_apps",
        False,
        "Also offer the models that LM Studio, Ollama, GPT4All, llama.cpp and the hub's cache "
        "keep on this machine. They are read where they are and never changed.",
    )
    models_address: str = _setting(
        "models.address",
        "",
        "Where models are downloaded from; empty for the address in the catalogue. "
        "A mirror has the same paths below it.",
    )
    network_allowed: tuple[str, ...] = _setting(
        "network.allowed",
        (),
        "Whom the program may contact, each a purpose and an address, such as "
        "'models https://…'. Empty: nobody. It is filled when you say yes to a question.",
    )
    network_proxies: bool = _setting(
        "network.proxies",
        False,
        "Let the proxies named in the environment carry what goes to other machines.",
    )


def declared() -> tuple[Declaration, ...]:
    """Return the declarations of all settings, in the order of the file."""
    hints = get_type_hints(Settings)
    return tuple(
        Declaration(
            name=f.name,
            key=f.metadata["key"],
            type=get_origin(hints[f.name]) or hints[f.name],
            default=f.default,
            help=f.metadata["help"],
            choices=f.metadata["choices"],
            low=f.metadata["low"],
            high=f.metadata["high"],
        )
        for f in dataclasses.fields(Settings)
    )


FORM = Form()
"""The forms that the file has had; a key that changes its meaning needs a new one."""


def load(path: Path) -> Settings:
    """Read the settings at `path`; a missing file means the defaults.

    Raises `UserError` naming the file and the line or key that is wrong, and
    `NewerDataError` for a file that a newer version wrote.
    """
    return _checked(_read(path)[0])


def save(path: Path, changes: Mapping[str, Any]) -> Settings:
    """Write `changes` (key → value) into the file at `path` and return the result.

    Everything else in the file stays as it is. The file is replaced at once,
    so a crash leaves the old or the new version, never a mixture.
    """
    by_key = {d.key: d for d in declared()}
    document, form = _read(path)
    for key, value in changes.items():
        if key not in by_key:
            raise UserError(f"There is no setting {key}.", f"Known: {', '.join(by_key)}.")
        table, name = key.split(".", 1)
        checked = by_key[key].checked(value)
        values = _table(document, path, table)
        values[name] = list(checked) if isinstance(checked, tuple) else checked
    settings = _checked(document)
    _write(path, document, form)
    return settings


def load_lists(path: Path, table: str) -> dict[str, tuple[str, ...]]:
    """Return the lists of texts below ``[table]``, such as changed shortcuts, by name.

    What is no list of texts is left out. Raises `UserError` for a file that
    cannot be read.
    """
    values = _read(path)[0].unwrap().get(table)
    if not isinstance(values, dict):
        return {}
    return {
        name: tuple(value)
        for name, value in values.items()
        if isinstance(value, list) and all(isinstance(text, str) for text in value)
    }


def save_lists(path: Path, table: str, changes: Mapping[str, tuple[str, ...] | None]) -> None:
    """Write lists of texts below ``[table]``; None takes one away. The rest stays as it is."""
    document, form = _read(path)
    values = _table(document, path, table)
    for name, texts in changes.items():
        if texts is None:
            values.pop(name, None)
        else:
            values[name] = list(texts)
    if not values:
        del document[table]
    _write(path, document, form)


def _read(path: Path) -> tuple[tomlkit.TOMLDocument, int]:
    """Return the document at `path` in the newest form, and the form it has on disk."""
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8"))
        return document, FORM.bring_up(document, path)
    except FileNotFoundError:
        return tomlkit.document(), FORM.newest
    except (TOMLKitError, ValueError) as error:  # bytes that are no text are a `ValueError` too
        raise UserError(
            f"The settings file {path} cannot be read: {error}.",
            "Mend that line, or move the file away to start from the defaults.",
        ) from error
    except OSError as error:
        raise StorageError(
            f"Cannot read {path}: {error.strerror}.", "Mend the file's permissions."
        ) from error


def _write(path: Path, document: tomlkit.TOMLDocument, form: int) -> None:
    """Replace the file at `path`, which has the `form`; one of an old form is copied first."""
    try:
        FORM.keep_old(path, form)
    except OSError as error:
        raise StorageError(
            f"Cannot copy {path} before it is changed: {error.strerror}.",
            "Free some space or mend the folder's permissions.",
        ) from error
    write_atomically(path, tomlkit.dumps(document).encode())


def _table(document: tomlkit.TOMLDocument, path: Path, table: str) -> MutableMapping[str, Any]:
    """Return the table `table` of `document`, made if it is not there."""
    if table not in document:
        document[table] = tomlkit.table()
    found = document[table]
    if not isinstance(found, MutableMapping):
        raise UserError(
            f"In {path}, {table} is not a table.", f"Write its settings below [{table}]."
        )
    return found


def _checked(document: tomlkit.TOMLDocument) -> Settings:
    values: dict[str, Any] = {}
    for declaration in declared():
        found = _lookup(document, declaration.key)
        if found is not None:
            values[declaration.name] = declaration.checked(found)
    return Settings(**values)


def _lookup(document: tomlkit.TOMLDocument, key: str) -> Any:
    table, name = key.split(".", 1)
    values = document.unwrap().get(table)
    return values.get(name) if isinstance(values, dict) else None
