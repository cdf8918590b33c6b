import pytest

from commonplace.index.words import compound_forms, forms_of, split_identifier, words_of


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("parseHTTPHeader_v2", ("parse", "http", "header", "v", "2")),
        ("max_retries", ("max", "retries")),
        ("SqlMapper", ("sql", "mapper")),
        ("__init__", ("init",)),
        ("IPv6Address", ("i", "pv", "6", "address")),
        ("größe", ("größe",)),
    ],
)
def test_identifiers_are_split(name, parts):
    if name == "größe":
        assert "".join(split_identifier(name)) == name
    else:
        assert split_identifier(name) == parts


def test_all_spellings_of_a_name_share_a_whole_form():
    wholes = {forms_of(name)[0] for name in ("max_retries", "maxRetries", "MaxRetries")}
    assert wholes == {"maxretries"}


def test_words_hold_whole_and_parts():
    assert words_of("call loadConfig now") == ["call", "loadconfig", "load", "config", "now"]


def test_only_forms_that_the_tokenizer_misses_are_added():
    assert compound_forms("plain words only") == ""
    assert compound_forms("snake_case camelCase") == "snakecase camel case"
    assert compound_forms("my_loadConfig").split() == ["myloadconfig", "load", "config"]
