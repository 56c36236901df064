"""Windows, rows and results made by hand for the tests of the gate."""

import math
import subprocess
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from authbench.gate.arms import ArmName
from authbench.gate.calibration import CalibrationRow
from authbench.gate.counts import ENDPOINTS
from authbench.gate.decision import Outcome, bounds
from authbench.gate.result import GateResult, GateRow, Ledger, Quoted, Side, Twin
from authbench.gate.windows import Window
from authbench.records import Machine

CPU = "cpu_ms_per_request"
MACHINE = Machine(
    cpu_model="made up",
    cores=2,
    memory_bytes=1,
    kernel="0",
    system="none",
    python="3.11",
    hypervisor=None,
    pinning="none",
)
QUOTED = Quoted(
    path="calibration.json",
    strategy="jwt",
    metric=CPU,
    false_alarm_rate=0.005,
    false_alarm_interval=(0.0, 0.049),
    injected=0.05,
    found_rate=0.975,
    found_interval=(0.9, 1.0),
    smallest_change_found=0.043,
)


def window(
    arm: ArmName = "base",
    ms: float = 1.0,
    *,
    strategy: str = "jwt",
    stage: int = 1,
    launch: int = 0,
    turn: int = 0,
    requests: int = 100,
    ok: int | None = None,
) -> Window:
    """A window whose requests cost `ms` of CPU each, a quarter of it in the database."""
    ok = requests if ok is None else ok
    cpu_s = ms * max(ok, 1) / 1000
    return Window(
        stage=stage,
        launch=launch,
        round=turn,
        position=0,
        strategy=strategy,
        arm=arm,
        requests=requests,
        ok=ok,
        window_s=0.08,
        cpu_s={"app": 0.75 * cpu_s, "db": 0.25 * cpu_s},
        steal_share=0.0,
    )


def launched(
    cand: float, twin: float = 0.0, *, strategy: str = "jwt", stage: int = 1, launch: int = 0, rounds: int = 1
) -> list[Window]:
    """A launch whose log ratios are exactly these: of the candidate to the mean of base and twin, of twin to base."""
    costs: Mapping[ArmName, float] = {"base": 0.0, "twin": twin, "cand": cand + twin / 2}
    return [
        window(arm, math.exp(log), strategy=strategy, stage=stage, launch=launch, turn=turn)
        for turn in range(rounds)
        for arm, log in costs.items()
    ]


def row(outcome: Outcome = "pass", **other: Any) -> GateRow:
    """A row on statements, which says that outcome."""
    told: dict[str, Any] = {
        "tier": 0,
        "strategy": "jwt",
        "endpoint": "whoami",
        "metric": "statements_per_request",
        "unit": "statements",
        "base": 2,
        "candidate": 2,
        "limit": "+0",
        "why": "as before",
    }
    return GateRow(outcome=outcome, **{**told, **other})


def noisy_row(outcome: Outcome = "pass", **other: Any) -> GateRow:
    """A row on CPU, which says that outcome."""
    told: dict[str, Any] = {
        "tier": 2,
        "metric": CPU,
        "unit": "ms",
        "base": 1.0,
        "candidate": 1.051,
        "ratio": 1.051,
        "interval": (1.04, 1.062),
        "launches": 18,
        "limit": "+3 %",
        "why": "both stages lie above +3 %",
    }
    return row(outcome, **{**told, **other})


def twin(outcome: Outcome = "pass", logs: Sequence[float] = (0.0, 0.001, -0.001)) -> Twin:
    """The base against itself."""
    return Twin(strategy="jwt", metric=CPU, outcome=outcome, bounds=bounds(logs))


def result(*rows: GateRow, **other: Any) -> GateResult:
    """A gate that found these rows."""
    told: dict[str, Any] = {
        "way": "against",
        "started_utc": "2026-01-31T12:00:00+00:00",
        "seconds": 61.4,
        "base": Side(told="main (123456789)", commit="123456789"),
        "candidate": Side(told="HEAD (abcdef012)", commit="abcdef012"),
        "machine": MACHINE,
        "tiers": sorted({each.tier for each in rows}),
    }
    return GateResult(rows=rows, **{**told, **other})


FULL = result(
    row(),
    row("regression", metric="cache_commands_per_request", unit="commands", base=0, candidate=1, why="+1 commands"),
    row("not compared", metric="answer_bytes", unit="bytes", base=None, why="the base has no figure"),
    noisy_row(),
    noisy_row("inconclusive", strategy="session-db"),
    twins=(twin(), twin("inconclusive", [0.01])),
    ledger=Ledger(path="ledger.jsonl", alarms=0, twins=60, upper=0.049),
    calibration=(QUOTED,),
    notes=("tier 1 was left out: valgrind is not installed",),
)


def calibrated_row(strategy: str, metric: str = CPU, **other: Any) -> CalibrationRow:
    """A row of a calibration with an injection of 5 %."""
    told: dict[str, Any] = {
        "strategy": strategy,
        "metric": metric,
        "tier": 2,
        "margin": 0.03,
        "pairs": 40,
        "seconds": 400.0,
        "false_alarm_rate": 0.0,
        "false_alarm_interval": (0.0, 0.2),
        "passed_rate": 0.9,
        "injected": 0.05,
        "injected_measured": (0.051, 0.047, 0.055),
        "found_rate": 0.98,
        "found_interval": (0.8, 1.0),
        "independent_verdicts": 3,
        "seconds_per_verdict": 130.0,
        "smallest_change_found": 0.044,
    }
    return CalibrationRow(**{**told, **other})


def operations(**changes: Any) -> dict[str, Any]:
    """What `manage.py operations` prints, with these changes at whoami."""
    seen = {
        "status": 200,
        "sql": ["SELECT a", "SELECT b"],
        "transactions": 2,
        "cache": ["GET"],
        "connections": 1,
        "cache_connections": 0,
        "answer_bytes": 300,
        "calls": 1000,
        "bytecodes": 20_000,
    }
    endpoints: dict[str, Any] = {name: deepcopy(seen) for name in ENDPOINTS}
    endpoints["whoami"] |= changes
    return {"strategy": "jwt", "credential_bytes": 210, "endpoints": endpoints}


def git(folder: Path, *arguments: str) -> str:
    """What git says, with nobody's settings but these."""
    command = ("git", "-C", str(folder), "-c", "user.name=nobody", "-c", "user.email=nobody@localhost", *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A repository with one commit that holds these files, its branch `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    write(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=first")
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Writes files below the folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
