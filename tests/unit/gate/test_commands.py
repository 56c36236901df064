"""`authbench gate` and `authbench calibrate` at the command line: one line for each mistake, and nothing started."""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from authbench import cli
from authbench.errors import StackError, UsageError
from authbench.gate import against, calibrate
from authbench.gate.against import GateOrder
from authbench.gate.calibrate import CalibrationOrder
from authbench.gate.calibration import Calibration
from authbench.gate.decision import Outcome, Plan
from authbench.gate.result import GateResult
from tests.unit.gate.made import FULL, MACHINE, calibrated_row, noisy_row, result, row


class Done(NamedTuple):
    """How the process would have ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def authbench(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
):
    """Runs a command line in an empty folder, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("defects")))  # what a defect is written to

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["authbench", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run


Run = Callable[..., Done]


@pytest.fixture
def gated(monkeypatch: pytest.MonkeyPatch) -> list[GateOrder]:
    """Orders that reached the gate, which finds FULL."""
    orders: list[GateOrder] = []

    def fake(order: GateOrder, watcher: object) -> GateResult:
        orders.append(order)
        return FULL

    monkeypatch.setattr(against, "gate_against", fake)
    return orders


@pytest.fixture
def calibrated(monkeypatch: pytest.MonkeyPatch) -> list[CalibrationOrder]:
    """Orders that reached the calibration."""
    orders: list[CalibrationOrder] = []

    def fake(order: CalibrationOrder, watcher: object) -> Calibration:
        orders.append(order)
        return Calibration(
            started_utc="2026-01-31T12:00:00+00:00",
            seconds=1.0,
            machine=MACHINE,
            versions={},
            git_commit=None,
            plan=Plan(),
            burden_turns={},
            rows=(calibrated_row("jwt-hs256"),),
        )

    monkeypatch.setattr(calibrate, "calibrate", fake)
    return orders


def said(done: Done) -> str:
    """What one clear line of wrong usage says."""
    assert done.code == 2, done
    assert len(done.err.strip().splitlines()) == 1
    assert done.err.startswith("authbench: ")
    assert done.out == ""
    return done.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "give --against REF or --baseline FILE, one of them"),
        (["--against", "main", "--baseline", "x"], "give --against REF or --baseline FILE, one of them"),
        (["--against", "main", "--result", "x"], "--result belongs to --baseline"),
        (["--against", "main", "--strategies", "jwt-hs265"], "no strategy 'jwt-hs265'; did you mean 'jwt-hs256'?"),
        (["--against", "main", "--strategies", "none,,none"], "no strategy ''"),
        (["--against", "main", "--limit", "cpu_ms=5%"], "--limit cpu_ms=5%: no metric 'cpu_ms'; did you mean"),
        (["--against", "main", "--limit", "jwt-row:cpu_ms_per_request=500%"], "500 %"),
        (["--against", "main", "--limit", "jwt-hs265:cpu_ms_per_request=5%"], "did you mean 'jwt-hs256'?"),
        (["--against", "main", "--max-regression", "5"], "--max-regression: '5' is 500 %"),
        (["--against", "main", "--max-regression", "nan"], "--max-regression: 'nan' is no share"),
        (["--against", "main", "--limits", "nowhere.toml"], "nowhere.toml: cannot read: No such file"),
        (["--against", "main", "--tiers", "0,3"], "--tiers 0,3: write some of 0,1,2"),
        (["--against", "main", "--tiers", ""], "--tiers : write some of 0,1,2"),
        (["--against", "main", "--tiers", "all"], "--tiers all: write some of 0,1,2"),
        (["--against", "main", "--tiers", "-1"], "--tiers -1: write some of 0,1,2"),
        (["--against", "main", "--minutes", "0"], "--minutes"),
        (["--against", "main", "--minutes", "long"], "--minutes"),
        (["--against", "main", "--seed", "-1"], "--seed"),
        (["--agianst", "main"], "--against"),
        (["--baseline", "nowhere"], "--baseline nowhere: there is no such file or folder"),
    ],
)
def test_a_mistake_at_the_gate_is_one_line_and_measures_nothing(
    authbench: Run, gated: list[GateOrder], tmp_path: Path, arguments: list[str], line: str
) -> None:
    assert line in said(authbench("gate", *arguments))
    assert gated == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["gate", "calibrate"])
def test_no_number_of_minutes_is_refused(
    authbench: Run, gated: list[GateOrder], calibrated: list[CalibrationOrder], command: str
) -> None:
    arguments = ["--against", "main"] if command == "gate" else []
    assert "--minutes" in said(authbench(command, *arguments, "--minutes", "nan"))


def test_a_folder_that_holds_a_gate_is_left_alone(authbench: Run, gated: list[GateOrder], tmp_path: Path) -> None:
    for name in ("gate.json", "windows.jsonl"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        (folder / name).write_text("before")
        line = said(authbench("gate", "--against", "main", "--out", str(folder)))
        assert f"--out {folder}: holds a gate already" in line.replace("\n", "")
        assert (folder / name).read_text() == "before"
    assert gated == []


def test_a_folder_that_cannot_be_made_is_one_line(authbench: Run, gated: list[GateOrder], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for where in ("file", "file/below"):
        assert f"--out {where}: cannot make it" in said(authbench("gate", "--against", "main", "--out", where))
    assert gated == []


def test_what_was_asked_for_reaches_the_gate(authbench: Run, gated: list[GateOrder], tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text('max_regression = "4%"\n')
    authbench(
        *("gate", "--against", "origin/main", "--strategies", "jwt-row,none,jwt-row", "--limits", "limits.toml"),
        *("--limit", "statements_per_request=1", "--limit", "none:cpu_ms_per_request=9%", "--tiers", "2,0"),
        *("--minutes", "12", "--keep-going", "--seed", "7", "--ledger", "l.jsonl", "--calibration", "c.json"),
        *("--out", "here"),
    )
    (order,) = gated
    assert (order.against, order.strategies, order.tiers) == ("origin/main", ("jwt-row", "none"), (0, 2))
    assert (order.minutes, order.keep_going, order.seed, order.folder) == (12.0, True, 7, Path("here"))
    assert (order.ledger, order.calibration) == (Path("l.jsonl"), Path("c.json"))
    assert order.limits.max_regression == 0.04
    assert order.limits.of("jwt-row", "statements_per_request").most == 1
    assert order.limits.of("none", "cpu_ms_per_request").most == 0.09


def test_what_is_not_asked_for_is_the_usual(authbench: Run, gated: list[GateOrder], tmp_path: Path) -> None:
    authbench("gate", "--against", "main")
    (order,) = gated
    assert (order.strategies, order.tiers, order.minutes) == (("session-db", "jwt-hs256"), (0, 1, 2), 5.0)
    assert (order.keep_going, order.seed, order.calibration) == (False, 1, None)
    assert order.ledger == Path("results/gate-ledger.jsonl")
    assert order.limits.max_regression == 0.03
    assert order.folder.parent == Path("results")
    assert order.folder.name.startswith("gate-2")


@pytest.mark.parametrize(("outcome", "code"), [("pass", 0), ("regression", 1), ("invalid", 3), ("inconclusive", 5)])
def test_the_exit_code_is_the_answer(
    authbench: Run, monkeypatch: pytest.MonkeyPatch, outcome: Outcome, code: int
) -> None:
    monkeypatch.setattr(against, "gate_against", lambda *_: result(row(), noisy_row(outcome)))
    done = authbench("gate", "--against", "main", "--out", "here")
    assert done.code == code
    assert f"{outcome}: " in done.out
    assert f"exit code {code}" in done.out


def test_everything_is_written_before_it_is_told(authbench: Run, gated: list[GateOrder], tmp_path: Path) -> None:
    done = authbench("gate", "--against", "main", "--out", "here")
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"gate.json", "gate.md", "junit.xml"}
    assert GateResult.model_validate_json((tmp_path / "here" / "gate.json").read_text()) == FULL
    assert "written: gate.json, gate.md, junit.xml in here" in done.out


def test_json_is_the_result_and_nothing_else(authbench: Run, gated: list[GateOrder]) -> None:
    done = authbench("gate", "--against", "main", "--out", "here", "--json", "--github")
    assert GateResult.model_validate_json(done.out) == FULL
    assert "::error" in done.err


def test_annotations_go_to_stdout_beside_the_table(authbench: Run, gated: list[GateOrder]) -> None:
    done = authbench("gate", "--against", "main", "--out", "here", "--github")
    assert [line for line in done.out.splitlines() if line.startswith("::error")]
    assert "::" not in done.err


def test_a_part_that_fails_is_told_with_its_last_lines(authbench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> GateResult:
        raise StackError("jwt-cand-1: ended", "ImportError: no such module")

    monkeypatch.setattr(against, "gate_against", failing)
    done = authbench("gate", "--against", "main", "--out", "here")
    assert done.code == 4
    assert "ImportError: no such module" in done.err


def test_a_commit_that_is_not_there_is_wrong_usage(authbench: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> GateResult:
        raise UsageError("--against nowhere: no such commit")

    monkeypatch.setattr(against, "gate_against", failing)
    assert "no such commit" in said(authbench("gate", "--against", "nowhere", "--out", "here"))


# Calibration


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--inject", "0%"], "--inject 0%: nothing would be injected"),
        (["--inject", "0"], "nothing would be injected"),
        (["--inject", "5"], "--inject: '5' is 500 %"),
        (["--inject", "many"], "--inject: 'many' is no share; write 5% or 0.05"),
        (["--inject", "-5%"], "--inject: '-5%' is no share"),
        (["--inject", "nan"], "is no share"),
        (["--inject", ""], "is no share"),
        (["--max-regression", "3"], "--max-regression: '3' is 300 %"),
        (["--strategies", "jwt-hs265"], "did you mean 'jwt-hs256'?"),
        (["--minutes", "0"], "--minutes"),
        (["--out", "taken.json"], "--out taken.json: is there already"),
        (["--out", "other.json"], "--out other.windows.jsonl: is there already"),
        (["--out", "taken.json/below.json"], "cannot make its folder"),
    ],
)
def test_a_mistake_at_calibration_is_one_line_and_measures_nothing(
    authbench: Run, calibrated: list[CalibrationOrder], tmp_path: Path, arguments: list[str], line: str
) -> None:
    for name in ("taken.json", "other.windows.jsonl"):
        (tmp_path / name).write_text("before")
    assert line in said(authbench("calibrate", *arguments))
    assert calibrated == []
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()} == {
        "taken.json": "before",
        "other.windows.jsonl": "before",
    }


@pytest.mark.parametrize("where", [".", "/", ""])
def test_a_path_without_a_name_is_one_line(authbench: Run, calibrated: list[CalibrationOrder], where: str) -> None:
    assert "--out" in said(authbench("calibrate", "--out", where))


def test_what_was_asked_for_reaches_the_calibration(authbench: Run, calibrated: list[CalibrationOrder]) -> None:
    done = authbench(
        *("calibrate", "--strategies", "jwt-row,none", "--minutes", "30", "--inject", "5%", "--max-regression", "4%"),
        *("--cpu-only", "--seed", "9", "--out", "deep/cal.json"),
    )
    assert done.code == 0
    (order,) = calibrated
    assert [each.name for each in order.strategies] == ["jwt-row", "none"]
    assert (order.minutes, order.inject, order.margin, order.exact, order.seed) == (30.0, 0.05, 0.04, False, 9)
    assert order.windows == Path("deep/cal.windows.jsonl")
    assert order.plan == Plan()
    assert "authbenchgate--calibrationdeep/cal.json" in "".join(done.out.split())  # wherever the line was broken


def test_what_is_not_asked_for_at_calibration_is_the_usual(authbench: Run, calibrated: list[CalibrationOrder]) -> None:
    authbench("calibrate")
    (order,) = calibrated
    assert [each.name for each in order.strategies] == ["session-db", "jwt-hs256"]
    assert (order.minutes, order.inject, order.margin, order.exact) == (20.0, None, 0.03, True)
    assert order.windows.parent == Path("results")


def test_what_calibration_writes_is_what_the_gate_quotes(
    authbench: Run, calibrated: list[CalibrationOrder], tmp_path: Path
) -> None:
    from authbench.gate.quoted import quote

    done = authbench("calibrate", "--out", "cal.json", "--json")
    assert [each["strategy"] for each in json.loads(done.out)] == ["jwt-hs256"]
    (quoted,) = quote(tmp_path / "cal.json", ["jwt-hs256", "session-db"])
    assert (quoted.strategy, quoted.smallest_change_found) == ("jwt-hs256", 0.044)
    assert Calibration.model_validate_json((tmp_path / "cal.json").read_text()).plan == Plan()
