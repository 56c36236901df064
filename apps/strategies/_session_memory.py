"""Logins that one process remembers: the route that leads a client back to it, and sessions minted for it elsewhere."""

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from apps.contract.endpoints import ROUTE_COOKIE, Caller, to_json
from apps.strategies._session import SessionRow
from apps.strategies.engines.locmem import SessionStore

if TYPE_CHECKING:
    from apps.shop.models import User

MINTED = "minted.jsonl"


class SessionMemory(SessionRow):
    """Django's own, in a process that starts with the sessions minted for it.

    Raises ImproperlyConfigured where a replica has several processes, or where the minted sessions cannot be read.
    """

    def __init__(self) -> None:
        if settings.WORKERS > 1:
            raise ImproperlyConfigured(
                f"AUTHBENCH_WORKERS is {settings.WORKERS}: {settings.STRATEGY_NAME} keeps sessions in one process's "
                "memory, so a replica has one; start more replicas instead"
            )
        self._file = Path(settings.SESSION_FOLDER) / MINTED
        replicas = [f"{settings.SITE}-{number}" for number in range(1, settings.REPLICAS + 1)]
        self._deal = itertools.cycle(enumerate(replicas))
        if settings.REPLICA in replicas:
            for key, data, expires in _minted_for(replicas.index(settings.REPLICA), len(replicas), self._file):
                SessionStore.adopt(key, data, expires - int(time.time()))

    def mint(self, user: "User") -> tuple[Caller, Mapping[str, Any]]:
        """A session in a replica's memory from its next start on, the replicas in turn."""
        session, (place, route) = self._stored(user), next(self._deal)
        line = {
            "session_key": session.session_key,
            "data": dict(session.items()),
            "place": place,
            "expires": int(time.time()) + session.get_expiry_age(),
        }
        _append(self._file, to_json(line) + b"\n")
        cookies = {settings.SESSION_COOKIE_NAME: session.session_key, ROUTE_COOKIE: route}
        return user.caller, {"cookies": cookies}


def route_follows_session(handle: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: whenever an answer sets or deletes the session cookie, it does the same to the route.

    The route is read by the load balancer only. It is no secret and proves nothing.
    """

    def handled(request: HttpRequest) -> HttpResponse:
        response = handle(request)
        session = response.cookies.get(settings.SESSION_COOKIE_NAME)
        if session is None:
            return response
        if session["max-age"] == 0:
            response.delete_cookie(ROUTE_COOKIE, samesite=settings.SESSION_COOKIE_SAMESITE)
        else:
            response.set_cookie(
                ROUTE_COOKIE,
                settings.REPLICA,
                max_age=session["max-age"],
                secure=True,
                httponly=True,
                samesite=settings.SESSION_COOKIE_SAMESITE,
            )
        return response

    return handled


def _append(path: Path, line: bytes) -> None:
    """One write at the end of a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)


def _minted_for(place: int, replicas: int, path: Path) -> list[tuple[str, dict[str, Any], int]]:
    """Key, data and end (Unix time) of a replica's sessions that have not ended; none without a file.

    Where fewer replicas run than the sessions were dealt to, the shares of those missing go to the others in turn.
    """
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        share = [line for line in lines if line["place"] % replicas == place]
        minted = [(line["session_key"], dict(line["data"]), int(line["expires"])) for line in share]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ImproperlyConfigured(f"{path} is not what mint writes ({type(error).__name__})") from None
    return [each for each in minted if each[2] > time.time()]
