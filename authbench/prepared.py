"""A stack that may be measured: credentials minted, every strategy verified, what each buys measured where asked."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.again import refused_again
from authbench.conformance.verification import Minted, Verified
from authbench.deployment import Deployment
from authbench.design import base_deployment, slowest_deployment
from authbench.errors import InvalidRunError
from authbench.order import Order
from authbench.progress import Watcher
from authbench.scenario import Scenario
from authbench.semantics.findings import SEMANTICS_FILE, write_semantics
from authbench.semantics.measurement import measure
from authbench.setting_up import open_sessions, prepare_requests, verify_stack
from authbench.trial import RequestFile


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that measuring needs, and what verification found."""

    stack: EmbeddedStack
    able: tuple[Strategy, ...]  # those that passed verification, in the scenario's order
    verified: Mapping[str, Verified]
    minted: Mapping[str, Minted]
    files: Mapping[tuple[str, str], RequestFile]
    base: Deployment  # what was verified

    @property
    def passed(self) -> set[str]:
        """Names of the strategies that passed verification."""
        return {each.name for each in self.able}

    def go_slowest(self, scenario: Scenario) -> None:
        """Has the replicas run as the slowest deployment that will be loaded: what it can serve, all can."""
        slowest = slowest_deployment(scenario)
        if scenario.factors.load and slowest != self.stack.deployment:
            self.stack.start_replicas(deployment=slowest)

    def verified_now(self, watcher: Watcher) -> set[str]:
        """Names of those that do right on the replicas that run now; tells of the others.

        The whole verification was on `base`; under another deployment every replica is asked again, in short.
        """
        if self.stack.deployment == self.base:
            return self.passed
        refused = refused_again(self.stack, self.able, self.minted)
        for name, problems in refused.items():
            watcher.say(f"[red]not verified as deployed now:[/] {name}: {problems[0]}")
        return self.passed - refused.keys()


def prepare(order: Order, stack: EmbeddedStack, contenders: Sequence[Strategy], watcher: Watcher) -> Prepared:
    """Mints, starts replicas, verifies, and measures semantics where the scenario asks and the folder has none yet.

    Raises InvalidRunError where no strategy passes, StackError where a part fails.
    """
    scenario, minted_at = order.scenario, time.time()
    semantics = None if (order.folder / SEMANTICS_FILE).is_file() else scenario.semantics
    minted = open_sessions(stack, contenders, scenario.data.live_sessions, probands=semantics is not None)
    files = prepare_requests(stack, scenario, contenders, minted, order.seed, minted_at)
    watcher.phase("starting replicas")
    base = base_deployment(scenario)
    stack.start_replicas(deployment=base)
    watcher.phase("verifying every strategy on every replica")
    verified = verify_stack(stack, contenders, minted, watcher)
    able = tuple(each for each in contenders if verified[each.name].passed)
    if not able:
        raise InvalidRunError("no strategy passed verification, so nothing was measured; see `authbench verify`")
    if semantics is not None:
        write_semantics(order.folder, measure(stack, able, minted, semantics, watcher))
        stack.start_replicas()  # the clocks of those that run do not agree
    return Prepared(stack, able, verified, minted, files, base)
