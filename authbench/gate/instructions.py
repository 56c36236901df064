"""Tier 1: instructions of whole in-process requests, counted by Valgrind's Callgrind.

Address randomisation is off and PYTHONHASHSEED is 0, so that what is left of chance is below 0.1 %. Only what runs
between `instrumentation on` and the dump is counted (Callgrind's manual); requests are prepared before.
"""

import contextlib
import platform
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from authbench.backends.embedded import EmbeddedStack
from authbench.errors import StackError
from authbench.gate.arms import Arms
from authbench.gate.gated import GATED
from authbench.gate.limits import Limits
from authbench.gate.result import GateRow

VALGRIND = "valgrind"
ENDPOINTS = ("whoami", "orders")
REQUESTS = 10
PASSES = 3  # the first of them also counts what Python specialises on the way and is left out
WITHIN_S = 90.0  # for vgdb to answer
LONGEST_S = 300.0  # for one build; it takes some 10
METRIC = "instructions_per_request"


def unavailable() -> str | None:
    """Why instructions cannot be counted here; None where they can."""
    for program in (VALGRIND, "vgdb"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: apt-get install valgrind)"
    return None


def instruction_rows(stack: EmbeddedStack, arms: Sequence[Arms], limits: Limits) -> list[GateRow]:
    """A row for every strategy and endpoint; `not compared` with the reason where one side cannot be counted."""
    sides = [each.variants[arm].name for each in arms for arm in ("base", "cand")]
    with ThreadPoolExecutor(2) as pool:
        counted = dict(zip(sides, pool.map(lambda name: _attempt(stack, name), sides), strict=True))
    rows = []
    for each in arms:
        base, candidate = (counted[each.variants[arm].name] for arm in ("base", "cand"))
        rows += [_row(each.strategy, endpoint, base, candidate, limits) for endpoint in ENDPOINTS]
    return rows


def count_instructions(stack: EmbeddedStack, variant: str) -> dict[str, float]:
    """Endpoint -> instructions a request. Raises StackError where the build cannot be counted."""
    service = stack.command(variant, "serve_in_process", *ENDPOINTS)
    outputs = stack.folder / f"callgrind-{variant}.out"
    command = (
        *_fixed_addresses(),
        *(VALGRIND, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={outputs}"),
        *service.command,
    )
    found: dict[str, float] = {}
    with _process(command, service.folder, dict(service.environment), service.log) as process:
        stack.watch(process.pid)
        _expect(process, "ready", service.log)
        for endpoint in ENDPOINTS:
            passes = []
            for _ in range(PASSES):
                _say(process, f"{endpoint} {REQUESTS}")
                _expect(process, "prepared", service.log)
                _control(process.pid, "instrumentation on")
                _say(process, "")
                _expect(process, "done", service.log)
                _control(process.pid, "dump")
                _control(process.pid, "instrumentation off")
                passes.append(_last_total(outputs))
            found[endpoint] = min(passes[1:]) / REQUESTS
    return found


def _attempt(stack: EmbeddedStack, variant: str) -> dict[str, float] | str:
    try:
        return count_instructions(stack, variant)
    except StackError as error:
        return str(error)


def _row(
    strategy: str, endpoint: str, base: dict[str, float] | str, candidate: dict[str, float] | str, limits: Limits
) -> GateRow:
    limit = limits.of(strategy, METRIC)
    row = GateRow(
        tier=1,
        strategy=strategy,
        endpoint=endpoint,
        metric=METRIC,
        unit=GATED[METRIC].unit,
        limit=limit.told(),
        outcome="not compared",
        why="",
    )
    if isinstance(base, str) or isinstance(candidate, str):
        side, why = ("base", base) if isinstance(base, str) else ("candidate", candidate)
        return row.but("not compared", f"the {side} cannot be counted: {why}")
    ours, theirs = base[endpoint], candidate[endpoint]
    row = row.model_copy(update={"base": ours, "candidate": theirs, "ratio": theirs / ours})
    change = f"{100 * (theirs / ours - 1):+.2f} %"
    if limit.allows(ours, theirs):
        return row.but("pass", change)
    return row.but("regression", f"{change}, over {limit.told()}")


def _fixed_addresses() -> tuple[str, ...]:
    program = shutil.which("setarch")
    return (program, platform.machine(), "-R") if program else ()


@contextlib.contextmanager
def _process(
    command: Sequence[str], folder: Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env=environment,
            text=True,
            start_new_session=True,
        )
    limit = threading.Timer(LONGEST_S, process.kill)  # whoever waits for its next line is then told that it ended
    limit.daemon = True
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()


def _say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # what it answers tells more
        process.stdin.write(line + "\n")
        process.stdin.flush()


def _expect(process: subprocess.Popen[str], word: str, log: Path) -> None:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if line != word:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        last = next((text for text in reversed(tail.splitlines()) if not text.startswith("==")), "it ended")
        raise StackError(f"serve_in_process under valgrind: {last}", tail)


def _control(pid: int, command: str) -> None:
    try:
        done = subprocess.run(
            ["vgdb", f"--pid={pid}", *command.split()], capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"vgdb {command}: no answer within {WITHIN_S:.0f} s") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(f"vgdb {command}: {said[-1] if said else f'exit code {done.returncode}'}")


def _last_total(outputs: Path) -> int:
    """The count in the newest dump: `<file>.1`, `<file>.2`, …"""
    dumps = sorted(outputs.parent.glob(f"{outputs.name}.*"), key=lambda path: int(path.suffix[1:]))
    totals = re.findall(r"^totals: (\d+)", dumps[-1].read_text(errors="replace"), flags=re.MULTILINE) if dumps else []
    if not totals:
        raise StackError("callgrind: wrote no totals")
    return int(totals[-1])
