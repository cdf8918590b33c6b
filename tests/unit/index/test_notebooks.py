import json

import pytest

from commonplace.index.chunks import chunk_file
from commonplace.index.text import MAX_LINE, NotTextError, decode

PICTURE = "iVBORw0KGgo" * MAX_LINE


def notebook(*cells, indent=1):
    """Return a notebook of (type, source) cells as Jupyter writes it."""
    body = [
        {
            "cell_type": kind,
            **(
                {"execution_count": 1, "outputs": [{"data": {"image/png": PICTURE}}]}
                if kind == "code"
                else {}
            ),
            "metadata": {},
            "source": source.splitlines(keepends=True),
        }
        for kind, source in cells
    ]
    whole = {"cells": body, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4}
    return json.dumps(whole, indent=indent)


def test_cells_are_cut_as_the_code_and_prose_they_hold():
    text = notebook(
        ("markdown", "# Rates\n\nHow rates are fitted."),
        (
            "code",
            'import numpy\n\n\ndef fit(rows):\n    """Fit the rates."""\n    return rows + "\\n"\n',
        ),
    )
    language, chunks = chunk_file("a.ipynb", decode(text.encode()))
    assert language.name == "notebook"
    assert {chunk.symbol for chunk in chunks} >= {"Rates", "fit"}
    (fit,) = [chunk for chunk in chunks if chunk.symbol == "fit"]
    assert "Fit the rates" in fit.comments
    lines = text.split("\n")
    for chunk in chunks:
        assert chunk.text == "\n".join(lines[chunk.start_line - 1 : chunk.end_line])
        assert "iVBOR" not in chunk.text


def test_a_notebook_without_cells_holds_nothing():
    assert chunk_file("a.ipynb", notebook())[1] == []


def test_a_notebook_on_one_line_says_why_it_is_not_indexed():
    with pytest.raises(NotTextError, match="cells"):
        chunk_file("a.ipynb", decode(notebook(("code", "x = 1"), indent=None).encode()))


@pytest.mark.parametrize(
    "text", ["", "{}", "not json", '{"nbformat": 4', '{\n "cell_type": "code",\n "source": [\n']
)
def test_what_only_calls_itself_a_notebook_is_cut_like_any_text(text):
    chunks = chunk_file("a.ipynb", text)[1]
    assert all(chunk.text for chunk in chunks)
