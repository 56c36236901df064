"""What an experiment stands on, and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.generator import Generator
from authbench.observed import Observation, observation_key
from authbench.progress import Watcher
from authbench.records import Level


@dataclass(frozen=True, slots=True)
class Ground:
    """Parts up, data seeded, credentials minted, strategies verified, no replicas running.

    An experiment starts and stops what it needs through `stack`, measures every combination `launches` times on fresh
    processes, in an order drawn from `seed`, skips what `is_done`, and hands each observation to `record` at once.
    """

    stack: EmbeddedStack
    strategies: tuple[Strategy, ...]  # those that passed verification, in the scenario's order
    minted: Mapping[str, Minted]  # strategy -> its credentials; `.unverified` are those that load may use
    generator: Generator
    launches: int
    seed: int
    earlier: frozenset[tuple[object, ...]]  # keys of what an interrupted run has recorded already
    record: Callable[[Observation], None]
    watcher: Watcher

    def is_done(self, kind: str, launch: int, levels: Mapping[str, Level]) -> bool:
        """Whether an earlier, interrupted run observed this already."""
        return observation_key(kind, launch, levels) in self.earlier
