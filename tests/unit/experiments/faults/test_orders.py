"""Orders that clients were told of are read back one by one."""

from apps.contract.credentials import Nothing
from apps.contract.endpoints import Caller
from apps.contract.registry import strategies
from authbench.experiments.faults.crowd.client import Client
from authbench.experiments.faults.orders import Stored, order_values
from tests.unit.experiments.faults.requests import ended

CLIENTS = [Client(strategies()["none"], Caller(user, f"user{user}", ()), Nothing(), Nothing()) for user in (11, 12)]
TOLD = ended(1.0, endpoint="orders-create", identity="m1", user=0, order=5)
UNKNOWN = ended(1.1, "unknown", endpoint="orders-create", identity="m2", user=1)
FAILED = ended(1.2, "failed", endpoint="orders-create", identity="m3", user=1)


def test_an_acknowledged_order_is_there_or_lost() -> None:
    values, reasons = order_values([TOLD], CLIENTS, [Stored(5, "m1", 11)])
    assert (values, reasons) == ({"acknowledged": 1.0, "lost": 0.0, "untold": 0.0}, ())
    for stored in ([], [Stored(5, "m1", 12)], [Stored(6, "m1", 11)]):  # gone, another's, or under another number
        values, _ = order_values([TOLD], CLIENTS, stored)
        assert values["lost"] == 1.0


def test_an_order_that_nobody_was_told_of_is_counted() -> None:
    values, reasons = order_values([TOLD, UNKNOWN, FAILED], CLIENTS, [Stored(5, "m1", 11), Stored(6, "m2", 12)])
    assert (values["lost"], values["untold"], reasons) == (0.0, 1.0, ())


def test_an_order_made_twice_or_by_nobody_does_not_count() -> None:
    twice = [Stored(5, "m1", 11), Stored(6, "m1", 11)]
    for stored in (twice, [Stored(5, "m1", 11), Stored(7, "m9", 11)]):
        _, reasons = order_values([TOLD], CLIENTS, stored)
        assert [reason.code for reason in reasons] == ["orders-disagree"]
