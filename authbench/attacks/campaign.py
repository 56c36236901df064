"""All attacks on all strategies of a running stack: the second half of `authbench verify --security`."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import redis

from apps.contract.registry import Strategy
from authbench.attacks.catalogue import ATTACKS
from authbench.attacks.findings import Finding, Try, outcome_of
from authbench.attacks.ground import Ground
from authbench.attacks.target import Attack, NotApplicable, Target
from authbench.attacks.wire import Wire
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.progress import Watcher

AT_ONCE = 2  # strategies: the machine may have no more than two cores
NO_LOGIN = "the control knows no login"


def campaign(
    stack: EmbeddedStack, strategies: Sequence[Strategy], minted: Mapping[str, Minted], watcher: Watcher
) -> list[Finding]:
    """A finding a strategy and attack, strategies in the order given. Replicas must be running, as they were verified.

    Raises StackError where a part fails.
    """
    watcher.phase("attacks on every strategy")
    ground = Ground(stack, minted)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = list(pool.map(lambda each: attack_all(ground, each), strategies))
    return [finding for row in rows for finding in row]


def attack_all(ground: Ground, strategy: Strategy) -> list[Finding]:
    """Every attack on one strategy, one after another."""
    if strategy.carrier == "none":
        return [_not_applicable(strategy, attack, NO_LOGIN) for attack in ATTACKS]
    with ExitStack() as exits:
        wire = exits.enter_context(Wire())
        target = ground.target(strategy, wire.send, exits)
        fresh = iter(ground.holders(strategy)[2:])
        findings = []
        for attack in ATTACKS:
            if strategy.one_time:  # what an attack before has let pass is used up
                target.victim = next(fresh, target.victim)
            findings.append(carried_out(attack, target))
        return findings


def carried_out(attack: Attack, target: Target) -> Finding:
    """The finding of one attack. What breaks off the attack itself is a break: something went as nobody foresaw."""
    strategy = target.strategy
    try:
        tries = tuple(_until_it_breaks_off(attack, target))
    except NotApplicable as reason:
        return _not_applicable(strategy, attack, str(reason))
    broken = tuple(each for each in tries if not each.held)
    return Finding(
        strategy=strategy.name,
        family=attack.family,
        attack=attack.name,
        source=attack.source,
        outcome=outcome_of(attack.name, broken, strategy.known_breaks),
        tried=len(tries),
        broken=broken,
    )


def _until_it_breaks_off(attack: Attack, target: Target) -> Iterator[Try]:
    tried = 0
    try:
        for each in attack.carry_out(target):
            tried += 1
            yield each
        if not tried:
            raise ValueError("nothing was sent")
    except (ValueError, KeyError, OSError, psycopg.Error, redis.RedisError) as error:
        yield Try(sent="the rest", expected="an attack to its end", came=f"{type(error).__name__}: {error}", held=False)


def _not_applicable(strategy: Strategy, attack: Attack, why: str) -> Finding:
    return Finding(
        strategy=strategy.name,
        family=attack.family,
        attack=attack.name,
        source=attack.source,
        outcome="not applicable",
        why=why,
    )
