"""One login a strategy: what its answer gives away, and to whom."""

from collections.abc import Sequence
from http.cookies import SimpleCookie
from typing import Any

import httpx

from apps.contract.credentials import CSRF_COOKIE, anonymous
from apps.contract.registry import Strategy
from authbench.conformance.checks import caller_of
from authbench.conformance.visitor import Answer, User, Visitor
from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.reading.decoding import facts_readable
from authbench.experiments.reading.plan import ReadingPlan
from authbench.observed import Observation

ONE_LAUNCH = 0  # what a credential says is no matter of chance


def measure(ground: Ground, plan: ReadingPlan) -> None:
    """An observation a strategy that knows a login. Raises StackError where a login fails."""
    todo = [
        each
        for each in ground.strategies
        if each.carrier != "none" and not ground.is_done(plan.kind, ONE_LAUNCH, {"strategy": each.name})
    ]
    if not todo:
        return
    ground.watcher.phase("what a credential says without a key")
    ground.stack.start_replicas(1)
    with httpx.Client(trust_env=False) as http:
        for strategy in todo:
            ground.record(_observed(ground, http, strategy, plan.kind))


def _observed(ground: Ground, http: httpx.Client, strategy: Strategy, kind: str) -> Observation:
    # The user with a permission: one that has none would leave nothing to read.
    row = ground.minted[strategy.name].analyst
    user = User(caller_of(dict(row)), ground.stack.user_password)
    visitor = Visitor(http, ground.stack.url(strategy.name), strategy, anonymous(strategy.carrier))
    answer = visitor.log_in(user)
    if answer.status != 200:
        raise StackError(f"{strategy.name}: the login of {user.caller.username} was answered {answer.status}")
    texts = _texts(visitor.credential.dump())
    caller = {
        "id": user.caller.id,
        "username": user.caller.username,
        "permissions": list(user.caller.permissions),
    }
    return Observation(
        kind=kind,
        launch=ONE_LAUNCH,
        levels={"strategy": strategy.name},
        values={
            "facts_readable": facts_readable(texts, caller),
            "script_may_read": int(script_may_read(answer, texts)),
        },
    )


def script_may_read(answer: Answer, texts: Sequence[str]) -> bool:
    """Whether a part of the credential is in the login's body, or in a cookie without HttpOnly (RFC 6265, 4.1.2.6)."""
    if any(text in answer.body.decode("utf-8", "replace") for text in texts if text):
        return True
    cookies = [SimpleCookie(value) for name, value in answer.headers if name.lower() == "set-cookie"]
    return any(not morsel["httponly"] for cookie in cookies for morsel in cookie.values() if morsel.value in texts)


def _texts(dumped: Any) -> Sequence[str]:
    """Every string value of a credential that names a login: a CSRF token is a script's to read."""
    if isinstance(dumped, str):
        return [dumped]
    if isinstance(dumped, dict):
        return [text for name, value in dumped.items() if name != CSRF_COOKIE for text in _texts(value)]
    return []
