"""Who the users of each strategy are, from round to round: minted once, and anew where a fault has cost them logins."""

from collections.abc import Mapping, Sequence

from apps.contract.registry import Strategy
from authbench.conformance.verification import Minted
from authbench.errors import UsageError
from authbench.experiments.faults.crowd.client import Client
from authbench.experiments.ground import Ground
from authbench.faults.fault import Fault

SPARE = 1  # the last one minted is nobody's


class Logins:
    """Every client is given out with a login that is good; whoever used them says whether it still is."""

    def __init__(self, ground: Ground, users: int) -> None:
        self._ground = ground
        self._users = users
        self._good: dict[str, list[Client]] = {}
        for strategy in ground.strategies:
            rows = ground.minted[strategy.name].unverified
            if len(rows) < users:
                raise UsageError(f"faults: users = {users}, but {strategy.name} has {len(rows)} (data.live_sessions)")
            if not strategy.sticky:
                self._good[strategy.name] = [Client.of(strategy, row) for row in rows[:users]]

    def of(self, strategies: Sequence[Strategy]) -> Mapping[str, Sequence[Client]]:
        """Clients of each, made by the strategy's own code where there are none that are good."""
        short = [each for each in strategies if each.name not in self._good]
        if short:
            files = self._ground.stack.mint_all(short, self._users + SPARE)
            for each in short:
                self._good[each.name] = [Client.of(each, row) for row in Minted.read(files[each.name]).rows]
        return {each.name: self._good.pop(each.name) for each in strategies}

    def give_back(self, strategy: Strategy, clients: Sequence[Client]) -> None:
        """They have good logins all of them. One that lives in a replica's memory goes with the replica."""
        if not strategy.sticky:
            self._good[strategy.name] = [client.fresh() for client in clients]

    def forget(self, fault: Fault) -> None:
        """What every strategy has lost by that fault, whether it took part or not."""
        if fault.part == "cache" and fault.action in ("kill", "restart"):
            for strategy in self._ground.strategies:
                if "cache" in strategy.stores:
                    self._good.pop(strategy.name, None)
