"""The shop's SQL, and what its rows become: one statement an endpoint, as the Django shop asks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg

from apps.contract.endpoints import LISTED_ORDERS, PRICE_CENTS, REPORTED_ORDERS, Caller

USER_BY_NAME = "SELECT id, username, granted, password, is_active FROM shop_user WHERE username = %s"
ACTIVE_USER = "SELECT id, username, granted FROM shop_user WHERE id = %s AND is_active"
LOGGED_IN = "UPDATE shop_user SET last_login = %s WHERE id = %s"
ORDERS = f"""
SELECT id, item, quantity, total_cents, created FROM shop_order
WHERE user_id = %s ORDER BY id DESC LIMIT {LISTED_ORDERS}
"""  # noqa: S608
NEW_ORDER = """
INSERT INTO shop_order (user_id, item, quantity, total_cents, created) VALUES (%s, %s, %s, %s, %s) RETURNING id
"""
SALES = f"""
SELECT count(*), coalesce(sum(total_cents), 0)
FROM (SELECT total_cents FROM shop_order ORDER BY id DESC LIMIT {REPORTED_ORDERS}) newest
"""  # noqa: S608

# What psycopg raises where the database did not answer; anything else of it is a bug.
OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError)
UserGone = psycopg.IntegrityError  # a stateless credential outlives its user's row

Row = Sequence[Any]


def caller(row: Row) -> Caller:
    """Whom a user row names, from its first three columns."""
    return Caller(row[0], row[1], tuple(row[2]))


def orders(username: str, rows: Sequence[Row]) -> dict[str, Any]:
    """The body of `GET /api/orders`."""
    return {"username": username, "orders": [_order(*row) for row in rows]}


def new_order(user_id: int, item: str, quantity: int) -> tuple[Any, ...]:
    """The parameters of NEW_ORDER."""
    return user_id, item, quantity, quantity * PRICE_CENTS, datetime.now(UTC)


def created_order(username: str, parameters: Sequence[Any], row: Row) -> dict[str, Any]:
    """The body of `POST /api/orders`, from what NEW_ORDER was given and gave."""
    return {"username": username, "order": _order(row[0], *parameters[1:])}


def sales(username: str, row: Row) -> dict[str, Any]:
    """The body of `GET /api/reports/sales`. PostgreSQL sums big integers as numeric."""
    return {"username": username, "orders": row[0], "total_cents": int(row[1])}


def _order(order_id: int, item: str, quantity: int, total_cents: int, created: datetime) -> dict[str, Any]:
    return {
        "id": order_id,
        "item": item,
        "quantity": quantity,
        "total_cents": total_cents,
        "created": created.astimezone(UTC).isoformat(),
    }
