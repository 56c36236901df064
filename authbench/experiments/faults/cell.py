"""What one observation is of, and in which order and company cells are measured. Pure, but for a file's existence."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from apps.contract.registry import SHOP, STRATEGIES_PACKAGE, Strategy
from authbench.experiments.faults.plan import Engine, FaultsPlan
from authbench.faults.fault import Fault
from authbench.records import Level
from authbench.stack.replicas import ROOT

OWN_PARTS = ("replica", "auth", "files")  # of one strategy; other parts are shared, and so is what happens to them
ENGINES_OF = ("cache", "files")  # parts that a session engine asks


@dataclass(frozen=True, slots=True)
class Cell:
    """One strategy, on one engine, under one fault."""

    strategy: Strategy
    fault: Fault
    engine: Engine = "shop"

    @property
    def affected(self) -> bool:
        """Whether the part is on the strategy's way; else it is a control."""
        return self.fault.applies_to(self.strategy)

    @property
    def settings(self) -> str | None:
        """The settings module in place of the strategy's own; None: its own."""
        return stock_settings(self.strategy) if self.engine == "stock" else None

    def levels(self) -> dict[str, Level]:
        """Factor -> level, as records keep it."""
        return {
            "strategy": self.strategy.name,
            "fault": self.fault.name,
            "part": self.fault.part,
            "engine": self.engine,
            "role": "affected" if self.affected else "control",
        }


def stock_settings(strategy: Strategy) -> str | None:
    """The module with Django's own session engine; None where the strategy's is Django's own, or there is none."""
    name = strategy.name.replace("-", "_")
    module = f"{STRATEGIES_PACKAGE}.stock.{name}"
    return module if (ROOT / (module.replace(".", "/") + ".py")).is_file() else None


def takes_part(strategy: Strategy) -> bool:
    """Whether its replicas write down every request they answer: the Django application does."""
    return strategy.application == SHOP


def is_shared(fault: Fault) -> bool:
    """Whether it is done once for all strategies that run, and not to each."""
    return fault.part not in OWN_PARTS and fault.action != "flush"


def cells_of(fault: Fault, strategies: Sequence[Strategy], plan: FaultsPlan, launch: int) -> Iterator[Cell]:
    """Everything that is to be seen of a fault in a launch."""
    for strategy in strategies:
        affected = fault.applies_to(strategy)
        if "shop" in plan.engines and (
            affected or (strategy.name in plan.controls and launch == 0 and is_shared(fault))
        ):
            yield Cell(strategy, fault)
        silent = fault.part in ENGINES_OF and fault.action != "flush"  # an empty store answers both engines alike
        if "stock" in plan.engines and affected and silent and stock_settings(strategy):
            yield Cell(strategy, fault, "stock")


def companies(cells: Sequence[Cell], at_once: int, draw: Random) -> Iterator[Sequence[Cell]]:
    """Those of one fault that are measured side by side, in an order drawn anew: as many as may, each strategy once."""
    waiting = draw.sample(cells, k=len(cells))
    while waiting:
        names = Counter(cell.strategy.name for cell in waiting)
        chosen = [name for name, _ in names.most_common(at_once)]  # whoever has most to come goes first, or runs alone
        company = [next(cell for cell in waiting if cell.strategy.name == name) for name in chosen]
        waiting = [cell for cell in waiting if not any(cell is each for each in company)]
        yield company
