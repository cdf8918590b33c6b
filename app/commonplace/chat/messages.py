"""What is said to the model: messages with a role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["system", "user", "assistant"]
ROLES: frozenset[str] = frozenset(get_args(Role))


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, as the model's chat template will wrap it."""

    role: Role
    content: str
