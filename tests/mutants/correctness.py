"""Defects of answers: wrong ones, lost ones, and those that only load brings out."""

from tests.mutants.commands import Run, Verify
from tests.mutants.mutant import Edit, Mutant

VIEWS = "apps/shop/views.py"
WHOAMI = '    return HttpResponse(whoami_body(caller), content_type="application/json")\n'
FIELDS = 'ORDER_FIELDS = ("id", "item", "quantity", "total_cents", "created")\n'
PLACED = "    return _order({name: getattr(order, name) for name in ORDER_FIELDS})\n"
HANDLED = "        response.headers[REPLICA_HEADER] = replica\n"
MIDDLEWARE = "apps/shop/middleware.py"
COUNTED = f'{FIELDS}_turn = __import__("itertools").count(1)\n'

CORRECTNESS = (
    Mutant(
        "stale-key-on-one-replica",
        "correctness",
        "One of two replicas verifies with a key that nobody signs with.",
        (
            Edit(
                "apps/strategies/jwt_hs256.py",
                'JWT_KEY = signing_key("AUTHBENCH_JWT_KEY")\n',
                'JWT_KEY = b"k" * 32 if REPLICA.endswith("-2") else signing_key("AUTHBENCH_JWT_KEY")\n',
            ),
        ),
        Verify(("jwt-hs256",)),
        ("whoami of", "on jwt-hs256-2: 401"),
    ),
    Mutant(
        "order-lost-1-in-1000",
        "correctness",
        "One order in 1,000 is acknowledged and not kept.",
        (
            Edit(
                VIEWS,
                PLACED,
                "    shown = _order({name: getattr(order, name) for name in ORDER_FIELDS})\n"
                "    if order.pk % 1000 == 7:\n        order.delete()\n    return shown\n",
            ),
        ),
        Run("jwt-hs256", "orders-create", window_s=5),
        ("code=orders-differ", "were acknowledged"),
    ),
    Mutant(
        "order-kept-twice-1-in-1000",
        "correctness",
        "One order in 1,000 is written twice and acknowledged once.",
        (
            Edit(
                VIEWS,
                PLACED,
                "    shown = _order({name: getattr(order, name) for name in ORDER_FIELDS})\n"
                "    if order.pk % 1000 == 7:\n        order.pk = None\n        order.save(force_insert=True)\n"
                "    return shown\n",
            ),
        ),
        Run("jwt-hs256", "orders-create", window_s=5),
        ("code=orders-differ", "were acknowledged"),
    ),
    Mutant(
        "whoami-cached-for-all",
        "correctness",
        "The first caller's answer is kept and given to everybody.",
        (
            Edit(VIEWS, FIELDS, f"{FIELDS}_kept: dict[str, bytes] = {{}}\n"),
            Edit(VIEWS, WHOAMI, WHOAMI.replace("whoami_body(caller)", '_kept.setdefault("body", whoami_body(caller))')),
        ),
        Verify(("session-cookie-claims",)),
        ("whoami of", "200"),
    ),
    Mutant(
        "another-user-1-in-500",
        "correctness",
        "One answer in 500 names another user.",
        (
            Edit(VIEWS, FIELDS, COUNTED),
            Edit(
                VIEWS,
                WHOAMI,
                "    if next(_turn) % 500 == 0:\n"
                '        caller = Caller(caller.id + 1, f"user{caller.id + 1:05}", caller.permissions)\n' + WHOAMI,
            ),
        ),
        Run("jwt-hs256"),
        ("code=wrong-user", "another user"),
    ),
    Mutant(
        "orders-of-another-user",
        "correctness",
        "The list of orders is another user's.",
        (Edit(VIEWS, "Order.objects.filter(user_id=caller.id)", "Order.objects.filter(user_id=caller.id + 1)"),),
        Verify(("jwt-hs256",)),
        ("orders on", "the new order is not first"),
    ),
    Mutant(
        "preferences-in-the-process",
        "correctness",
        "Preferences are kept in the replica's own memory.",
        (
            Edit(
                "apps/strategies/_session.py",
                "        return request.session.get(PREFERENCES, {})\n",
                "        return _kept.get(request.session.session_key, {})\n",
            ),
            Edit(
                "apps/strategies/_session.py",
                "        request.session[PREFERENCES] = preferences\n",
                "        _kept[request.session.session_key] = preferences\n",
            ),
            Edit(
                "apps/strategies/_session.py", 'CLAIMS = "caller"\n', 'CLAIMS = "caller"\n_kept: dict[str, Any] = {}\n'
            ),
        ),
        Verify(("session-db",)),
        ("preference written on", "read on"),
    ),
    Mutant(
        "error-answered-200",
        "correctness",
        "One answer in 300 says 200 and holds an error.",
        (
            Edit(VIEWS, FIELDS, COUNTED),
            Edit(
                VIEWS, WHOAMI, '    if next(_turn) % 300 == 0:\n        return _json({"error": "try again"})\n' + WHOAMI
            ),
        ),
        Run("jwt-hs256"),
        ("code=errors", "wrong body"),
    ),
    Mutant(
        "other-bytes-for-one-strategy",
        "correctness",
        "One strategy writes times in another form than the others.",
        (
            Edit(
                VIEWS,
                '    return {**row, "created": row["created"].isoformat()}\n',
                "    from django.conf import settings\n\n"
                '    told = row["created"].isoformat()\n'
                '    odd = settings.STRATEGY_NAME == "jwt-row"\n'
                '    return {**row, "created": told.replace("+00:00", "Z") if odd else told}\n',
            ),
        ),
        Verify(("jwt-hs256", "jwt-row", "session-db-claims")),
        ("GET /api/orders", "bytes that differ"),
    ),
    Mutant(
        "worker-dies",
        "correctness",
        "A worker ends after 700 requests, and the server starts another.",
        (
            Edit(VIEWS, FIELDS, COUNTED),
            Edit(
                VIEWS,
                WHOAMI,
                '    if next(_turn) == 700:\n        __import__("os").kill(__import__("os").getpid(), 9)\n' + WHOAMI,
            ),
        ),
        Run("jwt-hs256"),
        ("code=replica-restarted", "restarted in the window"),
    ),
    Mutant(
        "one-replica-slow",
        "correctness",
        "One of two replicas waits 20 ms before every answer.",
        (
            Edit(
                MIDDLEWARE,
                HANDLED,
                '        if replica.endswith("-2"):\n            __import__("time").sleep(0.02)\n' + HANDLED,
            ),
        ),
        Run("jwt-hs256", window_s=4.0, load="rate@0.3"),
        ("code=uneven-replicas", "jwt-hs256-2 took"),
    ),
    Mutant(
        "token-ends-within-the-run",
        "correctness",
        "Tokens live for 25 s, which is shorter than the run.",
        (
            Edit(
                "apps/strategies/jwt_hs256.py",
                'JWT_LIFETIME_S = number("AUTHBENCH_JWT_LIFETIME_S", 900, smallest=1)\n',
                "JWT_LIFETIME_S = 25\n",
            ),
        ),
        Run("jwt-hs256", window_s=8, launches=3),
        ("code=credential-expires", "a credential expires"),
    ),
)
