"""The command line: what it promises to print, and its exit statuses."""

import json
import subprocess
import sys

import pytest

from commonplace.cli import asking, commands
from commonplace.engine.fake import FakeEngine
from commonplace.memory.project import Memory
from commonplace.settings import save

FILES = {
    "src/app.py": "def load_config(path):\n    '''Read the configuration.'''\n    return path\n",
    "README.md": "# App\n\nReads a configuration.\n",
}


@pytest.fixture
def project(make_project, state):
    save(state.settings_file, {"recall.embedder": "hash"})
    return make_project(FILES)


@pytest.fixture
def engine(monkeypatch, tmp_path):
    """Let a fake engine answer instead of a model."""
    model = tmp_path / "fake.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setattr(
        asking, "EngineSession", lambda *_: FakeEngine(["It reads the configuration [1]."])
    )
    return model


def run_json(capsys, *args):
    assert commands.run([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_index_reports_what_it_did(project, capsys):
    (project / "x.bin").write_bytes(b"\0\0")
    report = run_json(capsys, "index", str(project))
    assert report["files"] == 2
    assert report["chunks"] == report["vectors"] >= 2
    assert set(report["phases"]) == {"open", "read", "embed", "learn"}
    assert report["adapter"]["kept"] is False
    assert report["peak_rss_mb"] > 1
    assert report["skipped"] == [{"path": "x.bin", "reason": "binary"}]


def test_search_indexes_first_and_prints_results(project, capsys):
    found = run_json(capsys, "search", str(project), "load_config", "--limit", "1")
    (result,) = found["results"]
    assert result["path"] == "src/app.py"
    assert (result["start_line"], result["symbol"], result["kind"]) == (
        1,
        "load_config",
        "function",
    )
    assert result["reasons"]
    assert found["query"] == "load_config"


def test_queries_come_back_in_order_one_per_line(project, capsys, tmp_path):
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"query": "configuration", "x": 1}\n\n{"query": "load_config"}\n')
    assert commands.run(["search", str(project), "--queries", str(queries)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["query"] for line in lines] == ["configuration", "load_config"]


def test_ask_answers_with_citations(project, capsys, engine):
    answer = run_json(capsys, "ask", str(project), "what reads it?", "--model", str(engine))
    assert answer["answer"] == "It reads the configuration [1]."
    assert answer["citations"][0]["by"] == "model"
    assert set(answer["timings"]) == {
        "recall_ms", "first_token_ms", "total_ms", "prompt_tokens", "completion_tokens",
    }  # fmt: skip


def test_ask_for_people_streams_and_lists_sources(project, capsys, engine):
    assert commands.run(["ask", str(project), "what reads it?", "--model", str(engine)]) == 0
    out = capsys.readouterr().out
    assert out.count("It reads the configuration") == 1
    assert "[1]" in out


def asked(monkeypatch, answer="It reads the configuration [1]."):
    """Let a fake engine answer, and return what it was asked."""
    seen = []

    class Listening(FakeEngine):
        def complete(self, messages, *args, **kwargs):
            seen.append(messages[-1].content)
            return super().complete(messages, *args, **kwargs)

    monkeypatch.setattr(asking, "EngineSession", lambda *_: Listening([answer]))
    return seen


def test_a_command_is_a_template_around_the_words(project, engine, capsys, monkeypatch):
    seen = asked(monkeypatch)
    question = "/explain @src/app.py and @README.md"
    answer = run_json(capsys, "ask", str(project), question, "--model", str(engine))
    assert "Explain what this code does and why" in seen[0]
    assert "def load_config(path):" in seen[0]  # the mentioned files are read first, whole
    assert "Reads a configuration." in seen[0]
    assert {c["path"] for c in answer["citations"]} <= {"src/app.py", "README.md"}


def test_edit_gives_a_change_that_apply_writes(project, engine, capsys, monkeypatch, tmp_path):
    old = "    return path"
    change = "\n".join(
        ["FILE src/app.py", "<<<<<<< SEARCH", old, "=======", f"{old}.read()", ">>>>>>> REPLACE"]
    )
    asked(monkeypatch, change)
    question = ["ask", str(project), "/edit read it @src/app.py", "--model", str(engine)]
    assert commands.run(question) == 0
    told = capsys.readouterr()
    assert told.out.strip() == change  # nothing else, so that it can be piped on
    assert "src/app.py  +1 −1" in told.err
    assert (project / "src/app.py").read_text() == FILES["src/app.py"]
    answer = tmp_path / "answer.md"
    answer.write_text(told.out)
    assert commands.run(["apply", str(project), str(answer), "--yes"]) == 0
    assert "return path.read()" in (project / "src/app.py").read_text()
    capsys.readouterr()
    asked(monkeypatch, change)
    answered = run_json(capsys, *question)
    assert answered["changes"] == []
    assert answered["problems"]  # those lines are not in the file any more


def test_an_edit_without_a_change_says_so(project, engine, capsys, monkeypatch):
    asked(monkeypatch, "I would rather not.")
    assert commands.run(["ask", str(project), "/edit it", "--model", str(engine)]) == 0
    assert "no change that can be applied" in capsys.readouterr().err


def test_usages_needs_no_model(project, capsys):
    found = run_json(capsys, "ask", str(project), "/usages load_config")
    assert found["definitions"][0]["path"] == "src/app.py"


def test_a_note_is_mentioned_by_its_title(project, engine, capsys, monkeypatch):
    add = ["notes", "add", str(project), "--title", "Paths are absolute", "--text", "Always."]
    assert commands.run(add) == 0
    seen = asked(monkeypatch)
    question = '/explain @"note:Paths are absolute"'
    assert commands.run(["ask", str(project), question, "--model", str(engine)]) == 0
    assert "Always." in seen[0]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("/explain", "/explain has nothing to be about"),
        ("/explian it", "/explain is one"),
        ("/usages", "/usages needs a name"),
        ("/commit", "Staged changes need"),
    ],
)
def test_commands_that_cannot_be_obeyed_say_why(project, engine, capsys, question, says):
    assert commands.run(["ask", str(project), question, "--model", str(engine)]) == 1
    assert says in capsys.readouterr().err


def test_a_route_is_no_command(project, engine, capsys, monkeypatch):
    seen = asked(monkeypatch)
    question = "/api returns 404, why?"
    assert commands.run(["ask", str(project), question, "--model", str(engine)]) == 0
    assert question in seen[0]


def test_without_a_model_the_passages_are_the_answer(project, capsys, monkeypatch):
    monkeypatch.setattr(asking, "choose_model", lambda *_: None)
    answer = run_json(capsys, "ask", str(project), "load_config")
    assert answer["model"] == ""
    assert answer["citations"][0]["path"] == "src/app.py"


def test_a_project_open_elsewhere_can_still_be_searched(project, capsys, state):
    memory = Memory(project, state, embedder="hash")
    memory.refresh()
    found = run_json(capsys, "search", str(project), "load_config")
    assert found["results"][0]["path"] == "src/app.py"
    assert commands.run(["index", str(project)]) == 1
    assert "already open" in capsys.readouterr().err
    memory.close()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["index", "/nowhere/at/all"], "does not exist"),
        (["search", "PROJECT", " "], "empty"),
        (["ask", "PROJECT", ""], "empty"),
        (["ask", "PROJECT", "x", "--model", "/no/model.gguf"], "not there"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_remedy(project, capsys, args, says):
    assert commands.run([str(project) if a == "PROJECT" else a for a in args]) == 1
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "args", [["search", "."], ["search", ".", "q", "--limit", "0"], ["nonsense"], ["index"]]
)
def test_wrong_usage_is_status_two(args, capsys):
    assert commands.run(args) == 2
    assert capsys.readouterr().err


def test_a_bad_line_of_queries_is_named(project, capsys, tmp_path):
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"query": "a"}\nnot json\n')
    assert commands.run(["search", str(project), "--queries", str(queries)]) == 1
    assert "Line 2" in capsys.readouterr().err


def test_every_command_and_option_has_help():
    for command in commands.commands.commands.values():
        assert command.help
        for parameter in command.params:
            if parameter.name in {"queries", "model", "as_json"}:
                assert parameter.help


def test_doctor_says_what_works(capsys, monkeypatch, state):
    save(state.settings_file, {"recall.embedder": "none", "model.path": "/no/such.gguf"})
    report = run_json(capsys, "doctor")
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["window"]["good"], checks["window"]
    assert checks["state folders"]["good"]
    assert not checks["model"]["good"]
    assert checks["model"]["remedy"]


def test_a_question_that_will_not_wait_for_all_vectors_says_so(project, capsys, monkeypatch):
    monkeypatch.setattr(asking, "EMBED_SECONDS", -1.0)
    assert commands.run(["search", str(project), "load_config"]) == 0
    said = capsys.readouterr()
    assert "src/app.py" in said.out
    assert "have no vectors yet" in said.err


def test_a_broken_settings_file_stops_a_command_with_its_line(project, capsys, state):
    state.settings_file.write_text("[model\n")
    assert commands.run(["index", str(project)]) == 1
    assert "settings.toml" in capsys.readouterr().err


def test_commands_start_without_qt():
    """It would take longer to load than all else of a command that is done at once."""
    program = "import sys, commonplace.cli.commands; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
