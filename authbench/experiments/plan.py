"""What every experiment's plan has in common."""

from authbench.records import Frozen


class Plan(Frozen):
    """An [experiment] of a scenario. Empty `strategy`: all of the scenario's; else those of them that are named."""

    strategy: tuple[str, ...] = ()
