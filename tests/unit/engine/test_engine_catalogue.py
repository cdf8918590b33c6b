from __future__ import annotations

import pytest

from commonplace.engine.catalogue import read_catalogue
from commonplace.errors import DefectError, UserError
from commonplace.network.grants import Origin


def test_the_catalogue_is_whole_and_says_what_matters():
    catalogue = read_catalogue()
    parameters = [model.parameters for model in catalogue.models]
    assert parameters == sorted(parameters)
    assert min(parameters) < 600_000_000
    assert max(parameters) > 30_000_000_000
    assert Origin.of(catalogue.address).scheme == "https"
    for model in catalogue.models:
        assert model.licence
        assert model.note
        assert model.chat or model.fim
        assert model.commercial == "yes" or model.licence_note
        assert not model.size or model.memory > model.size
        assert not model.exact or model.size
        assert all(score.source for score in model.scores)
        assert model.commercial != "yes" or model.licence in {"Apache-2.0", "MIT"}


def test_addresses_are_built_below_the_hub_or_a_mirror():
    catalogue = read_catalogue()
    model = catalogue.find("qwen2.5-coder-7b")
    assert catalogue.url(model).startswith(f"{catalogue.address}/{model.repository}/")
    assert catalogue.url(model).endswith(model.file)
    assert catalogue.url(model, "http://localhost:8/m/").startswith("http://localhost:8/m/bart")
    with pytest.raises(UserError, match="not downloaded"):
        catalogue.url(catalogue.find("smollm2-135m"))
    with pytest.raises(UserError) as caught:
        catalogue.find("gpt-9")
    assert "qwen2.5-coder-7b" in caught.value.remedy


def test_what_is_not_known_is_said():
    catalogue = read_catalogue()
    assert "No checksum" in catalogue.find("qwen2.5-coder-0.5b").checks_line
    assert "SHA-256" in catalogue.find("qwen2.5-coder-7b").checks_line
    assert "NOT for commercial use" in catalogue.find("codestral-22b").licence_line


ENTRY = """
[hub]
address = "https://x"
path = "{repository}/{file}"
[[model]]
id = "a"
name = "A"
parameters = 1
quantisation = "Q"
repository = "o/r"
file = "FILE"
size = 1
sha256 = "SUM"
licence = "MIT"
commercial = "COMMERCIAL"
context = 1
chat = true
fim = false
memory = 1
note = "n"
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FILE", "../a.gguf"),
        ("FILE", "a.exe"),
        ("SUM", "abc"),
        ("COMMERCIAL", "perhaps"),
        ("size = 1", 'size = "1"'),
        ("chat = true", ""),
        ('note = "n"', 'note = "n"\nunknown = 1'),
        ("[hub]", "[hub"),
        ('"o/r"', '"o/../../r"'),
    ],
)
def test_a_wrong_catalogue_is_a_defect(tmp_path, old, new):
    sound = {"FILE": "a.gguf", "SUM": "", "COMMERCIAL": "yes"}
    text = ENTRY.replace(old, new)
    for key, value in sound.items():
        text = text.replace(key, value)
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(DefectError):
        read_catalogue(path)
