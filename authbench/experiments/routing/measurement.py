"""How requests find a replica, and what happens to logins where a replica joins or leaves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from apps.contract.endpoints import ROUTE_COOKIE
from authbench.conformance.verification import Minted
from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.routing.counting import ALL, Cell, Count, cells
from authbench.experiments.routing.loading import Rise
from authbench.experiments.routing.logins import FILES, deal_files
from authbench.experiments.routing.plan import REPLICAS, FileStore, RoutingPlan
from authbench.stack.replicas import replica_name


def measure(ground: Ground, plan: RoutingPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    planned = ground.stack.deployment
    ground = _with_logins_for_all(ground)
    try:
        _launches(ground, plan)
    finally:
        ground.stack.stop_replicas()
        ground.stack.deployment = planned  # whoever comes next starts as many as before


def _launches(ground: Ground, plan: RoutingPlan) -> None:
    rise = Rise(ground, plan)
    for launch in range(ground.launches):
        draw = Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
        loads = [levels for levels in rise.levels() if not ground.is_done(plan.kind, launch, levels)]
        by_store = {store: _cells(ground, plan, store, launch) for store in plan.session_file}
        if not loads and not any(by_store.values()):
            continue
        ground.watcher.phase(f"launch {launch + 1} of {ground.launches}: fresh processes")
        ground.stack.start_replicas(REPLICAS)
        if loads:
            rise.carry_out(launch, draw)
        for store, wanted in by_store.items():
            if not wanted:
                continue
            ground.watcher.phase(f"launch {launch + 1}: clients log in, replicas come and go ({store} session files)")
            if store == "unshared" or store != plan.session_file[0]:  # they were started with the shared folder
                _restart_with_files(ground, store)
            Count(ground, plan, launch, draw).carry_out(wanted)


def _cells(ground: Ground, plan: RoutingPlan, store: FileStore, launch: int) -> Sequence[Cell]:
    """What is still to be counted with session files kept so; of other strategies, once: with the first way."""
    once = store == plan.session_file[0]
    concerned = [each for each in ground.strategies if each.carrier != "none" and (once or each.name == FILES)]
    wanted = cells(concerned, store, plan.method)
    return [cell for cell in wanted if not ground.is_done(plan.kind, launch, cell.levels())]


def _with_logins_for_all(ground: Ground) -> Ground:
    """Logins that live at one replica are made anew where some of the replicas have none: fewer were planned."""
    short = [each for each in ground.strategies if each.sticky and len(_homes(ground.minted[each.name])) < REPLICAS]
    if not short:
        return ground
    ground.stack.deal_logins(REPLICAS)
    made = {}
    for strategy in short:
        count = len(ground.minted[strategy.name].rows) + 1
        made[strategy.name] = Minted.read(ground.stack.mint(strategy, count))
    return replace(ground, minted={**ground.minted, **made})


def _homes(minted: Minted) -> set[str]:
    return {row["credential"]["cookies"][ROUTE_COOKIE] for row in minted.rows}


def _restart_with_files(ground: Ground, store: FileStore) -> None:
    """Fresh replicas of `session-file` on the shared folder, or each on one of its own, with its share of logins."""
    stack = ground.stack
    if FILES not in stack.strategies:
        return
    shared = stack.session_folder(FILES)
    folders = {replica_name(FILES, number): shared for number in ALL}
    if store == "unshared":
        folders = {name: stack.folder / "unshared" / name for name in folders}
        _deal(ground, shared, folders)
    for number, folder in zip(ALL, folders.values(), strict=True):
        stack.begin_replica(FILES, number, {"AUTHBENCH_SESSION_DIR": str(folder)})


def _deal(ground: Ground, shared: Path, own: dict[str, Path]) -> None:
    try:
        deal_files(ground.minted[FILES].unverified, shared, own)
    except OSError as error:
        raise StackError(f"{FILES}: its sessions cannot be dealt to its replicas: {error}") from error
