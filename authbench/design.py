"""From cells to trials: randomised complete blocks, nested in launches of fresh processes.

The order is drawn before the run from the seed alone, so that a resumed run meets the very same plan. A launch is a
group of blocks during which all processes stay up; the next launch starts new ones (METHOD.md: the unit of replication
is a fresh process).
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from authbench.deployment import Deployment
from authbench.scenario import Cell, Scenario
from authbench.working_set import fewest_sessions

# Measured on 2 cores: what a run takes besides its windows. Only the estimate before the start uses these.
SETUP_S = 12.0
SETUP_PER_STRATEGY_S = 2.0
LAUNCH_S = 1.5
LAUNCH_PER_REPLICA_S = 0.2
WARM_UP_PER_CELL_S = 0.6
WARM_UP_PER_UNIQUE_S = 0.0005  # a credential, of a round of unique ones
SEMANTICS_PER_STRATEGY_S = 1.5  # besides the wait for events that are never obeyed, four strategies at a time
BETWEEN_TRIALS_S = 0.14


@dataclass(frozen=True, slots=True)
class Planned:
    """One trial to be: a cell at its place in a block's random order."""

    launch: int
    block: int
    position: int
    cell: Cell

    def key(self) -> tuple[object, ...]:
        """What identifies the measurement; equals `Trial.key()` of its record."""
        return (self.launch, self.block, *sorted(self.cell.levels().items()))


@dataclass(frozen=True, slots=True)
class Launch:
    """Fresh processes for every cell, and the blocks measured on them."""

    number: int
    deployment: Deployment
    blocks: tuple[tuple[Planned, ...], ...]

    def trials(self) -> tuple[Planned, ...]:
        """All trials in the order they are measured."""
        return tuple(trial for block in self.blocks for trial in block)


def plan(scenario: Scenario, cells: Iterable[Cell], seed: int) -> tuple[Launch, ...]:
    """The whole run in order: every block holds each cell once, in an order of its own.

    Another deployment needs other processes, and another workload would find connections open that its predecessor
    left, so these form launches of their own, which alternate.
    """
    order = random.Random(seed)  # noqa: S311 - an experiment's order, not a secret
    groups: dict[tuple[Deployment, str], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.deployment, cell.workload), []).append(cell)
    launches: list[Launch] = []
    block = 0
    for _ in range(scenario.profile.launches):
        for group in order.sample(sorted(groups, key=_place), k=len(groups)):
            blocks = []
            for _ in range(scenario.profile.blocks_per_launch):
                blocks.append(_block(groups[group], len(launches), block, order))
                block += 1
            launches.append(Launch(len(launches), group[0], tuple(blocks)))
    return tuple(launches)


def base_deployment(scenario: Scenario) -> Deployment:
    """Where strategies are verified: the first one with replicas that a balancer has to tell apart, if there is one."""
    deployments = scenario.factors.deployments()
    return next((each for each in deployments if each.replicas > 1), deployments[0])


def slowest_deployment(scenario: Scenario) -> Deployment:
    """Where the rate that all can serve is found: fewest replicas, farthest stores."""
    return min(scenario.factors.deployments(), key=lambda each: (each.replicas, -(each.distance_ms or 0.0)))


def estimated_seconds(scenario: Scenario) -> float:
    """How long the run will take on a machine like the one it was tuned on (2 cores)."""
    cells = scenario.cells()
    blocks = scenario.profile.launches * scenario.profile.blocks_per_launch
    windows = sum(window_s(scenario, cell) + BETWEEN_TRIALS_S for cell in cells) * blocks
    warmed = len({(cell.strategy, cell.workload, cell.deployment) for cell in cells})
    deployments = scenario.factors.deployments()
    replicas = len(scenario.factors.strategy) * sum(each.replicas for each in deployments)
    starts = LAUNCH_S * len(deployments) + LAUNCH_PER_REPLICA_S * replicas
    launch = starts * len(scenario.factors.workload) + WARM_UP_PER_CELL_S * warmed
    unique = len({(cell.strategy, cell.workload) for cell in cells if scenario.working_set(cell.workload) == "unique"})
    launch += WARM_UP_PER_UNIQUE_S * fewest_sessions("unique", scenario.launched()) * unique
    setup = SETUP_S + SETUP_PER_STRATEGY_S * len(scenario.factors.strategy)
    if (semantics := scenario.semantics) is not None:
        setup += starts + (SEMANTICS_PER_STRATEGY_S + semantics.within_s / 4) * len(scenario.factors.strategy)
    for experiment in scenario.experiment:
        chosen = [name for name in scenario.factors.strategy if not experiment.strategy or name in experiment.strategy]
        setup += experiment.estimated_seconds(len(chosen), scenario.profile.launches)
    return setup + windows + (launch * scenario.profile.launches if cells else 0.0)


def window_s(scenario: Scenario, cell: Cell) -> float:
    """Length of the cell's measured window in seconds."""
    return scenario.profile.saturate_s if cell.rate_share is None else scenario.profile.rate_s


def _place(group: tuple[Deployment, str]) -> tuple[object, ...]:
    deployment, workload = group
    return (deployment.order(), workload)


def _block(cells: list[Cell], launch: int, block: int, order: random.Random) -> tuple[Planned, ...]:
    shuffled = order.sample(cells, k=len(cells))
    return tuple(Planned(launch, block, position, cell) for position, cell in enumerate(shuffled))
