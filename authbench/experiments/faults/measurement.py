"""Faults done to parts of a running stack while users go on asking: every fault, every strategy, every launch."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import psycopg

from authbench.errors import StackError
from authbench.experiments.faults.cell import Cell, cells_of, companies, takes_part
from authbench.experiments.faults.logins import Logins
from authbench.experiments.faults.plan import FaultsPlan
from authbench.experiments.faults.round import REPLICAS, Round
from authbench.experiments.ground import Ground
from authbench.faults.fault import Fault
from authbench.faults.injector import Injector

ATTEMPTS = 2  # at what does not count, because the machine had other things to do


def measure(ground: Ground, plan: FaultsPlan) -> None:
    """Records an observation a fault, strategy, engine and launch. Raises StackError where a part fails unasked."""
    planned = ground.stack.deployment
    ground = _with_those_that_can(ground)
    try:
        _keep_commits(ground, keep=True)  # or a database that is killed loses what it has acknowledged
        _launches(ground, plan)
        _keep_commits(ground, keep=False)
    except psycopg.Error as error:
        ground.stack.check()  # where it has died, its log says more
        raise StackError(f"{plan.kind}: the database failed: {error}") from error
    finally:
        ground.stack.stop_replicas()
        ground.stack.stop_relay()
        ground.stack.deployment = planned  # whoever comes next starts as many as before


def _launches(ground: Ground, plan: FaultsPlan) -> None:
    logins = Logins(ground, plan.users)
    done_s, planned_s = 0.0, plan.estimated_seconds(len(ground.strategies), ground.launches)
    possible = [fault for fault in plan.fault if _is_possible(ground, fault)]
    for launch in range(ground.launches):
        draw = Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
        for fault in draw.sample(possible, k=len(possible)):
            leader = next(each.name for each in ground.strategies if fault.applies_to(each))
            rounds = list(_rounds(ground, plan, launch, fault, draw))
            for number, company in enumerate(rounds, start=1):
                names = ", ".join(_named(cell) for cell in company)
                ground.watcher.phase(f"launch {launch + 1} of {ground.launches}: {fault.name} ({names})")
                waiting: Sequence[Cell] = company
                for _ in range(ATTEMPTS):
                    waiting = Round(ground, plan, launch, logins).carry_out(waiting, leader, draw) if waiting else ()
                share = number / len(rounds) / len(possible)
                ground.watcher.measured(done_s + share * planned_s / ground.launches, planned_s)
            done_s += planned_s / ground.launches / len(possible)


def _keep_commits(ground: Ground, *, keep: bool) -> None:
    for strategy in ground.strategies:
        ground.stack.keep_commits(strategy.name, keep=keep)


def _rounds(ground: Ground, plan: FaultsPlan, launch: int, fault: Fault, draw: Random) -> Iterator[Sequence[Cell]]:
    """What is not observed yet."""
    cells = cells_of(fault, ground.strategies, plan, launch)
    open_cells = [cell for cell in cells if not ground.is_done(plan.kind, launch, cell.levels())]
    # Companies of about one size: the machine is as busy in each.
    at_once = math.ceil(len(open_cells) / max(1, math.ceil(len(open_cells) / plan.at_once)))
    yield from companies(open_cells, at_once, draw)


def _with_those_that_can(ground: Ground) -> Ground:
    """Without strategies whose replicas do not write down what they answer."""
    for strategy in ground.strategies:
        if not takes_part(strategy):
            ground.watcher.say(f"[yellow]faults:[/] {strategy.name} is left out: its replicas keep no log of requests")
    return replace(ground, strategies=tuple(each for each in ground.strategies if takes_part(each)))


def _is_possible(ground: Ground, fault: Fault) -> bool:
    """Says, once, why a fault cannot be done here."""
    concerned = [each.name for each in ground.strategies if fault.applies_to(each)]
    if not concerned:
        return False
    if fault.through_relay or fault.part == "replica":  # both come with the replicas of a round
        return fault.number <= REPLICAS
    with Injector(ground.stack, concerned[0]) as injector:
        if (reason := injector.why_not(fault)) is not None:
            ground.watcher.say(f"[yellow]not measured here:[/] {reason}")
        return reason is None


def _named(cell: Cell) -> str:
    return cell.strategy.name if cell.engine == "shop" else f"{cell.strategy.name} on Django's own engine"
