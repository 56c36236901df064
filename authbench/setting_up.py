"""From an empty stack to one that may be measured: data, credentials, verification, prepared requests, rates."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted, Verified, subject_of, verify
from authbench.expiry import first_expiry
from authbench.probes.counts import StoreReader
from authbench.progress import Watcher
from authbench.scenario import Cell, Scenario
from authbench.trial import Bench, RequestFile
from authbench.workload import credential_bytes, requests_of, write_requests

PILOT_S = 0.2  # of the closed model, a strategy and workload: finds the rate that all can serve


def open_sessions(stack: EmbeddedStack, strategies: Sequence[Strategy], live_sessions: int) -> dict[str, Minted]:
    """Every strategy's live sessions, made by its own code, and a spare one that verification may end."""
    paths = stack.mint_all(strategies, live_sessions + 1)
    return {strategy.name: Minted.read(paths[strategy.name]) for strategy in strategies}


def verify_stack(
    stack: EmbeddedStack, strategies: Sequence[Strategy], minted: Mapping[str, Minted], watcher: Watcher
) -> dict[str, Verified]:
    """Runs the conformance checks through the load balancer on every replica of every strategy."""
    with httpx.Client(trust_env=False) as http, StoreReader(stack) as reader:
        subjects = [
            subject_of(http, s, stack.url(s.name), minted[s.name], stack.user_password, stack.replicas)
            for s in strategies
        ]
        counters = {s.name: reader.of(s.name) for s in strategies}
        return verify(subjects, counters, done=lambda verified: _tell(verified, watcher))


def prepare_requests(
    folder: Path,
    scenario: Scenario,
    strategies: Sequence[Strategy],
    minted: Mapping[str, Minted],
    seed: int,
    minted_at: float,
) -> dict[tuple[str, str], RequestFile]:
    """Writes the request file of every strategy and workload into `folder`, which goes with the stack.

    `minted_at`: a Unix time before the credentials were made; those that do not say when they end count from it.
    """
    files: dict[tuple[str, str], RequestFile] = {}
    for strategy in strategies:
        rows = minted[strategy.name].rows
        mean_bytes = credential_bytes(rows, strategy.carrier)
        expires_at = first_expiry(rows, strategy.carrier, minted_at)
        for workload in scenario.factors.workload:
            path = folder / f"requests-{strategy.name}-{workload}.jsonl"
            write_requests(path, requests_of(rows, strategy.carrier, scenario.workloads[workload], seed))
            files[strategy.name, workload] = RequestFile(path, mean_bytes, expires_at)
    return files


def lowest_capacities(bench: Bench, cells: Sequence[Cell]) -> dict[str, float]:
    """Workload -> requests a second that the slowest strategy serves: rates of the open model are shares of it.

    Empty where no cell uses the open model.
    """
    if all(cell.rate_share is None for cell in cells):
        return {}
    capacities: dict[str, list[float]] = {}
    for strategy, workload in dict.fromkeys((cell.strategy, cell.workload) for cell in cells):
        capacities.setdefault(workload, []).append(bench.capacity_rps(strategy, workload, PILOT_S))
    return {workload: min(found) for workload, found in capacities.items()}


def _tell(verified: Verified, watcher: Watcher) -> None:
    for problem in verified.problems:
        watcher.say(f"[red]✗[/] {verified.strategy.name}: {problem}")
