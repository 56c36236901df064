"""`authbench compare` as a user meets it, on result folders of made-up runs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from authbench.analysis.across import across
from authbench.cli import app
from authbench.errors import AuthbenchError, InvalidRunError, UsageError
from authbench.records import Manifest
from authbench.terminal import out
from reports.across import cases
from tests.unit.analysis.synthetic import TRUTHS, World, make
from tests.unit.reports.folder import hostile_world, write, written

FEW = tuple(truth for truth in TRUTHS if truth.name in ("none", "session-db", "jwt-hs256", "jwt-row"))
OLD = World(truths=FEW, launches=6, seed=7)
NEW = World(truths=FEW, launches=6, seed=8)
SLOWER = World(truths=FEW, launches=6, seed=8, factors={"jwt-row": 1.3})


def compare(*arguments: object, width: int = 120) -> Result:
    """The command in this process, at that many columns."""
    before, out.width = out.width, width
    try:
        return CliRunner().invoke(app, ["compare", *map(str, arguments)])
    finally:
        out.width = before


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    yield written(tmp_path / "old", OLD), written(tmp_path / "new", SLOWER)


def refused(*arguments: object) -> AuthbenchError:
    done = compare(*arguments)
    assert isinstance(done.exception, AuthbenchError), done.output
    assert "\n" not in str(done.exception)
    return done.exception


def edited(folder: Path, **changes: object) -> Path:
    """The folder with other values in its manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder


def test_it_prints_a_verdict_a_metric(folders: tuple[Path, Path]) -> None:
    done = compare(*folders)

    assert done.exit_code == 0, done.output
    assert "seconds are compared" in done.output
    for told in ("CPU a request, whole stack, ms, saturate", "latency p50", "database connections, peak", "worse"):
        assert told in done.output
    assert "not-alternated" in done.output


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_cut(folders: tuple[Path, Path], width: int) -> None:
    done = compare(*folders, "--all", width=width)

    assert max(map(len, done.output.splitlines())) <= width
    assert "…" not in done.output
    assert "1.3" in done.output


def test_all_compares_every_metric_and_says_what_is_the_same(folders: tuple[Path, Path]) -> None:
    done = compare(*folders, "--all")

    assert "right answers a second, saturated" in done.output
    assert "equivalent, the same count in every trial of every strategy: " in done.output
    assert "right answers a second, saturated" not in compare(*folders).output


def test_several_new_ones_each_get_a_part(folders: tuple[Path, Path], tmp_path: Path) -> None:
    again = written(tmp_path / "again", NEW)
    told = json.loads(compare(*folders, again, "--json").stdout)

    assert told["old"] == str(folders[0])
    assert [each["new"] for each in told["comparisons"]] == [str(folders[1]), str(again)]
    verdicts = [
        {each["strategy"]: each["verdict"]["word"] for each in part["changes"] if each["metric"].startswith("cpu")}
        for part in told["comparisons"]
    ]
    assert verdicts[0]["jwt-row"] == "worse"
    assert verdicts[1]["jwt-row"] != "worse"


def test_of_another_machine_only_ratios_and_counts(folders: tuple[Path, Path]) -> None:
    machine = json.loads((folders[1] / "manifest.json").read_text())["machine"]
    done = compare(folders[0], edited(folders[1], machine={**machine, "cpu_model": "Another CPU"}))

    assert "ratios and counts are compared" in done.output
    assert "times the control, saturate" in done.output
    assert "machine.cpu_model: Example CPU at 2.4 GHz, then Another CPU [runs-differ]" in done.output
    assert ", ms," not in done.output
    assert "worse" in done.output


def test_annotations_for_github(folders: tuple[Path, Path]) -> None:
    done = compare(*folders, "--github")

    assert "::error title=jwt-row%3A CPU a request%2C whole stack at saturate%3A failed" in done.output
    assert "::" not in compare(*folders).output


def test_a_worse_metric_is_a_failed_case() -> None:
    (found,) = across([make(OLD)[:2], make(SLOWER)[:2]])
    failed = [case.name for case in cases("new", found) if case.outcome == "failed"]

    assert "jwt-row: CPU a request, whole stack at saturate" in failed
    assert len({(case.suite, case.name) for case in cases("new", found)}) == len(found.changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema_version": 99}, "schema 99"),
        ({"scenario": {"stack": {"workers": 9}}}, "stack.workers differs (1 and 9)"),
        ({"settings": {}}, "settings.gunicorn.threads differs"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    folders: tuple[Path, Path], changes: Mapping[str, object], said: str
) -> None:
    error = refused(folders[0], edited(folders[1], **changes))

    assert isinstance(error, UsageError)
    assert said in str(error)
    assert str(folders[1]) in str(error)


def test_where_one_of_several_cannot_be_compared_the_others_are(folders: tuple[Path, Path], tmp_path: Path) -> None:
    other = edited(written(tmp_path / "other", NEW), settings={})
    done = compare(*folders, other)

    assert done.exit_code == 0, done.output
    assert "✗ not compared: settings." in done.output
    assert "worse" in done.output


def test_folders_that_are_none(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    assert "two result folders" in str(refused(folders[0]))
    assert "named twice" in str(refused(folders[0], folders[0]))
    assert "no manifest.json" in str(refused(folders[0], tmp_path / "nowhere"))
    assert "holds no trial" in str(refused(folders[0], write(tmp_path / "empty", make(OLD)[0], ())))


def test_trials_of_a_newer_schema_are_refused(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    path = folders[1] / "trials.jsonl"
    path.write_text(path.read_text().replace('"schema_version":1', '"schema_version":2', 1))

    assert "schema 2" in str(refused(*folders))


def test_a_torn_record_is_left_out_and_told(folders: tuple[Path, Path]) -> None:
    path = folders[1] / "trials.jsonl"
    path.write_text(path.read_text()[:-100])
    done = compare(*folders)

    assert done.exit_code == 0, done.output
    assert "torn-record" in done.output
    assert "torn-record" not in compare(folders[1], folders[0]).output.split("beside")[0]


def test_a_run_without_a_valid_trial_is_invalid(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    names = frozenset(truth.name for truth in FEW)
    bad = written(tmp_path / "bad", World(truths=FEW, launches=2, loads=("saturate",), stuck=names))
    error = refused(folders[0], bad)

    assert isinstance(error, InvalidRunError)
    assert "none of its 16 trials is valid (steal)" in str(error)


def test_where_every_verdict_is_invalid_the_table_is_printed_and_the_exit_is_3(tmp_path: Path) -> None:
    """Each run has something valid, and no cell that is valid in both."""
    loads = ("saturate",)
    two = tuple(truth for truth in FEW if truth.name in ("none", "session-db"))
    old = written(tmp_path / "a", World(truths=two, launches=3, loads=loads, stuck=frozenset({"none"})))
    new = written(tmp_path / "b", World(truths=two, launches=3, loads=loads, stuck=frozenset({"session-db"})))
    done = compare(old, new)

    assert isinstance(done.exception, InvalidRunError)
    assert "none: invalid, no valid trial in OLD" in done.output


def test_hostile_names_do_nothing(tmp_path: Path) -> None:
    manifest, trials, _ = make(hostile_world())
    rude = Manifest.model_validate({**manifest.model_dump(), "versions": {"[red]x[/red]\x1b[31m": "\x1b[0m"}})
    done = compare(write(tmp_path / "a", manifest, trials), write(tmp_path / "b", rude, trials))

    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output
    assert "[red]x" in done.output
