"""Targets on a running stack: credentials, forged tokens, stores to count, and replicas to start."""

import base64
import hmac
import json
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from apps.contract.credentials import load
from apps.contract.registry import Strategy
from authbench.attacks.catalogue import FORGERIES
from authbench.attacks.compact import Jwt, encoded, parsed
from authbench.attacks.forgery import Forged
from authbench.attacks.stock import stock
from authbench.attacks.target import Holder, Send, Target, text_of
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import caller_of
from authbench.conformance.verification import Minted
from authbench.conformance.visitor import User
from authbench.errors import StackError
from authbench.stack.replicas import is_healthy, replica_name

KEY = "AUTHBENCH_JWT_KEY"
STARTED_NUMBER = 99  # of the replica that must not start
STARTS_WITHIN_S = 30.0
UNFORGEABLE = "nothing signs with its real key: {}"


@dataclass(frozen=True, slots=True)
class Ground:
    """A stack whose strategies have passed verification, and the credentials that are left."""

    stack: EmbeddedStack
    minted: Mapping[str, Minted]

    def holders(self, strategy: Strategy) -> list[Holder]:
        """Users with credentials that nobody has used yet."""
        password = self.stack.user_password
        return [
            Holder(User(caller_of(dict(row)), password), load(strategy.carrier, row["credential"]))
            for row in self.minted[strategy.name].unverified
        ]

    def target(self, strategy: Strategy, send: Send, exits: ExitStack) -> Target:
        """The strategy under attack. What is planted for it goes when `exits` closes. Raises StackError."""
        stack, name = self.stack, strategy.name
        attacker, victim, *_ = holders = self.holders(strategy)
        target = Target(
            strategy,
            stack.url(name),
            stack.replica_urls(name),
            send,
            victim,
            attacker,
            minted=[each.credential for each in holders],
            others=self._others(strategy),
            stock=self._stock(name),
            plant=lambda: plant(stack.session_folder(name), exits),
        )
        token = parsed(text_of(victim.credential))
        if token is None:
            return target
        environment = stack.application(name).environment
        if token.algorithm == "HS256" and is_keyed(token, environment.get(KEY, "")):
            target = replace(target, start=lambda size: self._start(name, size))
        return self._with_forged(target, token)

    def _others(self, strategy: Strategy) -> dict[str, Any]:
        """Of each other strategy with this carrier, a credential."""
        return {
            name: load(other.carrier, self.minted[name].unverified[0]["credential"])
            for name, other in self.stack.strategies.items()
            if name != strategy.name and other.carrier == strategy.carrier and name in self.minted
        }

    def _stock(self, name: str) -> Callable[[], Mapping[str, int]]:
        cache_url = self.stack.application(name).environment["AUTHBENCH_CACHE_URL"]
        return lambda: stock(self.stack.dsn(name), cache_url, self.stack.session_folder(name))

    def _with_forged(self, target: Target, token: Jwt) -> Target:
        stack, name, now = self.stack, target.strategy.name, int(time.time())
        forgeries = [each for forge in FORGERIES for each in forge(token, now)]
        texts, out = (stack.folder / f"forge-{part}-{name}.json" for part in ("texts", "out"))
        texts.write_text(json.dumps([each.text for each in forgeries]), encoding="utf-8")
        try:
            stack.run(stack.command(name, "forge", "--texts", str(texts), "--out", str(out)))
            answer = json.loads(out.read_bytes())
        except StackError as error:
            *_, said = (error.log_tail or str(error)).strip().splitlines()
            return replace(target, unforgeable=UNFORGEABLE.format(said))
        finally:
            texts.unlink()
            out.unlink(missing_ok=True)
        forged: dict[str, list[Forged]] = {}
        for forgery, signed in zip(forgeries, answer["tokens"], strict=True):
            forged.setdefault(forgery.attack, []).append(Forged(forgery, signed))
        return replace(
            target, forged=forged, forged_for=target.victim.user.caller.username, public_key=answer["public_key"]
        )

    def _start(self, name: str, size: int) -> str:
        """Tries to start one more replica with a random HS256 secret of so many bytes; empty where it started."""
        stack, port, replica = self.stack, self.stack.take_port(), replica_name(name, STARTED_NUMBER)
        application = stack.application(name)
        told = {key: value for key, value in application.environment.items() if key != f"{KEY}_FILE"}
        told |= {KEY: encoded(secrets.token_bytes(size))}
        service = replace(application, environment=told).service(
            STARTED_NUMBER, port, stack.log(replica), stack.cores, None, STARTS_WITHIN_S
        )
        try:
            stack.start(replace(service, ready=lambda: is_healthy(port, replica)))
        except StackError as error:
            return f"{error} {stack.log(replica).read_text(errors='replace')}"
        stack.stop(replica)
        return ""


def is_keyed(token: Jwt, secret: str) -> bool:
    """Whether an HS256 token is signed with that secret, which is base64url."""
    key = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
    return hmac.compare_digest(hmac.digest(key, token.head.encode(), "sha256"), token.signature)


def plant(folder: Path, exits: ExitStack) -> Sequence[str]:
    """Copies a real session to outside its folder: identifiers that would lead there; empty where there is none."""
    sessions = sorted(folder.iterdir())
    if not sessions:
        return ()
    outside = f"planted{secrets.token_hex(8)}"
    # Servers name files by a prefix and the identifier: the copy has a name that fits either way.
    prefix = sessions[0].name[:-32]
    for name in {outside, prefix + outside}:
        exits.callback((folder.parent / name).unlink)
        shutil.copy(sessions[0], folder.parent / name)
    absolute = str(folder.parent / outside)
    return (f"../{outside}", f"/../{outside}", f"./../{outside}", absolute, f"..%2f{outside}", f"x/../../{outside}")
