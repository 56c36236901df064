"""Orders read back from the database, against what clients were told."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.faults.crowd.client import Client
from authbench.experiments.faults.crowd.outcome import Ended
from authbench.experiments.faults.measures import ACKNOWLEDGED, LOST, UNTOLD
from authbench.records import Reason
from authbench.stack.databases import database_of


@dataclass(frozen=True, slots=True)
class Stored:
    """One order as it stands in the database."""

    number: int
    item: str  # the X-Request-ID of the request that ordered it
    user: int


def read_back(stack: EmbeddedStack, strategy: str, mark: str) -> list[Stored]:
    """All whose item begins so. Raises psycopg.Error where the database does not answer."""
    with stack.postgres.connect(database_of(strategy)) as connection:
        rows = connection.execute(
            "SELECT id, item, user_id FROM shop_order WHERE starts_with(item, %s) ORDER BY id", (mark,)
        ).fetchall()
    return [Stored(int(str(number)), str(item), int(str(user))) for number, item, user in rows]


def order_values(
    ended: Sequence[Ended], clients: Sequence[Client], stored: Iterable[Stored]
) -> tuple[dict[str, float | None], tuple[Reason, ...]]:
    """By name of the measure, and why it does not count: an order that stands there twice, or that nobody ordered."""
    acknowledged = {
        Stored(each.judged.order, each.identity, clients[each.user].caller.id)
        for each in ended
        if each.judged.order is not None
    }
    there = list(stored)
    ordered = {each.identity for each in ended if each.endpoint == "orders-create"}
    told = {each.item for each in acknowledged}
    values: dict[str, float | None] = {
        ACKNOWLEDGED.name: float(len(acknowledged)),
        LOST.name: float(len(acknowledged - set(there))),
        UNTOLD.name: float(len({each.item for each in there} & ordered - told)),
    }
    times = Counter(each.item for each in there)
    strange = [item for item, count in times.items() if count > 1 or item not in ordered]
    if not strange:
        return values, ()
    said = f"{len(strange)} orders stand in the database twice, or were ordered by nobody: {strange[0]} the first"
    return values, (Reason(code="orders-disagree", message=said),)
