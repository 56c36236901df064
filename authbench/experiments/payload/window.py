"""The load of one strategy and payload: a pass over all users that counts bytes, then a window that measures CPU."""

from collections.abc import Mapping

from authbench.analysis.validity import Limits, load_reasons
from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.payload.laden import Laden
from authbench.experiments.payload.measures import DISTURBED
from authbench.experiments.payload.plan import PayloadPlan
from authbench.experiments.watched import Watch
from authbench.generator import Fire, Generator
from authbench.probes.cpu import CpuUse
from authbench.records import Load, Reason

WARM_UP_REQUESTS = 200  # METHOD.md: at least, a worker
TIERS = ("lb", "app", "db", "cache")


class Window:
    """Measures on the replicas that run now."""

    def __init__(
        self, stack: EmbeddedStack, generator: Generator, plan: PayloadPlan, limits: Limits | None = None
    ) -> None:
        self._stack = stack
        self._generator = generator
        self._plan = plan
        self._limits = limits or Limits()
        self._watch = Watch(stack, generator, self._limits)

    def measure(self, laden: Laden) -> tuple[Mapping[str, float | None], tuple[Reason, ...]]:
        """Values, and why they, or the CPU among them, do not count. A disturbed window is measured again."""
        counted, problems = self._count(laden)
        if problems:
            return {}, problems
        for _ in range(self._plan.attempts):
            used, reasons = self._window(laden)
            if not any(reason.code in DISTURBED for reason in reasons):
                break
        return counted | used, reasons

    def _count(self, laden: Laden) -> tuple[dict[str, float | None], tuple[Reason, ...]]:
        """Whole passes over the request file, so that the bytes are those of every user alike: exact."""
        passes = -(-WARM_UP_REQUESTS // laden.users)
        load = self._generator.fire(self._fire(laden, count=passes * laden.users))
        wrong = load.sent - load.ok
        if wrong or not load.sent:
            said = "; ".join(f"{kind}: {count}" for kind, count in load.failures.items())
            return {}, (Reason(code="errors", message=f"{wrong} of {load.sent} requests went wrong ({said})"),)
        return {"request_bytes": load.bytes_out / load.sent, "answer_bytes": load.bytes_in / load.sent}, ()

    def _window(self, laden: Laden) -> tuple[dict[str, float | None], tuple[Reason, ...]]:
        seen = self._watch.fire(laden.strategy.name, self._fire(laden, duration_s=self._plan.window_s))
        return cpu_values(seen.load, seen.use), (*load_reasons(seen.load, self._limits), *seen.disturbed)

    def _fire(self, laden: Laden, *, count: int | None = None, duration_s: float | None = None) -> Fire:
        return Fire(
            url=self._stack.url(laden.strategy.name),
            requests=str(laden.requests),
            model="saturate",
            connections=self._plan.connections,
            count=count,
            duration_s=duration_s,
        )


def cpu_values(load: Load, use: CpuUse) -> dict[str, float | None]:
    """CPU milliseconds a right answer, of the whole stack and by tier; None where nothing was answered."""
    if not load.ok:
        return {"requests": 0.0, "cpu_ms": None}
    by_tier = {f"cpu_ms_{tier}": 1e3 * use.cpu_s.get(tier, 0.0) / load.ok for tier in TIERS}  # type: ignore[call-overload]
    return {"requests": float(load.ok), "cpu_ms": 1e3 * sum(use.cpu_s.values()) / load.ok, **by_tier}
