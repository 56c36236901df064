"""All checks over all strategies of a running stack: who may be measured, and why the others may not."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from apps.contract.credentials import anonymous, load
from apps.contract.registry import Strategy
from authbench.conformance.checks import BEHAVIOUR, Subject, caller_of
from authbench.conformance.counts import Counted, ReadCounts, count_operations, differs_from_declaration
from authbench.conformance.credentials_kept import (
    refuses_used_refresh_tokens,
    stores_passwords_slowly,
    takes_one_time_credentials_once,
)
from authbench.conformance.visitor import User, Visitor

# Two at a time: logging in keeps one core busy with the password hash, and the machine may have no more than two.
PARALLEL = 2
CHECKS = (*BEHAVIOUR, refuses_used_refresh_tokens, takes_one_time_credentials_once, stores_passwords_slowly)


@dataclass(frozen=True, slots=True)
class Verified:
    """What verification found out about one strategy."""

    strategy: Strategy
    problems: tuple[str, ...]
    bodies: Mapping[str, bytes] = field(default_factory=dict)  # what must be the same for every strategy
    counted: Mapping[str, Counted] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the strategy may be measured."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Minted:
    """The minted credentials of one strategy, as `manage.py mint` wrote them.

    The last one is `spare`: verification may end its session, so it is not among the `rows` that load is sent with.
    """

    rows: tuple[Mapping[str, Any], ...]
    spare: Mapping[str, Any]
    probands: tuple[Mapping[str, Any], ...] = ()  # set aside for `authbench.semantics`

    @classmethod
    def read(cls, path: Path, probands: int = 0) -> "Minted":
        """Reads the JSON-lines file, whose last lines are the probands'."""
        everyone = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        *rows, spare = everyone[: len(everyone) - probands]
        return cls(tuple(rows), spare, tuple(everyone[len(everyone) - probands :]))

    @property
    def customer(self) -> Mapping[str, Any]:
        """The first user without a permission: verification calls as him."""
        return next(row for row in self.rows if not row["permissions"])

    @property
    def analyst(self) -> Mapping[str, Any]:
        """The first user with a permission, else the customer: verification calls as her."""
        return next((row for row in self.rows if row["permissions"]), self.customer)

    @property
    def unverified(self) -> tuple[Mapping[str, Any], ...]:
        """The rows that verification does not call as: a one-time token of theirs is still good for a request."""
        called = (self.customer, self.analyst)  # rows, not users: every row of the control is the same user's
        return tuple(row for row in self.rows if all(row is not each for each in called))


def subject_of(
    http: httpx.Client, strategy: Strategy, url: str, minted: Minted, password: str, replicas: int
) -> Subject:
    """The first minted user without a permission and the first with one, as clients of the strategy."""
    customer, analyst = minted.customer, minted.analyst
    return Subject(
        anonymous=Visitor(http, url, strategy, anonymous(strategy.carrier)),
        customer=User(caller_of(dict(customer)), password),
        analyst=User(caller_of(dict(analyst)), password),
        customer_credential=load(strategy.carrier, customer["credential"]),
        analyst_credential=load(strategy.carrier, analyst["credential"]),
        spare=User(caller_of(dict(minted.spare)), password),
        spare_credential=load(strategy.carrier, minted.spare["credential"]),
        replicas=replicas,
    )


def verify(
    subjects: Sequence[Subject],
    counters: Mapping[str, ReadCounts],
    done: Callable[[Verified], None] = lambda _: None,
) -> dict[str, Verified]:
    """Runs every check; behaviour a few strategies at a time, counts one by one, since the cache is shared.

    `done` hears of each strategy as it is finished.
    """
    with ThreadPoolExecutor(PARALLEL) as pool:
        behaviour = dict(zip((s.strategy.name for s in subjects), pool.map(_behave, subjects), strict=True))
    bodies = {s.strategy.name: _comparable_bodies(s) for s in subjects if not behaviour[s.strategy.name]}
    results: dict[str, Verified] = {}
    for subject in subjects:
        name = subject.strategy.name
        problems: list[str] = behaviour[name] + _differing(name, bodies)
        counted: Mapping[str, Counted] = {}
        if not problems:
            try:
                counted = count_operations(subject, counters[name])
                problems += differs_from_declaration(subject, counted)
            except (httpx.HTTPError, ValueError) as error:
                problems.append(f"counting: {type(error).__name__}: {error}")
        results[name] = Verified(subject.strategy, tuple(problems), bodies.get(name, {}), counted)
        done(results[name])
    return results


def _behave(subject: Subject) -> list[str]:
    problems: list[str] = []
    for check in CHECKS:
        try:
            problems += [f"{check.__name__}: {problem}" for problem in check(subject)]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # A broken answer is the strategy's failure, not the bench's.
            problems.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return problems


def _comparable_bodies(subject: Subject) -> dict[str, bytes]:
    """Answers about a user whose data no check changes, so that they are the same bytes for every strategy."""
    bodies = {"GET /api/public": subject.anonymous.call("public").body}
    if subject.keeps_state:
        analyst = subject.visitor(subject.analyst)
        bodies["GET /api/whoami"] = analyst.call("whoami").body
        bodies["GET /api/orders"] = analyst.call("orders").body
    return bodies


def _differing(name: str, bodies: Mapping[str, Mapping[str, bytes]]) -> list[str]:
    """Bodies of this strategy that are not what most strategies answer."""
    problems = []
    for request, body in bodies.get(name, {}).items():
        others = Counter(other[request] for other in bodies.values() if request in other)
        usual, _ = others.most_common(1)[0]
        if body != usual:
            problems.append(f"{request}: {len(body)} bytes that differ from the {len(usual)} of the other strategies")
    return problems
