"""A fake server as an attack is given it, forged tokens and all."""

import time
from dataclasses import replace

from apps.contract.credentials import Bearer, Cookies
from apps.contract.registry import Strategy
from authbench.attacks.catalogue import FORGERIES
from authbench.attacks.compact import parsed
from authbench.attacks.forgery import Forged
from authbench.attacks.target import Holder, Target
from authbench.conformance.visitor import User
from tests.unit.attacks.fake_server import ATTACKER, COOKIE, PASSWORD, REPLICA, URL, VICTIM, FakeServer


def target(server: FakeServer, strategy: Strategy) -> Target:
    """The server as an attack is given it, forged tokens and all."""
    victim, attacker = (Holder(User(each, PASSWORD), server.credential(each)) for each in (VICTIM, ATTACKER))
    server.behind_edge = bool(strategy.edge)
    made = Target(
        strategy,
        URL,
        [REPLICA] if not strategy.edge or server.kind != "cookie" else [],
        server.send,
        victim,
        attacker,
        minted=[server.credential(VICTIM) for _ in range(20)],
        stock=lambda: {"rows": server.rows},
        start=lambda size: "" if server.defect == "starts with any key" else f"the key has {size} bytes",
    )
    if server.kind == "cookie":
        return replace(made, plant=lambda: ["../planted"], others={"other": Cookies(((COOKIE, "x"),))})
    token = parsed(made.text)
    assert token is not None
    forged: dict[str, list[Forged]] = {}
    for forgery in (each for forge in FORGERIES for each in forge(token, int(time.time()))):
        forged.setdefault(forgery.attack, []).append(Forged(forgery, server.signed(forgery.text)))
    others = {"other": Bearer(server.issue(VICTIM, "another"))}
    return replace(made, forged=forged, forged_for=VICTIM.username, public_key=server.public_pem, others=others)
