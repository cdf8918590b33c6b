"""What the user allowed: whom the program may contact, and what for.

A grant is one purpose and one origin, written in the settings as
``"models https://host"``. Nothing is allowed that is not written there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import SplitResult, urlsplit

from commonplace.errors import UserError

DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Purpose(StrEnum):
    """Why something is contacted."""

    MODELS = "models"
    """Model files come from there; nothing of the user's goes there."""
    ENDPOINT = "endpoint"
    """Somebody else's engine answers there, so questions and passages go there."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port: what a user can recognise and allow."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Return the origin of `url`.

        Raises `UserError` for anything but a plain http or https address;
        names and passwords inside an address are refused, since they end up
        in logs and settings.
        """
        parts = split_url(url)
        host = parts.hostname or ""
        return cls(parts.scheme, host, parts.port or DEFAULT_PORTS[parts.scheme])

    def __str__(self) -> str:
        """Return the origin as an address, without a port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def loopback(self) -> bool:
        """Whether this is the user's own machine."""
        return self.host in _LOOPBACK

    @property
    def encrypted(self) -> bool:
        """Whether others on the way cannot read along."""
        return self.scheme == "https" or self.loopback


@dataclass(frozen=True, slots=True)
class Grant:
    """One thing the user allowed."""

    purpose: Purpose
    origin: Origin

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a grant as the settings hold it; raises `UserError`."""
        purpose, _, url = text.strip().partition(" ")
        try:
            return cls(Purpose(purpose), Origin.of(url.strip()))
        except ValueError:
            raise UserError(
                f"network.allowed has {text!r}.",
                f"Write one of {', '.join(Purpose)}, a space and an address, or remove it.",
            ) from None

    def __str__(self) -> str:
        """Return the grant as the settings hold it."""
        return f"{self.purpose} {self.origin}"

    def question(self) -> str:
        """Return what the user is asked before this is allowed."""
        if self.purpose is Purpose.MODELS:
            text = (
                f"Commonplace would contact {self.origin}, and the storage servers it refers to, "
                "to download the model files you choose. They see your network address and the "
                "name of the file. Nothing of your projects, questions or settings is sent."
            )
        else:
            text = (
                f"Commonplace would send your questions, the conversation, your notes and the "
                f"passages of your code that belong to a question to {self.origin}, which answers "
                "in place of the model on this machine. Whoever runs it can read and keep them."
            )
        if not self.origin.encrypted:
            text += " The connection is not encrypted: others on the network can read along."
        return text


def read_grants(texts: Iterable[str]) -> frozenset[Grant]:
    """Read the grants of the settings; raises `UserError` for a malformed one."""
    return frozenset(Grant.parse(text) for text in texts)


def split_url(url: str) -> SplitResult:
    """Split `url`, or raise `UserError` if it is no plain http or https address."""
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in DEFAULT_PORTS
            and bool(parts.hostname)
            and parts.username is None
            and parts.password is None
            and parts.port != 0
            and url.isascii()
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        usable = False
    if not usable:
        raise UserError(
            f"{url!r} is not a web address.", "Write it as https://host or https://host:port/path."
        )
    return parts
