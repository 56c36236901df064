"""The append-only ledger of twins: how often the gate would have cried wolf where nothing had changed."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError
from scipy import stats

from authbench.errors import UsageError
from authbench.gate.decision import Outcome
from authbench.gate.result import Ledger, Twin
from authbench.journal import Journal
from authbench.records import Frozen

WAIT_S, PAUSE_S = 5.0, 0.05


class Entry(Frozen):
    """One twin of one run."""

    utc: str
    strategy: str
    metric: str
    outcome: Outcome
    ratio: float | None
    launches: int


def write_down(path: Path, twins: Sequence[Twin]) -> Ledger:
    """Appends this run's twins and counts all there are. Raises UsageError where the file cannot be read or written."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    entries = [
        Entry(
            utc=now,
            strategy=twin.strategy,
            metric=twin.metric,
            outcome=twin.outcome,
            ratio=twin.bounds.ratio if twin.bounds else None,
            launches=twin.bounds.launches if twin.bounds else 0,
        )
        for twin in twins
    ]
    if path.is_file():
        count(path)  # before anything is written: it may be another file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(path) as journal:
            journal.append(*entries)
    except OSError as error:
        raise UsageError(f"--ledger {path}: cannot write ({error.strerror})") from error
    return count(path)


def count(path: Path) -> Ledger:
    """False alarms so far: twins that were called a regression, of those with an answer.

    A torn last line is passed over. Raises UsageError where the file is no ledger.
    """
    alarms = twins = 0
    for number, line in enumerate(_read(path).splitlines(keepends=True), start=1):
        try:
            entry = Entry.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            if number > 1 and not line.endswith("\n"):
                break
            raise UsageError(f"{path}:{number}: not an entry of a gate's ledger; name another with --ledger") from error
        twins += entry.outcome in ("pass", "regression")
        alarms += entry.outcome == "regression"
    return Ledger(path=str(path), alarms=alarms, twins=twins, upper=upper_bound(alarms, twins))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--ledger {path}: cannot read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not an entry of a gate's ledger in it; name another with --ledger") from error


def _held(path: Path, clock: Callable[[], float] = time.monotonic) -> Journal:
    """The journal, once another gate that is writing its line has done so."""
    end = clock() + WAIT_S
    while True:
        try:
            return Journal(path, "free some space: the verdict itself does not depend on it")
        except UsageError as error:
            if not isinstance(error.__context__, BlockingIOError) or clock() > end:
                raise
            time.sleep(PAUSE_S)


def upper_bound(alarms: int, of: int, confidence: float = 0.95) -> float:
    """One-sided upper bound of a rate (Clopper and Pearson 1934); 1 where nothing was tried."""
    if alarms >= of:
        return 1.0
    return float(stats.beta.ppf(confidence, alarms + 1, of - alarms))
