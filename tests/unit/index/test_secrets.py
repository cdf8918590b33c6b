import pytest

from commonplace.index.entries import file_entries

# In two parts, so that this file does not look like what it describes.
PRIVATE = "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIEow\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env", "TOKEN=abc"),
        ("deploy/.env.production", "TOKEN=abc"),
        ("certs/server.key", "abc"),
        ("id_ed25519", "abc"),
        ("docs/setup.md", f"Paste this:\n\n{PRIVATE}"),
    ],
)
def test_secrets_are_left_out_with_the_reason(path, text):
    entries = file_entries(path, text.encode())
    assert not entries.chunks
    assert "secrets" in entries.reason or "private key" in entries.reason


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env.example", "TOKEN=\n"),
        ("env.py", "x = 1\n"),
        ("src/keys.py", "KEYS = {}\n"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nMIID\n"),
        ("scan.py", 'MARK = "-----BEGIN PRIVATE" + " KEY-----"\n'),
    ],
)
def test_what_only_speaks_of_secrets_is_indexed(path, text):
    assert file_entries(path, text.encode()).chunks
