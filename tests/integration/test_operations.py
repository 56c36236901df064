"""What each strategy asks of the stores is what its file declares and what people reviewed in tests/operations."""

import json
from pathlib import Path

import pytest

from apps.contract.registry import Operations, strategies
from apps.shop.observation import record
from tests.integration.shop_stack import ShopStack, shop_stack  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow
# PostgreSQL flushes by itself too, once a second: a login whose password takes that long to hash meets it.
FLUSHING = """
from apps.shop.models import User
from apps.shop.observation import FLUSH, Reply, see
from django.db import connection

def act():
    User.objects.first()
    connection.cursor().execute(FLUSH)
    return Reply(200, (), b"")

print(see(act)[1].transactions)
"""
RECORDS = Path(__file__).parents[1] / "operations"
OWN = {
    name: found
    for name, found in strategies().items()
    if found.settings.startswith("apps.strategies.") and found.counted_in_process
}


@pytest.mark.parametrize("name", OWN)
def test_endpoints_ask_what_was_reviewed_and_declared(name: str, shop_stack: ShopStack) -> None:  # noqa: F811
    """To accept a change, read it: `python -m apps.shop.manage operations --text > tests/operations/<name>.txt`."""
    module = OWN[name].settings.rpartition(".")[2]
    shop_stack.create_database(module)
    if OWN[name].own_tables:
        shop_stack.manage(module, "migrate", "--verbosity", "0")

    seen = json.loads(shop_stack.manage(module, "operations", "--stores-only"))

    assert seen["strategy"] == name
    counted = {
        endpoint: Operations(len(found["sql"]), len(found["cache"]), found["transactions"], len(found["auth"]))
        for endpoint, found in seen["endpoints"].items()
    }
    assert counted == OWN[name].operations
    assert record(seen["endpoints"]) == (RECORDS / f"{name}.txt").read_text(encoding="utf-8")


def test_a_connection_a_request_is_counted_and_is_no_transaction_of_the_request(shop_stack: ShopStack) -> None:  # noqa: F811
    database = shop_stack.create_database("session_db")
    shown = shop_stack.manage(
        "session_db", "operations", "whoami", "public", database=database, AUTHBENCH_CONN_MAX_AGE="0"
    )
    seen = json.loads(shown)["endpoints"]
    assert (seen["whoami"]["connections"], seen["whoami"]["transactions"]) == (1, 2)
    assert (seen["public"]["connections"], seen["public"]["transactions"]) == (0, 0)


@pytest.mark.parametrize("module", ["session_db", "session_cached_db", "jwt_hs256"])
def test_every_count_is_the_same_in_another_process(module: str, shop_stack: ShopStack) -> None:  # noqa: F811
    first, second = (
        json.loads(shop_stack.manage(module, "operations", database=shop_stack.create_database(module)))
        for _ in range(2)
    )
    for name, found in first["endpoints"].items():
        executed, again = found.pop("bytecodes"), second["endpoints"][name].pop("bytecodes")
        # Waiting for a store's socket takes a turn more or less.
        assert executed == again or abs(executed / again - 1) < 0.01, name
        assert name == "login" or found["calls"] is not None, name

    assert first == second


def test_a_request_that_ends_with_a_flush_of_the_counts_is_counted_like_any_other(
    shop_stack: ShopStack,  # noqa: F811
) -> None:
    database = shop_stack.create_database("jwt_hs256")
    assert shop_stack.manage("jwt_hs256", "shell", "--no-imports", "-c", FLUSHING, database=database) == "2\n"


def test_a_record_belongs_to_every_strategy_and_to_nothing_else() -> None:
    assert sorted(path.stem for path in RECORDS.glob("*.txt")) == sorted(OWN)
