"""The shop as an AWS Lambda function behind API Gateway (HTTP API): `apps.services.lambda_function.handler`.

Run as a program it is the function's bootstrap: it notes the time and becomes AWS's own runtime client, which imports
it. The first answer of an instance tells in the header `Server-Timing` (W3C) where its cold start went: milliseconds by
phase, each moment in the innermost phase that was open; when the bootstrap began, on the monotonic clock
(`bootstrapped`); and the CPU time that the process had used by then (`before`).
"""

import importlib
import os
import sys
import time
from collections.abc import Callable
from typing import Any

HANDLER = "apps.services.lambda_function.handler"
BOOTSTRAPPED = "AUTHBENCH_BOOTSTRAPPED_NS"  # monotonic time and CPU time when the bootstrap began

if __name__ == "__main__":
    os.environ[BOOTSTRAPPED] = f"{time.monotonic_ns()} {time.process_time_ns()}"
    os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", HANDLER])  # noqa: S606 - its purpose

# Loading it sets Django up and the strategy with it; the modules that this loads are still counted as such.
SET_UP = "apps.shop.wsgi"
# What is a phase of its own wherever it is called; replaced when its module is loaded, which is not forced.
WATCHED = {
    "django.db.backends.base.base": ("BaseDatabaseWrapper", "connect", "connection"),
    "redis.connection": ("AbstractConnection", "connect", "connection"),
    "apps.strategies._introspection_client": ("IntrospectionClient", "_connect", "connection"),
    "apps.strategies._keys_published": ("Endpoint", "__call__", "keys"),
}
PHASES = ("interpreter", "import", "django", "waiting", "connection", "keys", "request")


class ColdStart:
    """Time by phase from the bootstrap to the end of the first request; afterwards nothing of it is left in the way."""

    def __init__(self, bootstrapped_ns: int) -> None:
        self.spent_ns = dict.fromkeys(PHASES, 0)
        self._open = ["interpreter"]
        self._since_ns = bootstrapped_ns
        self._replaced: list[tuple[Any, str, Any]] = []

    def begin(self, phase: str) -> None:
        """The outermost phase from now on."""
        self._charge()
        self._open[0] = phase

    def watch(self) -> None:
        """Notices every module that is loaded, by whatever kind of import, and what is watched in it."""
        # As `python -X importtime` does, but without a line of output for each: the one way in for modules not loaded.
        bootstrap = importlib._bootstrap  # type: ignore[attr-defined]
        load = bootstrap._find_and_load

        def find_and_load(name: str, import_: Callable[..., Any]) -> Any:
            module = self._timed("django" if name == SET_UP else "import", load)(name, import_)
            if name in WATCHED:
                owner, method, phase = WATCHED[name]
                self._replace(getattr(module, owner), method, lambda called: self._timed(phase, called))
            return module

        self._replace(bootstrap, "_find_and_load", lambda _: find_and_load)

    def end(self) -> str:
        """Puts everything back; the phases as `Server-Timing` has them."""
        self._charge()
        for owner, name, original in reversed(self._replaced):
            setattr(owner, name, original)
        return ", ".join(f"{phase};dur={spent / 1e6:.3f}" for phase, spent in self.spent_ns.items())

    def _timed(self, phase: str, called: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            self._charge()
            self._open.append(phase)
            try:
                return called(*arguments, **named)
            finally:
                self._charge()
                self._open.pop()

        return timed

    def _replace(self, owner: Any, name: str, replacement: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        self._replaced.append((owner, name, original))
        setattr(owner, name, replacement(original))

    def _charge(self) -> None:
        now = time.monotonic_ns()
        self.spent_ns[self._open[-1]] += now - self._since_ns
        self._since_ns = now


_bootstrapped_ns, _before_ns = map(int, os.environ[BOOTSTRAPPED].split())
_cold: ColdStart | None = ColdStart(_bootstrapped_ns)
_cold.begin("django")
_cold.watch()

from apig_wsgi import make_lambda_handler  # noqa: E402 - timed
from django.db import connections  # noqa: E402

from apps.shop.wsgi import application  # noqa: E402

if os.environ.get("AUTHBENCH_CONN_HEALTH_CHECKS"):  # before the first request on a kept connection, Django tries it
    for settings in connections.settings.values():
        settings["CONN_HEALTH_CHECKS"] = True
_answer = make_lambda_handler(application)
_cold.begin("waiting")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """One request, as API Gateway's payload 2.0 has it. One at a time: nothing here needs a lock."""
    global _cold
    if _cold is None:
        return _answer(event, context)
    cold, _cold = _cold, None
    cold.begin("request")
    answer = _answer(event, context)
    began = f"bootstrapped;dur={_bootstrapped_ns / 1e6:.3f}, before;dur={_before_ns / 1e6:.3f}"
    answer["headers"]["server-timing"] = f"{cold.end()}, {began}"
    return answer
