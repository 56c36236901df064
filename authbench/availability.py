"""Which strategies can run on this machine, and why the others cannot."""

from collections.abc import Sequence

from apps.contract.registry import Strategy
from authbench.environments import interpreter_of, why_missing
from authbench.errors import StackError
from authbench.progress import Watcher


def availability(strategy: Strategy) -> str | None:
    """None where nothing stands in its way, else one line. Looks only: builds nothing and asks no network."""
    return why_missing(strategy.environment) if strategy.environment else None


def split(strategies: Sequence[Strategy], watcher: Watcher) -> tuple[list[Strategy], dict[str, str]]:
    """The strategies that can run here, and name -> reason of the others. Environments that are missing are built."""
    able: list[Strategy] = []
    unavailable: dict[str, str] = {}
    for strategy in strategies:
        try:
            if strategy.environment:
                interpreter_of(strategy.environment, watcher.say)
            able.append(strategy)
        except StackError as error:
            unavailable[strategy.name] = str(error)
    return able, unavailable
