"""Defects that answer rightly and cost more than they should."""

from tests.mutants.commands import Gate, Verify
from tests.mutants.mutant import Edit, Mutant

VIEWS = "apps/shop/views.py"
MIDDLEWARE = "apps/shop/middleware.py"
SESSION = "apps/strategies/_session.py"
HANDLED = "        response.headers[REPLICA_HEADER] = replica\n"
PUBLIC = '    return _json({"public": True})\n'

COST = (
    Mutant(
        "user-row-twice",
        "cost",
        "The user's row is read twice a request.",
        (
            Edit(
                SESSION,
                "        user = request.user\n",
                "        user = request.user\n        active_user(user.pk or 0)\n",
            ),
        ),
        Verify(("session-cookie",)),
        ("GET /api/whoami: 2 SQL statements", "declared 1"),
    ),
    Mutant(
        "query-per-order",
        "cost",
        "Each listed order is read by a statement of its own (N+1).",
        (
            Edit(
                VIEWS,
                "    return [_order(row) for row in newest]\n",
                '    return [_order(Order.objects.values(*ORDER_FIELDS).get(pk=row["id"])) for row in newest]\n',
            ),
        ),
        Verify(("jwt-hs256",)),
        ("GET /api/orders: ", "SQL statements", "declared 1"),
    ),
    Mutant(
        "query-on-public",
        "cost",
        "Every request, the control's too, begins with a statement.",
        (Edit(VIEWS, PUBLIC, "    Order.objects.exists()\n" + PUBLIC),),
        Verify(("jwt-hs256",)),
        ("GET /api/public: 1 SQL statements", "declared 0"),
    ),
    Mutant(
        "cache-asked-twice",
        "cost",
        "A session is read from the cache twice a request.",
        (
            Edit(
                "apps/strategies/engines/cache.py",
                "        if data is None:\n",
                "        data = self._cache.get(self.cache_key) if lawful else None\n        if data is None:\n",
            ),
        ),
        Verify(("session-cache-claims",)),
        ("GET /api/whoami: 0 SQL statements, 2 cache commands", "declared 0, 1"),
    ),
    Mutant(
        "connection-a-request",
        "cost",
        "Connections to the database are not kept: one is opened a request.",
        (
            Edit(
                "apps/shop/environment.py",
                '    database["CONN_MAX_AGE"] = age\n',
                '    database["CONN_MAX_AGE"] = 0\n',
            ),
        ),
        Gate("session-db"),
        ("connections_opened_per_request", "regression", "+1 connections"),
    ),
    Mutant(
        "connection-leaked",
        "cost",
        "Every request opens a connection to the database that nobody closes.",
        (
            Edit(
                VIEWS,
                "    return HttpResponse(whoami_body(caller)",
                "    from django.db import connection\n\n"
                "    _leaked.append(connection.copy())\n"
                "    _leaked[-1].connect()\n"
                "    return HttpResponse(whoami_body(caller)",
            ),
            Edit(VIEWS, "ORDER_FIELDS = (", "_leaked: list[Any] = []\nORDER_FIELDS = ("),
        ),
        Gate("jwt-hs256"),
        ("connections_opened_per_request", "regression", "+1 connections"),
    ),
    Mutant(
        "credential-100-bytes-longer",
        "cost",
        "Tokens gain a claim of some 75 characters that nobody reads.",
        (
            Edit(
                "apps/strategies/_tokens.py",
                '        "username": caller.username,\n',
                '        "username": caller.username,\n        "padding": "x" * 60,\n',
            ),
        ),
        Gate("jwt-hs256"),
        ("credential_bytes", "regression"),
    ),
    Mutant(
        "answer-longer",
        "cost",
        "Every answer has a header more.",
        (Edit(MIDDLEWARE, HANDLED, HANDLED + '        response.headers["X-Debug"] = "0123456789"\n'),),
        Gate("jwt-hs256"),
        ("answer_bytes", "regression"),
    ),
    Mutant(
        "python-4-percent",
        "cost",
        "Some 4 % more bytecodes a request: a loop of 58 turns.",
        (
            Edit(
                MIDDLEWARE,
                HANDLED,
                "        total = 0\n        for turn in range(58):\n            total += turn\n" + HANDLED,
            ),
        ),
        Gate("jwt-hs256"),
        ("bytecodes_per_request", "regression"),
    ),
    Mutant(
        "cpu-3-percent-in-c",
        "cost",
        "3 % more CPU a request in one call into C, which no count of Python sees.",
        (Edit(MIDDLEWARE, HANDLED, "        sum(range(320))\n" + HANDLED),),
        Gate("jwt-hs256", tiers="0,1", max_regression="2%"),
        ("instructions_per_request", "regression"),
    ),
    Mutant(
        "waits-2-ms",
        "cost",
        "Every request waits 2 ms and uses no CPU meanwhile.",
        (Edit(MIDDLEWARE, HANDLED, '        __import__("time").sleep(0.002)\n' + HANDLED),),
        Gate("jwt-hs256", tiers="2", minutes=1.0),
        ("elapsed_ms_per_request", "regression"),
    ),
)
