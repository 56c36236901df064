"""Tables and caches that grow, and storms of logins: every combination on fresh processes, in a fresh order."""

import random

import psycopg
import redis

from authbench.errors import StackError
from authbench.experiments.ground import Ground
from authbench.experiments.growth.plan import GrowthPlan
from authbench.experiments.growth.storm import Storm
from authbench.experiments.growth.tables import Tables
from authbench.experiments.growth.windows import Windows


def measure(ground: Ground, plan: GrowthPlan) -> None:
    """Records an observation a combination of levels and launch. Raises StackError where a part fails."""
    try:
        with Windows(ground.stack, ground.generator) as windows:
            _measure(ground, plan, windows)
    except (psycopg.Error, redis.RedisError) as error:
        ground.stack.check()  # where the part has died, its log says more
        raise StackError(f"{plan.kind}: a store failed: {error}") from error


def _measure(ground: Ground, plan: GrowthPlan, windows: Windows) -> None:
    planned = plan.estimated_seconds(len(ground.strategies), 1)
    for launch in range(ground.launches):
        tables, storm = Tables(ground, plan, windows, launch), Storm(ground, plan, windows, launch)
        if tables.done and storm.done:
            continue
        ground.watcher.phase(f"launch {launch + 1} of {ground.launches}: fresh processes")
        ground.stack.start_replicas()
        windows.start_launch()
        order = random.Random(f"{ground.seed}:{launch}")  # noqa: S311 - an experiment's order, not a secret
        tables.measure(order)
        storm.measure(order)
        ground.watcher.measured((launch + 1) * planned, ground.launches * planned)
    ground.stack.stop_replicas()
