"""Files that hold secrets: they are left out, so that no prompt can ever quote them."""

from __future__ import annotations

import re

from commonplace.index.text import NotTextError

ENVIRONMENT = re.compile(r"^\.env(?:rc)?(?:\.(?!example|sample|template|test|dist|defaults?)\w+)*$")
KEYS = re.compile(
    r"^(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.netrc|_netrc|\.pgpass|\.pypirc|\.htpasswd|\.git-credentials"
    r"|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ovpn))$",
    re.IGNORECASE,
)
PRIVATE_KEY = re.compile(r"^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----$", re.MULTILINE)
HEAD = 1 << 16


def refuse_secrets(path: str, text: str) -> None:
    """Raise `NotTextError` with the reason if a file holds what must not be quoted.

    A file of keys is known by its name, unless it says openly that it is public.
    """
    name = path.rpartition("/")[2]
    if ENVIRONMENT.match(name):
        raise NotTextError("may hold secrets (an environment file)")
    if PRIVATE_KEY.search(text[:HEAD]):
        raise NotTextError("holds a private key")
    public = "PUBLIC KEY-----" in text[:HEAD] or "BEGIN CERTIFICATE-----" in text[:HEAD]
    if KEYS.match(name) and not public:
        raise NotTextError("may hold secrets (a file of keys or passwords)")
