"""What the figures are said to mean, and the page, the charts and the tables made of them."""

import csv
import dataclasses
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.errors import StorageError
from commonplace.measure.charts import Bar, bars, curve, safe, saves, standalone
from commonplace.measure.comparing import chosen, compared
from commonplace.measure.figures import charts
from commonplace.measure.report import page, write_report
from commonplace.measure.results import (
    Asked,
    Estimate,
    Freshness,
    Layer,
    Place,
    Point,
    Recall,
    Result,
    Scored,
    Touch,
)
from commonplace.measure.tables import as_csv, tables, write_tables
from commonplace.measure.verdicts import verdicts

EXAMPLE = Result.from_json(Path(__file__).with_name("example.json").read_text(encoding="utf-8"))
ATTACK = "<script>alert(1)</script>\"'&\x00\ud800"
VOID = {"meta", "br", "hr"}


def layer(low, high, n=40, changed=40):
    middle = Estimate((low + high) / 2, low, high)
    return Layer("recall", n=n, tokens=n * 10, changed=changed, gain=middle, exact_gain=middle)


BASE = Layer("base", n=40, tokens=400, changed=40)


def verdict_on(some):
    found = {v.subject: v for v in verdicts([BASE, some], [], Freshness())}
    return found[some.name]


@pytest.mark.parametrize(
    ("some", "outcome", "said"),
    [
        (layer(0.1, 0.3), "helps", "helps the model here"),
        (layer(-0.3, -0.1), "hurts", "does not help the model here, it hurts"),
        (layer(-0.1, 0.3), "unsure", "does not measurably help"),
        (layer(0.0, 0.3), "unsure", "does not measurably help"),
        (layer(0.1, 0.3, n=4, changed=4), "unsure", "does not measurably help"),
        (layer(0.0, 0.0, changed=0), "unsure", "had nothing to say"),
        (Layer("adapter", reason="None is there."), "missing", "not measured. None is there."),
    ],
)
def test_a_layer_is_said_to_help_only_where_the_interval_says_so(some, outcome, said):
    verdict = verdict_on(some)
    assert verdict.outcome == outcome
    assert said in verdict.sentence


def test_next_lines_are_told_where_they_differ():
    assert "More next lines" in verdict_on(layer(0.1, 0.3)).sentence
    assert "Fewer next lines" in verdict_on(layer(-0.3, -0.1)).sentence
    assert "next lines" not in verdict_on(layer(-0.1, 0.3)).sentence


@pytest.mark.parametrize(
    ("gain", "outcome"),
    [((0.1, 0.2, 0.3), "helps"), ((-0.1, 0.0, 0.1), "unsure"), ((-0.3, -0.2, -0.1), "hurts")],
)
def test_recall_is_held_against_each_alternative(gain, outcome):
    middle, low, high = gain[1], gain[0], gain[2]
    some = Estimate(0.5, 0.4, 0.6)
    rows = [
        Recall("notes", "recall", 10, some, some, some, some),
        Recall("notes", "grep", 10, some, some, some, some, Estimate(middle, low, high)),
    ]
    (verdict, fresh) = verdicts([], rows, Freshness())
    assert verdict.outcome == outcome
    assert "grep" in verdict.sentence
    assert "which are few" in verdict.sentence
    assert fresh.outcome == "missing"


def test_freshness_is_told_and_what_was_not_found():
    good = Freshness((Touch(0.0, "new", 0.4),), 0.4, 0.4)
    assert verdicts([], [], good)[0].outcome == "helps"
    lost = Freshness((Touch(0.0, "new", 0.4), Touch(1.0, "edited", 20.0, found=False)), 0.4, 20.0)
    assert verdicts([], [], lost)[0].outcome == "hurts"


class Page(HTMLParser):
    """Checks that tags are closed in order, and keeps what a page must not have."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = []
        self.attributes = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(text):
    parsed = Page()
    parsed.feed(text)
    parsed.close()
    assert parsed.open == []
    return parsed


def attacked():
    """Return the example with an attack in every text that comes from a project."""
    asked = Asked("documentation", ATTACK, (ATTACK,), ("recall", "grep"), (0, 1))
    place = Place(ATTACK, 1, 5, (Scored("base", 1.0, 1, exact=False, similarity=0.0),))
    return dataclasses.replace(
        EXAMPLE,
        project=ATTACK, model=ATTACK, commit=ATTACK, embedder=ATTACK, machine=ATTACK, date=ATTACK,
        verdicts=tuple(dataclasses.replace(v, subject=ATTACK, sentence=ATTACK)
                       for v in EXAMPLE.verdicts),
        layers=tuple(dataclasses.replace(row, name=row.name + ATTACK) for row in EXAMPLE.layers),
        recall=tuple(dataclasses.replace(row, source=ATTACK) for row in EXAMPLE.recall),
        speed=tuple(dataclasses.replace(s, name=ATTACK, unit=ATTACK) for s in EXAMPLE.speed),
        freshness=Freshness((Touch(0.0, ATTACK, 1.0),), 1.0, 1.0),
        left_out=(ATTACK,), asked=(asked,), places=(place,),
    )  # fmt: skip


@pytest.mark.parametrize("result", [EXAMPLE, attacked()], ids=["example", "attack"])
def test_the_page_is_whole_and_runs_and_fetches_nothing(result):
    text = page(result, result)
    parsed = read(text)
    assert not {"script", "link", "img", "iframe", "form", "object", "a"} & set(parsed.tags)
    names = {name for name, _ in parsed.attributes}
    assert not {n for n in names if n.startswith("on")} | names & {"src", "href", "action"}
    assert "<script" not in text.lower()
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text
    text.encode("utf-8")


def test_the_page_says_what_was_found(tmp_path):
    path = tmp_path / "folder" / "report.html"
    write_report(EXAMPLE, path)
    text = path.read_text(encoding="utf-8")
    for verdict in EXAMPLE.verdicts:
        assert verdict.sentence in text
    assert EXAMPLE.left_out[0] in text
    assert "prefers-color-scheme:dark" in text
    assert "seed 1" in text


@pytest.mark.parametrize(
    "fields",
    [("layers",), ("recall", "asked"), ("freshness",), ("speed",), ("curve",), ("verdicts",)],
)
def test_the_page_does_without_what_was_not_measured(fields):
    bare = {"layers": (), "recall": (), "asked": (), "speed": (), "curve": (), "verdicts": ()}
    empty = Result(date="", project="p", model="", seed=1)
    for result in (
        dataclasses.replace(EXAMPLE, **{f: bare.get(f, Freshness()) for f in fields}),
        dataclasses.replace(empty, **{f: getattr(EXAMPLE, f) for f in fields}),
    ):
        read(page(result))
        tables(result)


def test_a_page_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        write_report(EXAMPLE, tmp_path / "file" / "report.html")
    assert caught.value.remedy


@pytest.mark.parametrize("result", [EXAMPLE, attacked()], ids=["example", "attack"])
def test_charts_are_whole_files(result):
    drawn = charts(result)
    assert {"perplexity", "gains", "similarity", "freshness"} <= set(drawn)
    for svg in drawn.values():
        ET.fromstring(standalone(svg))
        assert "NaN" not in svg
        assert "nan" not in svg


estimates = st.tuples(*[st.floats(-1e6, 1e6) for _ in range(3)]).map(
    lambda v: Estimate(sorted(v)[1], min(v), max(v))
)


@given(st.lists(estimates, min_size=1, max_size=5))
def test_bars_stay_on_their_page(values):
    svg = bars("t", [Bar("label", value, "shown") for value in values])
    ET.fromstring(svg)
    for x in map(float, re.findall(r'(?:x|x1|x2)="(-?[\d.]+)"', svg)):
        assert 0 <= x <= 720


def test_odd_charts_are_drawn_too():
    ET.fromstring(saves("t", []))
    ET.fromstring(saves("t", [Touch(0.0, "new", 0.0)]))
    ET.fromstring(curve("t", [Point(0, 1.0), Point(0, 1.0, 1.0)]))


def test_text_is_safe_in_a_page():
    assert safe(ATTACK) == (
        "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;\ufffd?"
    )  # fmt: skip


def test_tables_hold_every_figure(tmp_path):
    written = {path.name for path in write_tables(EXAMPLE, tmp_path / "csv")}
    assert {"layers.csv", "recall.csv", "freshness.csv", "verdicts.csv", "places.csv"} <= written
    rows = list(csv.DictReader((tmp_path / "csv" / "layers.csv").read_text("utf-8").splitlines()))
    first = EXAMPLE.layers[0].perplexity
    assert first is not None
    assert float(rows[0]["perplexity_low"]) == first.low
    assert len(rows) == len(EXAMPLE.layers)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_becomes_a_formula(text):
    (row,) = csv.reader(io.StringIO(as_csv([(text, -1.5, "plain")]), newline=""))
    assert row[0].startswith("'")
    assert row[1:] == ["-1.5", "plain"]


def test_odd_text_can_be_written(tmp_path):
    write_tables(attacked(), tmp_path)


def test_the_same_result_differs_from_itself_in_nothing():
    comparison = compared(EXAMPLE, EXAMPLE)
    paired = [row for row in comparison.rows if row.n]
    assert paired
    for row in paired:
        assert row.difference is not None
        assert row.difference.value == 0
        assert row.outcome == "unsure"


def test_fewer_bits_are_better_and_other_places_are_not_paired():
    def measured(nll, path="a.py"):
        some = Estimate(1.0, 0.9, 1.1)
        row = Layer("base", 20, 200, 20, some, some, some, some)
        scores = (Scored("base", nll, 10, exact=False, similarity=0.5),)
        places = tuple(Place(path, n, 100, scores) for n in range(20))
        return dataclasses.replace(EXAMPLE, layers=(row,), places=places, recall=(), asked=())

    def bits(old, new):
        return next(row for row in compared(old, new).rows if row.figure == "bits")

    assert bits(measured(20.0), measured(10.0)).outcome == "helps"
    assert bits(measured(10.0), measured(20.0)).outcome == "hurts"
    assert bits(measured(10.0), measured(20.0, "b.py")).n == 0


def test_another_model_on_the_same_memory_is_compared_first():
    def some(model, memory):
        return dataclasses.replace(EXAMPLE, identity=model, memory=memory)

    newest, other, same = some("new", "m"), some("old", "n"), some("old", "m")
    assert chosen([newest, some("new", "m"), other, same]) == (same, newest)
    assert chosen([newest, some("new", "x"), other]) == (other, newest)
    assert chosen([newest, newest]) == (newest, newest)
    assert chosen([newest]) is None
    assert compared(same, newest).same_memory
    assert not compared(other, newest).same_memory
