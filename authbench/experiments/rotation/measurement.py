"""What becomes of logins, and of the old key, while keys are rotated under load: every way, on fresh processes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from random import Random

from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.verification import Minted
from authbench.deployment import Secrets
from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.rotation.plan import RotationPlan, family_of
from authbench.experiments.rotation.rotating import Cell, Rotation, Row
from authbench.observed import Observation

FORGED = 121  # credentials, one a question of the probe; the last is kept by nobody


def measure(ground: Ground, plan: RotationPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    planned, everyone = ground.stack.deployment, cells(ground, plan)
    _check_rows(ground, plan, everyone)
    try:
        with _short_lived_sets(ground, plan):
            for launch in range(ground.launches):
                _launch(ground, plan, launch, everyone)
    finally:
        ground.stack.stop_replicas()
        ground.stack.deployment = planned  # whoever comes next starts as many as before


def cells(ground: Ground, plan: RotationPlan) -> list[Cell]:
    """All combinations, in an order of their own. Only a browser sends one jar of cookies with two requests at once."""
    return [
        Cell(strategy, family, way, page, secrets)
        for secrets in _secrets(ground.stack)
        for way in plan.way
        for strategy in ground.strategies
        for page in (plan.page if strategy.carrier == "cookie" else (1,))
        if (family := family_of(strategy)) is not None
        # Published keys are a file of the replicas' own: OpenBao has no document of them.
        and (family != "jwks" or secrets == "environment")
    ]


def _secrets(stack: EmbeddedStack) -> tuple[Secrets, ...]:
    """Where replicas get their keys: as the stack is deployed, and from OpenBao too where the scenario has it run."""
    usual = stack.deployment.secrets or "environment"
    return (usual,) if stack.parts.vault is None or usual == "openbao" else (usual, "openbao")


def _launch(ground: Ground, plan: RotationPlan, launch: int, everyone: Sequence[Cell]) -> None:
    draw = Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
    wanted = [cell for cell in everyone if not ground.is_done(plan.kind, launch, cell.levels())]
    for group in draw.sample(groups := groups_of(wanted), k=len(groups)):
        ground.watcher.phase(f"launch {launch + 1} of {ground.launches}: fresh processes with the old key")
        forged = _start(ground, plan, group)
        for cell in draw.sample(group, k=len(group)):
            ground.watcher.phase(f"launch {launch + 1}: {cell.strategy.name}, {cell.way}, {cell.page} requests a page")
            rows = _rows(ground, plan, cell, launch, everyone)
            found = Rotation(ground.stack, plan, cell, rows, forged[cell.strategy.name]).carry_out(draw)
            ground.record(
                Observation(
                    kind=plan.kind,
                    launch=launch,
                    levels=cell.levels(),
                    values=found.values,
                    reasons=found.reasons,
                    series=found.series,
                )
            )


def groups_of(wanted: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that replicas started at the same time serve: each strategy once, since its keys are then the new ones."""
    groups: list[list[Cell]] = []
    for cell in wanted:
        fits = (group for group in groups if _fits(cell, group))
        if (group := next(fits, None)) is not None:
            group.append(cell)
        else:
            groups.append([cell])
    return groups


def _fits(cell: Cell, group: Sequence[Cell]) -> bool:
    return group[0].secrets == cell.secrets and all(other.strategy != cell.strategy for other in group)


def _start(ground: Ground, plan: RotationPlan, group: Sequence[Cell]) -> dict[str, Sequence[Row]]:
    """Fresh replicas of the strategies concerned, with the old key, and credentials that somebody made with it.

    The strategy's own code makes them and no client is given them, as with somebody to whom the key has leaked.
    """
    stack = ground.stack
    deployment = stack.deployment.model_copy(update={"replicas": plan.replicas, "secrets": group[0].secrets})
    stack.start_replicas(deployment=deployment, only={cell.strategy.name for cell in group})
    count = min(FORGED, *(len(ground.minted[cell.strategy.name].rows) for cell in group))
    files = stack.mint_all([cell.strategy for cell in group], count)
    return {name: Minted.read(path).rows for name, path in files.items()}


def _rows(ground: Ground, plan: RotationPlan, cell: Cell, launch: int, everyone: Sequence[Cell]) -> Sequence[Row]:
    """Logins that no rotation has seen yet: each may end those that it is given."""
    own = [other for other in everyone if other.strategy == cell.strategy]
    first = (launch * len(own) + own.index(cell)) * plan.users
    return ground.minted[cell.strategy.name].unverified[first : first + plan.users]


def _check_rows(ground: Ground, plan: RotationPlan, everyone: Sequence[Cell]) -> None:
    """Raises StackError where there are fewer logins than all rotations together are given."""
    for strategy in dict.fromkeys(cell.strategy.name for cell in everyone):
        need = ground.launches * plan.users * sum(cell.strategy.name == strategy for cell in everyone)
        if (have := len(ground.minted[strategy].unverified)) < need:
            raise StackError(f"{strategy}: {have} live sessions are too few; [data] live_sessions = {need}")


@contextmanager
def _short_lived_sets(ground: Ground, plan: RotationPlan) -> Iterator[None]:
    """Verifiers of published keys keep a set for the plan's time."""
    stack = ground.stack
    concerned = [each.name for each in ground.strategies if family_of(each) == "jwks"]
    told: Mapping[str, str] = {
        "AUTHBENCH_JWKS_COOLDOWN_S": str(plan.jwks_cooldown_s),
        "AUTHBENCH_JWKS_MAX_AGE_S": str(plan.jwks_max_age_s),
    }
    with ExitStack() as ending:
        for name in concerned:
            usual = stack.variants[name]
            stack.swap(replace(usual, environment={**usual.environment, **told}))
            ending.callback(stack.swap, usual)
        yield
