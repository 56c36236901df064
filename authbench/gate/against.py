"""`authbench gate --against REF`: both builds side by side on this machine, tier by tier."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from authbench.backends.embedded import EmbeddedStack
from authbench.backends.variant import Variant
from authbench.errors import StackError, UsageError
from authbench.gate import windows
from authbench.gate.arms import Arms, arms_of_trees
from authbench.gate.counts import ENDPOINTS, count_rows, uncounted
from authbench.gate.cpu import Readings, cpu_rows, elapsed_rows, measure_stages
from authbench.gate.decision import Plan
from authbench.gate.gated import CPU, ELAPSED
from authbench.gate.instructions import instruction_rows, unavailable
from authbench.gate.ledger import write_down
from authbench.gate.limits import Limits
from authbench.gate.quoted import quote, too_short
from authbench.gate.result import GateResult, GateRow, Ledger, Side, Twin
from authbench.gate.trees import Tree, guarded_folder, repository, worktrees
from authbench.gate.windows import Alternation, Window
from authbench.generator import Generator
from authbench.journal import Journal
from authbench.machine import split_cores, this_machine
from authbench.progress import Watcher
from authbench.runner import interruptible, pinned

TIERS = (0, 1, 2)
WINDOWS_FILE = "windows.jsonl"


@dataclass(frozen=True, slots=True)
class GateOrder:
    """What the user asked for."""

    against: str
    strategies: tuple[str, ...]
    limits: Limits
    folder: Path  # receives windows.jsonl and what is made of the result
    tiers: tuple[int, ...] = TIERS
    minutes: float = 5.0  # for both stages of tier 2
    keep_going: bool = False  # on to the next tier after a regression
    seed: int = 1
    ledger: Path | None = None
    calibration: Path | None = None
    plan: Plan = field(default_factory=Plan)


def gate_against(order: GateOrder, watcher: Watcher) -> GateResult:
    """Builds both commits, runs them side by side and judges every tier in turn.

    Raises UsageError (no such commit, strategy or ledger), StackError (a part or a build failed). What was measured is
    in the folder whatever is raised, KeyboardInterrupt included.
    """
    started, began = datetime.now(UTC), time.monotonic()
    quoted = quote(order.calibration, order.strategies)
    with interruptible(), guarded_folder() as scratch:
        watcher.phase("checking out both commits")
        with worktrees(repository(Path.cwd()), order.against, scratch, watcher) as (base, candidate):
            arms = arms_of_trees(base, candidate, order.strategies)
            with arms_stack(arms, watcher) as stack:
                rows, twins, notes = _tiers(order, stack, arms, watcher)
            sides = (base, candidate)
    ledger, more = _ledger(order, twins)
    return GateResult(
        way="against",
        started_utc=started.isoformat(timespec="seconds"),
        seconds=time.monotonic() - began,
        base=_side(sides[0]),
        candidate=_side(sides[1]),
        machine=this_machine(split_cores(frozenset(os.sched_getaffinity(0)))),
        rows=tuple(rows),
        twins=tuple(twins),
        ledger=ledger,
        calibration=quoted,
        tiers=tuple(sorted({row.tier for row in rows})),
        notes=(*notes, *more, *filter(None, [too_short(quoted, order.minutes) if 2 in order.tiers else None])),
    )


@contextmanager
def arms_stack(arms: Sequence[Arms], watcher: Watcher) -> Iterator[EmbeddedStack]:
    """A seeded stack for these arms: one replica each, one process, one thread, so that nothing waits for a lock."""
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    variants = [variant for each in arms for variant in each.all()]
    watcher.phase("starting PostgreSQL, Valkey and nginx")
    with EmbeddedStack(strategies=variants, replicas=1, workers=1, threads=1, cores=cores.stack) as stack:
        watcher.phase("seeding users and orders")
        stack.seed(users=windows.USERS, orders=windows.ORDERS)
        yield stack


@contextmanager
def alternation(stack: EmbeddedStack, arms: Sequence[Arms], seed: int) -> Iterator[Alternation]:
    """Ready to measure launches, the bench and the generator on their own core."""
    cores = split_cores(frozenset(os.sched_getaffinity(0)))
    with pinned(cores), Generator(stack.folder / "generator.log", cores.generator) as generator:
        stack.watch(generator.pid)
        yield Alternation(stack, generator, arms, seed)


def _tiers(
    order: GateOrder, stack: EmbeddedStack, arms: Sequence[Arms], watcher: Watcher
) -> tuple[list[GateRow], list[Twin], list[str]]:
    rows: list[GateRow] = []
    twins: list[Twin] = []
    notes: list[str] = []
    if 0 in order.tiers:
        watcher.phase("tier 0: exact counts")
        rows += _counts(order, stack, arms)
    if 1 in order.tiers and _go_on(rows, order, notes, 1):
        watcher.phase("tier 1: instructions")
        why = unavailable()
        if why is None:
            rows += instruction_rows(stack, arms, order.limits)
        else:
            notes.append(f"tier 1 was left out: {why}")
    if 2 in order.tiers and _go_on(rows, order, notes, 2):
        readings = _stages(order, stack, arms, watcher)
        found, twins = cpu_rows(readings, order.strategies, order.limits)
        rows += [*found, *elapsed_rows(readings, order.strategies, order.limits)]
    return rows, twins, notes


def _go_on(rows: Sequence[GateRow], order: GateOrder, notes: list[str], tier: int) -> bool:
    if order.keep_going or all(row.outcome != "regression" for row in rows):
        return True
    notes.append(f"tier {tier} was not needed: a lower tier found a regression (--keep-going measures it all the same)")
    return False


def _counts(order: GateOrder, stack: EmbeddedStack, arms: Sequence[Arms]) -> list[GateRow]:
    rows: list[GateRow] = []
    for each in arms:
        try:
            counted = _operations(stack, each.all())
        except StackError:
            rows.append(uncounted(each.strategy, *(_failure(stack, variant) for variant in each.all()[::2])))
            continue
        base, twin, candidate = (counted[variant.name] for variant in each.all())
        rows += count_rows(each.strategy, base, twin, candidate, order.limits)
    return rows


def _operations(stack: EmbeddedStack, variants: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    try:
        return stack.operations_of(variants, ENDPOINTS)
    except StackError:  # a build from before endpoints could be chosen counts them all
        return stack.operations_of(variants)


def _failure(stack: EmbeddedStack, variant: Variant) -> str | None:
    """Why this build cannot be counted; None where it can."""
    try:
        _operations(stack, [variant])
    except StackError as error:
        return str(error)
    return None


def _stages(order: GateOrder, stack: EmbeddedStack, arms: Sequence[Arms], watcher: Watcher) -> Readings:
    margins = {name: order.limits.of(name, CPU).most for name in order.strategies}
    with (
        alternation(stack, arms, order.seed) as measured,
        Journal(order.folder / WINDOWS_FILE, "free some space and start the gate anew") as journal,
    ):

        def launch(stage: int, number: int, strategies: Sequence[str]) -> Sequence[Window]:
            watcher.phase(f"tier 2, stage {stage}: launch {number + 1}")
            found = measured.launch(stage, number, strategies)
            journal.append(*found)
            return found

        return measure_stages(
            order.strategies,
            margins,
            order.plan,
            launch,
            stage_s=order.minutes * 60 / 2,
            allowed_wait=min(order.limits.of(name, ELAPSED).most for name in order.strategies),
            progress=watcher.measured,
        )


def _ledger(order: GateOrder, twins: Sequence[Twin]) -> tuple[Ledger | None, list[str]]:
    if order.ledger is None or not twins:
        return None, []
    try:
        return write_down(order.ledger, twins), []
    except UsageError as error:  # the verdict must not be lost for it
        return None, [f"the ledger was not written: {error}"]


def _side(tree: Tree) -> Side:
    return Side(told=tree.told, commit=tree.commit)
