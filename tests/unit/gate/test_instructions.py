"""Instructions of both builds, from a Callgrind that only counts on paper. No valgrind is run."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from authbench.errors import StackError
from authbench.gate import instructions
from authbench.gate.arms import ARMS, Arms
from authbench.gate.instructions import ENDPOINTS, PASSES, REQUESTS, count_instructions, instruction_rows, unavailable
from authbench.gate.limits import Limit, Limits
from authbench.gate.result import GateRow

ARM = tuple(Arms(name, {arm: SimpleNamespace(name=f"{name}-{arm}") for arm in ARMS}) for name in ("jwt", "db"))  # type: ignore[misc]


def rows_of(
    monkeypatch: pytest.MonkeyPatch, counts: dict[str, dict[str, float] | str], limits: Limits | None = None
) -> list[GateRow]:
    def counted(stack: object, variant: str) -> dict[str, float]:
        found = counts.get(variant, dict.fromkeys(ENDPOINTS, 1e6))
        if isinstance(found, str):
            raise StackError(found)
        return found

    monkeypatch.setattr(instructions, "count_instructions", counted)
    return instruction_rows(SimpleNamespace(), ARM, limits or Limits())  # type: ignore[arg-type]


def test_every_strategy_and_endpoint_has_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(monkeypatch, {})
    assert [(row.strategy, row.endpoint) for row in rows] == [(s, e) for s in ("jwt", "db") for e in ENDPOINTS]
    assert {(row.tier, row.metric, row.unit, row.limit) for row in rows} == {
        (1, "instructions_per_request", "instructions", "+3 %")
    }
    assert {(row.outcome, row.why, row.ratio) for row in rows} == {("pass", "+0.00 %", 1.0)}


def test_more_than_the_margin_is_a_regression_and_less_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"jwt-cand": {"whoami": 1.031e6, "orders": 1.029e6}, "db-cand": {"whoami": 0.5e6, "orders": 1e6}}
    more, within, less, _ = rows_of(monkeypatch, counts)  # type: ignore[arg-type]
    assert (more.outcome, more.why) == ("regression", "+3.10 %, over +3 %")
    assert (within.outcome, within.why) == ("pass", "+2.90 %")
    assert (less.outcome, less.why, less.ratio) == ("pass", "-50.00 %", 0.5)
    assert (more.base, more.candidate) == (1e6, 1.031e6)


def test_limits_of_a_strategy_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(strategies={"jwt": {"instructions_per_request": Limit(kind="share", most=0.1)}})
    slower = dict.fromkeys(ENDPOINTS, 1.05e6)
    rows = rows_of(monkeypatch, {"jwt-cand": slower, "db-cand": slower}, limits)
    assert [row.outcome for row in rows] == ["pass", "pass", "regression", "regression"]


@pytest.mark.parametrize("side", ["base", "cand"])
def test_a_side_that_cannot_be_counted_is_not_compared_and_says_why(monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    rows = rows_of(monkeypatch, {f"jwt-{side}": "serve_in_process: Unknown command"})
    told = {"base": "base", "cand": "candidate"}[side]
    assert [row.outcome for row in rows] == ["not compared", "not compared", "pass", "pass"]
    assert rows[0].why == f"the {told} cannot be counted: serve_in_process: Unknown command"
    assert (rows[0].base, rows[0].candidate, rows[0].ratio) == (None, None, None)


@pytest.mark.parametrize(("there", "missing"), [((), "valgrind"), (("valgrind",), "vgdb"), (("vgdb",), "valgrind")])
def test_without_both_programs_it_is_told_which_is_missing(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], missing: str
) -> None:
    monkeypatch.setattr(instructions.shutil, "which", lambda name: f"/bin/{name}" if name in there else None)
    assert str(unavailable()).startswith(f"{missing} is not installed")
    monkeypatch.setattr(instructions.shutil, "which", lambda name: f"/bin/{name}")
    assert unavailable() is None


@pytest.mark.parametrize(
    ("dumps", "total"),
    [
        ({"1": "totals: 7\n"}, 7),
        ({"1": "totals: 7\n", "2": "x\ntotals: 8\n"}, 8),
        ({"9": "totals: 1\n", "10": "totals: 2\n"}, 2),
    ],
)
def test_the_newest_dump_counts(tmp_path: Path, dumps: dict[str, str], total: int) -> None:
    outputs = tmp_path / "callgrind-jwt-cand.out"
    (tmp_path / "callgrind-jwt-base.out.99").write_text("totals: 99\n")
    for number, text in dumps.items():
        (tmp_path / f"{outputs.name}.{number}").write_text(text)
    assert instructions._last_total(outputs) == total


def test_a_dump_without_totals_is_one_clear_line(tmp_path: Path) -> None:
    for text in (None, "no such line\n"):
        if text is not None:
            (tmp_path / "x.out.1").write_text(text)
        with pytest.raises(StackError, match="callgrind: wrote no totals"):
            instructions._last_total(tmp_path / "x.out")


class Server:
    """Answers like `serve_in_process`, and dumps like Callgrind: a first pass that costs more, then the same."""

    def __init__(
        self, folder: Path, answers: Sequence[str] | None = None, costs: Sequence[int] = (900, 520, 500)
    ) -> None:
        self.folder, self.costs, self.dumps = folder, costs, 0
        self.heard: list[str] = []
        usual = ["ready", *["prepared", "done"] * (PASSES * len(ENDPOINTS))]
        self.answers = iter(usual if answers is None else answers)
        self.stdin = SimpleNamespace(write=self.heard.append, flush=lambda: None, close=lambda: None)
        self.stdout = SimpleNamespace(readline=lambda: f"{next(self.answers, '')}\n", close=lambda: None)
        self.pid = 7
        self.killed = self.waited = False

    def kill(self) -> None:
        self.killed = True

    def wait(self) -> None:
        self.waited = True

    def control(self, pid: int, command: str) -> None:
        assert pid == self.pid
        self.heard.append(command)
        if command == "dump":
            path = self.folder / f"callgrind-jwt-cand.out.{self.dumps + 1}"
            path.write_text(f"totals: {self.costs[self.dumps % len(self.costs)] * REQUESTS}\n")
            self.dumps += 1


def counted(monkeypatch: pytest.MonkeyPatch, folder: Path, server: Server) -> tuple[dict[str, float], list[Any]]:
    started: list[Any] = []

    def popen(command: Sequence[str], **options: Any) -> Server:
        started.append((command, options))
        return server

    monkeypatch.setattr(instructions.subprocess, "Popen", popen)
    monkeypatch.setattr(instructions, "_control", server.control)
    service = SimpleNamespace(
        command=("python", "manage.py"), folder=folder, environment={"PYTHONHASHSEED": "0"}, log=folder / "log"
    )
    asked: list[Any] = []
    stack = SimpleNamespace(folder=folder, command=lambda *told: (asked.append(told), service)[1], watch=asked.append)
    found = count_instructions(stack, "jwt-cand")  # type: ignore[arg-type]
    assert asked == [("jwt-cand", "serve_in_process", *ENDPOINTS), server.pid]
    return found, started


def test_the_count_is_the_least_of_all_passes_but_the_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server(tmp_path)
    found, started = counted(monkeypatch, tmp_path, server)
    assert found == dict.fromkeys(ENDPOINTS, 500.0)
    assert (server.killed, server.waited) == (True, True)
    command, options = started[0]
    assert command[-2:] == ("python", "manage.py")
    assert "--instr-atstart=no" in command
    assert options["env"] == {"PYTHONHASHSEED": "0"}


def test_only_the_requests_themselves_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = Server(tmp_path)
    counted(monkeypatch, tmp_path, server)
    a_pass = [f"{ENDPOINTS[0]} {REQUESTS}\n", "instrumentation on", "\n", "dump", "instrumentation off"]
    assert server.heard[:5] == a_pass
    assert len(server.heard) == 5 * PASSES * len(ENDPOINTS)


def test_a_first_pass_that_is_the_cheapest_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, _ = counted(monkeypatch, tmp_path, Server(tmp_path, costs=(100, 510, 520)))
    assert found["whoami"] == 510.0


def test_a_server_that_ends_is_told_by_the_last_line_of_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("==7== Callgrind\nUnknown command: 'serve_in_process'\n==7== done\n")
    server = Server(tmp_path, answers=[])
    with pytest.raises(StackError, match="under valgrind: Unknown command: 'serve_in_process'"):
        counted(monkeypatch, tmp_path, server)
    assert (server.killed, server.waited) == (True, True)


def test_a_server_that_says_something_else_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="it ended"):
        counted(monkeypatch, tmp_path, Server(tmp_path, answers=["ready", "done"]))


@pytest.mark.parametrize(
    ("returncode", "stderr", "said"), [(1, "no such pid\n", "no such pid"), (2, "", "exit code 2")]
)
def test_a_control_command_that_fails_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, returncode: int, stderr: str, said: str
) -> None:
    done = SimpleNamespace(returncode=returncode, stderr=stderr, stdout="")
    monkeypatch.setattr(instructions.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(StackError, match=f"vgdb dump: {said}"):
        instructions._control(7, "dump")


def test_a_control_command_without_an_answer_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(command: Sequence[str], **options: Any) -> None:
        raise instructions.subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr(instructions.subprocess, "run", silent)
    with pytest.raises(StackError, match="vgdb dump: no answer within 90 s"):
        instructions._control(7, "dump")
