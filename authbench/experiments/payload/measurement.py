"""Data of 0.1 to 6 KB beside a login: bytes on the wire, CPU, and the limits that it meets."""

import random
from collections.abc import Iterable, Mapping, Sequence

from apps.contract.registry import Strategy
from authbench.experiments.ground import Ground
from authbench.experiments.payload.answer import ask
from authbench.experiments.payload.laden import Laden, mint
from authbench.experiments.payload.measures import Refuser
from authbench.experiments.payload.plan import PayloadPlan
from authbench.experiments.payload.window import Window
from authbench.observed import Observation
from authbench.records import Level, Reason
from authbench.semantics.sizes import HEADERS, header_limit

Values = dict[str, float | None]


def measure(ground: Ground, plan: PayloadPlan) -> None:
    """Records an observation a strategy, payload and launch. Raises StackError where a part fails.

    Logins are minted once a payload, and every launch of fresh processes is sent the same ones: what they differ by is
    no chance between launches. All payloads of a launch meet the same processes, in an order of its own.
    """
    laden = _mint(ground, plan)
    if not laden:
        return
    planned = len(laden) * ground.launches * plan.window_s
    for launch in range(ground.launches):
        todo = [each for each in laden if not ground.is_done(plan.kind, launch, levels(each))]
        if not todo:
            continue
        random.Random(f"{ground.seed}:{launch}").shuffle(todo)  # noqa: S311 - an experiment's order, not a secret
        ground.watcher.phase(f"launch {launch + 1} of {ground.launches}: fresh processes")
        ground.stack.start_replicas()
        limits = _limits(ground, {each.strategy.name: each.strategy for each in todo}.values())
        window = Window(ground.stack, ground.generator, plan)
        for done, each in enumerate(todo, start=1):
            name = each.strategy.name
            ground.watcher.phase(f"launch {launch + 1}: {name} with {each.payload_bytes:,} bytes")
            ground.record(_observe(ground, launch, each, limits[name], window))
            ground.watcher.measured((launch * len(laden) + done) * plan.window_s, planned)
        ground.stack.check()
    ground.stack.stop_replicas()


def levels(laden: Laden) -> Mapping[str, Level]:
    """Factor -> level of what is observed of it."""
    return {"strategy": laden.strategy.name, "payload_bytes": laden.payload_bytes}


def _mint(ground: Ground, plan: PayloadPlan) -> list[Laden]:
    """Every strategy's logins with every payload that is not wholly observed yet."""
    laden: list[Laden] = []
    for payload_bytes in dict.fromkeys(plan.payload_bytes):
        open_ = [each for each in ground.strategies if _is_open(ground, plan, each, payload_bytes)]
        if open_:
            ground.watcher.phase(f"logging users in with {payload_bytes:,} bytes of data")
            laden += mint(ground.stack, open_, payload_bytes, plan.users, ground.seed).values()
    return laden


def _is_open(ground: Ground, plan: PayloadPlan, strategy: Strategy, payload_bytes: int) -> bool:
    at: Mapping[str, Level] = {"strategy": strategy.name, "payload_bytes": payload_bytes}
    return not all(ground.is_done(plan.kind, launch, at) for launch in range(ground.launches))


def _limits(ground: Ground, strategies: Iterable[Strategy]) -> dict[str, Values]:
    """Strategy -> the longest header line that gets through to its application: nobody's, where it sends none."""
    found: dict[str, Values] = {}
    for each in strategies:
        places = {"balancer": ground.stack.url(each.name), "replica": ground.stack.replica_urls(each.name)[0]}
        found[each.name] = {
            f"{place}_limit_bytes": header_limit(url, each.carrier).bytes if each.carrier in HEADERS else None
            for place, url in places.items()
        }
    return found


def _observe(ground: Ground, launch: int, laden: Laden, limits: Values, window: Window) -> Observation:
    """First one request, then, where it is let in, all of them."""
    name, stack = laden.strategy.name, ground.stack
    balanced, direct = ask(stack.url(name), laden.headers), ask(stack.replica_urls(name)[0], laden.headers)
    refuser = balanced.refuser(balanced=True)
    values: Values = {
        "credential_bytes": laden.credential_bytes,
        "header_bytes": laden.header_bytes,
        "cookie_bytes": laden.cookie_bytes,
        "balancer_status": balanced.status,
        "balancer_refuser": refuser,
        "replica_status": direct.status,
        "replica_refuser": direct.refuser(balanced=False),
        "stored_bytes": laden.stored.kept,
        "loaded_bytes": laden.stored.loaded,
        **limits,
    }
    reasons: Sequence[Reason] = ()
    if any(answer.status == 200 and answer.body != laden.body for answer in (balanced, direct)):
        reasons = (Reason(code="wrong-user", message="let in, and the answer is not the user's"),)
    elif refuser is Refuser.NOBODY:
        loaded, reasons = window.measure(laden)
        values |= loaded
    return Observation(kind="payload", launch=launch, levels=levels(laden), values=values, reasons=tuple(reasons))
