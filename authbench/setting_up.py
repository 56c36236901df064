"""From an empty stack to one that may be measured: data, credentials, verification, prepared requests, rates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.credentials_kept import stored_password
from authbench.conformance.verification import Minted, Verified, subject_of, verify
from authbench.errors import UsageError
from authbench.expiry import first_expiry
from authbench.probes.counts import StoreReader
from authbench.progress import Watcher
from authbench.scenario import VERIFICATIONS, Cell, Scenario, rate_share
from authbench.semantics.probands import COUNT as PROBANDS
from authbench.semantics.probands import grant_permissions
from authbench.supply import supply_of
from authbench.terminal import shown
from authbench.trial import OPEN_MODEL_POOL, Bench, RequestFile
from authbench.working_set import Extent, extent, fewest_sessions
from authbench.workload import credential_bytes, requests_of, write_requests

PILOT_S = 0.2  # of the closed model, a strategy and workload: finds the rate that all can serve
USERS_IN_FLIGHT = 2  # users with one-time tokens for each request in flight: half of them have a token to send


def open_sessions(
    stack: EmbeddedStack, strategies: Sequence[Strategy], live_sessions: int, *, probands: bool = False
) -> dict[str, Minted]:
    """Every strategy's live sessions, made by its own code, and those that verification uses, renews and ends.

    `probands`: and those of the users that semantics are measured on.
    """
    count = live_sessions + VERIFICATIONS
    if probands:
        for strategy in strategies:
            grant_permissions(stack.dsn(strategy.name), first_id=count + 1)
    more = PROBANDS if probands else 0
    paths = stack.mint_all(strategies, count + more)
    return {strategy.name: Minted.read(paths[strategy.name], more) for strategy in strategies}


def verify_stack(
    stack: EmbeddedStack, strategies: Sequence[Strategy], minted: Mapping[str, Minted], watcher: Watcher
) -> dict[str, Verified]:
    """Runs the conformance checks through the load balancer on every replica of every strategy."""
    with httpx.Client(trust_env=False) as http, StoreReader(stack) as reader:
        subjects = [
            replace(
                subject_of(http, s, stack.url(s.name), minted[s.name], stack.user_password, stack.replicas),
                stored_password=stored_password(stack.dsn(s.name), int(minted[s.name].customer["id"])),
            )
            for s in strategies
        ]
        counters = {s.name: reader.of(s.name) for s in strategies}
        return verify(subjects, counters, done=lambda verified: tell(verified, watcher))


def prepare_requests(
    stack: EmbeddedStack,
    scenario: Scenario,
    strategies: Sequence[Strategy],
    minted: Mapping[str, Minted],
    seed: int,
    minted_at: float,
    *,
    folder: Path | None = None,
) -> dict[tuple[str, str], RequestFile]:
    """Writes the request file of every strategy and workload into `folder` (default: the stack's, and goes with it).

    `minted_at`: a Unix time before the credentials were made; those that do not say when they end count from it.
    Raises UsageError where there are too few credentials for a strategy's workload.
    """
    files: dict[tuple[str, str], RequestFile] = {}
    for strategy in strategies:
        of_strategy = minted[strategy.name]
        rows = of_strategy.unverified
        mean_bytes = credential_bytes(rows, strategy.carrier)
        expires_at = first_expiry(rows, strategy.carrier, minted_at)
        for workload in scenario.factors.workload:
            path = (folder or stack.folder) / f"requests-{strategy.name}-{workload}.jsonl"
            taken = _taken(scenario, strategy, workload, rows)
            shares, url = scenario.workloads[workload], stack.url(strategy.name)
            write_requests(path, requests_of(rows, strategy, url, shares, seed, taken))
            supply = supply_of(scenario.working_set(workload), taken.requests, scenario.launched())
            files[strategy.name, workload] = RequestFile(path, mean_bytes, expires_at, supply)
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


def _taken(scenario: Scenario, strategy: Strategy, workload: str, rows: Sequence[Mapping[str, Any]]) -> Extent:
    """What the workload takes of the rows."""
    kind, launched = scenario.working_set(workload), scenario.launched()
    if len(rows) < (needed := fewest_sessions(kind, launched)):
        raise UsageError(
            f"{strategy.name}: workload {workload!r} ({kind}) needs {needed} live sessions, there are {len(rows)}"
        )
    taken = extent(kind, len(rows), launched)
    rated = any(rate_share(load) is not None for load in scenario.factors.load)
    closed = scenario.factors.connections or (scenario.load.connections,)
    in_flight = max(*closed, OPEN_MODEL_POOL if rated else 0)
    if strategy.one_time and taken.users < USERS_IN_FLIGHT * in_flight:
        raise UsageError(
            f"{strategy.name}: workload {workload!r} ({kind}) sends the tokens of {taken.users} users, fewer than "
            f"{USERS_IN_FLIGHT * in_flight} for {in_flight} requests in flight; each is good for one request only"
        )
    return taken


def tell(verified: Verified, watcher: Watcher) -> None:
    """Says what is wrong with it, a line a problem."""
    for problem in verified.problems:
        watcher.say(f"[red]✗[/] {shown(verified.strategy.name)}: {shown(problem)}")
