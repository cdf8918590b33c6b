"""Small facts that outlive the process: what was measured, what did not hold.

A JSON file that may vanish or be damaged at any time without harm: the facts
are then found out again.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from commonplace.errors import StorageError
from commonplace.storage.files import write_atomically

log = logging.getLogger(__name__)

MAX_FACTS = 200
MAX_BYTES = 1 << 20


class Remembered:
    """Facts by key in one file; the oldest go when there are too many."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> dict[str, Any]:
        """Return the fact at `key`, or an empty one."""
        fact = self._read().get(key)
        return fact if isinstance(fact, dict) else {}

    def put(self, key: str, fact: dict[str, Any]) -> None:
        """Remember `fact`; a disk that cannot be written only makes us forget."""
        facts = self._read()
        facts.pop(key, None)
        facts[key] = fact
        self._write(dict(list(facts.items())[-MAX_FACTS:]))

    def forget(self, key: str) -> None:
        """Remove the fact at `key`."""
        facts = self._read()
        if facts.pop(key, None) is not None:
            self._write(facts)

    def _read(self) -> dict[str, Any]:
        try:
            if self._path.stat().st_size > MAX_BYTES:
                return {}
            facts = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return facts if isinstance(facts, dict) else {}

    def _write(self, facts: dict[str, Any]) -> None:
        try:
            write_atomically(self._path, json.dumps(facts, indent=1).encode())
        except StorageError as error:
            log.warning("Not remembered: %s", error)
