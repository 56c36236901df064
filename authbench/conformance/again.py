"""Verification in short, for replicas that are deployed otherwise than those that passed the whole of it."""

from collections.abc import Mapping, Sequence

import httpx

from apps.contract.credentials import load
from apps.contract.endpoints import whoami_body
from apps.contract.registry import Strategy
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import caller_of, on_every_replica
from authbench.conformance.verification import Minted, subject_of


def refused_again(
    stack: EmbeddedStack, strategies: Sequence[Strategy], minted: Mapping[str, Minted]
) -> dict[str, tuple[str, ...]]:
    """Strategy -> what it does wrong now, of those that do: replicas must let the right user in and nobody else."""
    with httpx.Client(trust_env=False) as http:
        found = {each.name: _problems(stack, http, each, minted[each.name]) for each in strategies}
    return {name: problems for name, problems in found.items() if problems}


def _problems(stack: EmbeddedStack, http: httpx.Client, strategy: Strategy, minted: Minted) -> tuple[str, ...]:
    if strategy.carrier == "none":
        return ()
    subject = subject_of(http, strategy, stack.url(strategy.name), minted, stack.user_password, stack.replicas)
    row = minted.unverified[0]
    expected = whoami_body(caller_of(dict(row)))
    visitor = subject.anonymous.as_bearer_of(load(strategy.carrier, row["credential"]))
    problems = []
    try:
        strangers = on_every_replica(subject, lambda: subject.anonymous.call("whoami"))
        problems += [f"{name}: lets a stranger in" for name, answer in strangers.items() if answer.status != 401]
        if len(strangers) < stack.replicas:
            problems.append(f"{len(strangers)} of {stack.replicas} replicas answered")
        # A one-time token is good for one request: what load is sent with stays unused.
        if not strategy.one_time:
            known = on_every_replica(subject, lambda: visitor.as_bearer_of(visitor.credential).call("whoami"))
            problems += [f"{name}: wrong answer" for name, answer in known.items() if answer.body != expected]
    except (httpx.HTTPError, ValueError) as error:
        problems.append(f"{type(error).__name__}: {error}")
    return tuple(problems)
