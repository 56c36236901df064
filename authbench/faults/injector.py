"""Does faults to a running stack, and undoes them."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from authbench.backends.embedded import EmbeddedStack
from authbench.backends.started import Started
from authbench.errors import StackError
from authbench.faults.fault import Action, Fault
from authbench.faults.files import Fill
from authbench.faults.injection import Injection
from authbench.faults.processes import Kill, Pause, Restart, Skew
from authbench.faults.stores import Exhaust, Flush, Network
from authbench.stack import postgres, valkey

OF_PROCESSES: Mapping[Action, Callable[[Started, str], Injection]] = {"kill": Kill, "pause": Pause, "restart": Restart}


class Injector:
    """Faults of one strategy's way through a running stack. As a context manager it undoes on leaving what still holds.

    `begin` and `end` return once the effect is there or gone, which is asked and never slept for; they may be called
    from a thread beside the load. A part that a fault holds down is no defect to `stack.check`.
    """

    def __init__(self, stack: EmbeddedStack, strategy: str) -> None:
        self._stack = stack
        self._strategy = strategy
        self._known: dict[Fault, Injection] = {}
        self._active: dict[Fault, Injection] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undoes, last first, whatever has begun and not ended; ^C included."""
        with self._lock, contextlib.ExitStack() as undoing:
            for injection in self._known.values():
                undoing.callback(injection.close)
            for injection in self._active.values():
                undoing.callback(injection.end)
            self._active = {}
            self._known = {}

    def why_not(self, fault: Fault) -> str | None:
        """Why this fault cannot be injected here (no right to mount, no relay, …), one line; None: it can."""
        strategy = self._stack.strategies[self._strategy]
        if not fault.applies_to(strategy):
            return f"{fault.name}: cannot be injected here: {self._strategy} has no {fault.part} on its way"
        if fault.part == "replica" and fault.number > self._stack.replicas:
            return f"{fault.name}: cannot be injected here: only {self._stack.replicas} replicas run"
        return self._injection(fault).why_not()

    def prepare(self, fault: Fault) -> None:
        """What `begin` would otherwise do first, for callers that do not want it to fall into their load.

        Raises StackError where the fault cannot be injected.
        """
        self._require(fault)
        with self._lock:
            self._injection(fault).prepare()

    def begin(self, fault: Fault) -> None:
        """Does it. A restart or flush is over when this returns.

        Raises StackError where it cannot be done (`why_not` says so beforehand) or is being done already.
        """
        self._require(fault)
        with self._lock:
            if fault in self._active:
                raise StackError(f"{fault.name}: is injected already")
            injection = self._active[fault] = self._injection(fault)
            injection.begin()

    def end(self, fault: Fault) -> None:
        """Undoes it: a killed part runs again, on its port, ready. Nothing happens where it has not begun.

        Raises StackError where the part does not come up.
        """
        with self._lock:
            injection = self._active.pop(fault, None)
            if injection is not None:
                injection.end()

    def _require(self, fault: Fault) -> None:
        reason = self.why_not(fault)
        if reason is not None:
            raise StackError(reason)

    def _injection(self, fault: Fault) -> Injection:
        """The same one for the same fault, since it remembers what it has done."""
        if fault not in self._known:
            self._known[fault] = self._made(fault)
        return self._known[fault]

    def _made(self, fault: Fault) -> Injection:
        if fault.action in OF_PROCESSES:
            return OF_PROCESSES[fault.action](self._stack, self._service(fault))
        match fault.action:
            case "skew":
                return Skew(self._stack, self._service(fault), fault.ahead_s or 0.0)
            case "flush":
                return Flush(self._stack, self._strategy)
            case "exhaust":
                return Exhaust(self._stack, self._strategy, fault.connections_left or 0)
            case "fill":
                return Fill(self._stack, self._strategy, fault)
            case _:
                return Network(self._stack, fault)

    def _service(self, fault: Fault) -> str:
        """Name of the part's service."""
        match fault.part:
            case "replica":
                return self._stack.replica_names(self._strategy)[fault.number - 1]
            case "auth":
                return self._stack.auth_service_of(self._strategy) or ""
            case "cache":
                return valkey.NAME
            case _:
                return postgres.NAME
