"""Keys for other people's engines: in the system's keyring, never in our settings.

The `keyring` package reaches the keyrings of all systems and is an optional
extra of ours (``pip install commonplace[keyring]``). Where there is none, a
variable of the environment serves, and wins where both are set.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from commonplace.errors import StorageError
from commonplace.network.grants import Origin

log = logging.getLogger(__name__)

VARIABLE = "COMMONPLACE_API_KEY"
SERVICE = "commonplace"


def api_key(endpoint: str) -> str:
    """Return the key for the server at `endpoint`, or nothing."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return given
    ring = _keyring()
    if ring is None:
        return ""
    try:
        return str(ring.get_password(SERVICE, _name(endpoint)) or "")
    except ring.errors.KeyringError as error:
        log.warning("The keyring gave nothing: %s", type(error).__name__)
        return ""


def keep_key(endpoint: str, key: str) -> None:
    """Keep `key` for `endpoint`, or delete it if it is empty.

    Raises `StorageError` where there is no keyring.
    """
    ring = _keyring()
    if ring is None:
        raise StorageError(
            "There is no access to the system's keyring.",
            f"Install the extra 'keyring', or set the variable {VARIABLE}.",
        )
    try:
        if key:
            ring.set_password(SERVICE, _name(endpoint), key)
        elif ring.get_password(SERVICE, _name(endpoint)) is not None:
            ring.delete_password(SERVICE, _name(endpoint))
    except ring.errors.KeyringError as error:
        raise StorageError(
            f"The keyring refused: {type(error).__name__}.",
            f"Unlock it, or set the variable {VARIABLE}.",
        ) from error


def _name(endpoint: str) -> str:
    return str(Origin.of(endpoint))


def _keyring() -> Any:
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    return keyring
