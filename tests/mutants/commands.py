"""The commands that a mutant is put before: the real ones, as a user types them, with JSON for an answer."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

WITHIN_S = 900.0
SCENARIO = """
question = "Does a run name what is wrong with its answers?"
control = "none"
reference = "{reference}"
answers = ["cpu_ms_per_request"]
[factors]
strategy = [{strategies}]
workload = ["{workload}"]
load = [{loads}]
replicas = [2]
[workloads.{workload}]
{workload} = 1
[data]
users = 60
orders = 400
live_sessions = 40
[profiles.quick]
launches = {launches}
blocks_per_launch = 1
attempts = 1
saturate_s = {window_s}
rate_s = {window_s}
[profiles.standard]
launches = {launches}
saturate_s = {window_s}
rate_s = {window_s}
[profiles.thorough]
launches = {launches}
saturate_s = {window_s}
rate_s = {window_s}
"""


class Command(Protocol):
    """One of the bench's commands with its options."""

    @property
    def shown(self) -> str:
        """As it stands in the table."""
        ...

    def prepare(self, root: Path) -> tuple[str, ...]:
        """Writes what it needs into the tree; its arguments."""
        ...


@dataclass(frozen=True, slots=True)
class Verify:
    """`authbench verify`."""

    strategies: tuple[str, ...]
    security: bool = False

    @property
    def shown(self) -> str:
        """As it stands in the table."""
        return " ".join(("verify", *self.strategies, *(["--security"] if self.security else [])))

    def prepare(self, root: Path) -> tuple[str, ...]:
        """Its arguments."""
        return ("verify", *self.strategies, *(["--security", "--within", "1"] if self.security else []), "--json")


@dataclass(frozen=True, slots=True)
class Run:
    """`authbench run` of a small scenario: two replicas, one load, and the control beside the strategy."""

    strategy: str
    workload: str = "whoami"
    window_s: float = 3.0
    launches: int = 2
    load: str = "saturate"

    @property
    def shown(self) -> str:
        """As it stands in the table."""
        return f"run {self.strategy}: {self.workload}" + (f", {self.load}" if self.load != "saturate" else "")

    def prepare(self, root: Path) -> tuple[str, ...]:
        """Writes the scenario; the arguments."""
        text = SCENARIO.format(
            reference=self.strategy,
            strategies=f'"none", "{self.strategy}"',
            workload=self.workload,
            window_s=self.window_s,
            launches=self.launches,
            loads=", ".join(f'"{each}"' for each in dict.fromkeys(("saturate", self.load))),
        )
        (root / "small.toml").write_text(text, encoding="utf-8")
        return ("run", "small.toml", "--profile", "quick", "--out", "out/run", "--json")


@dataclass(frozen=True, slots=True)
class Gate:
    """`authbench gate --against HEAD`: the work tree with the defect, against the commit without it."""

    strategy: str
    tiers: str = "0"
    max_regression: str = "3%"
    minutes: float = 1.0

    @property
    def shown(self) -> str:
        """As it stands in the table."""
        told = f"gate --against HEAD --strategies {self.strategy} --tiers {self.tiers}"
        told += f" --minutes {self.minutes:g}" if "2" in self.tiers else ""
        return told if self.max_regression == "3%" else f"{told} --max-regression {self.max_regression}"

    def prepare(self, root: Path) -> tuple[str, ...]:
        """Its arguments."""
        return (
            *("gate", "--against", "HEAD", "--strategies", self.strategy, "--tiers", self.tiers),
            *("--max-regression", self.max_regression, "--minutes", str(self.minutes)),
            *("--out", "out/gate", "--ledger", "out/ledger.jsonl", "--json"),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and how long it took."""

    exit_code: int | None  # None: it had not ended in time, and was ended
    statements: tuple[str, ...]
    seconds: float

    def naming(self, words: tuple[str, ...]) -> str | None:
        """The first statement that holds all the words, whatever their case; None where none does."""
        wanted = [word.casefold() for word in words]
        return next((each for each in self.statements if all(word in each.casefold() for word in wanted)), None)


def ask(root: Path, command: Command, python: str = sys.executable) -> Answer:
    """Runs the tree's own bench on the tree's own app."""
    arguments = command.prepare(root)
    (root / "out").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUTHBENCH_")}
    began = time.monotonic()
    with subprocess.Popen(
        [python, "-m", "authbench.cli", *arguments],
        cwd=root,
        env={**kept, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            printed, complained = process.communicate(timeout=WITHIN_S)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            process.terminate()  # it takes its stack down
            printed, complained = process.communicate(timeout=60)
            code = None
        except BaseException:  # a ^C: no stack outlives whoever asked for it
            process.terminate()
            process.wait(timeout=60)
            raise
    seconds = time.monotonic() - began
    return Answer(code, (*statements(printed), *complained.splitlines()), seconds)


def statements(printed: str) -> Iterator[str]:
    """What JSON documents, one a line, state: every text, and every object's plain members as one."""
    for line in printed.splitlines():
        try:
            yield from _stated(json.loads(line))
        except ValueError:
            yield line


def _stated(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        plain = {
            key: each for key, each in value.items() if each not in (None, "") and not isinstance(each, dict | list)
        }
        if plain:
            yield ", ".join(f"{key}={each}" for key, each in plain.items())
        for each in value.values():
            if isinstance(each, dict | list):
                yield from _stated(each)
    elif isinstance(value, list):
        for each in value:
            yield from _stated(each)
