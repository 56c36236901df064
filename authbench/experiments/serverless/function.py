"""One strategy's function: requests that find no instance free start one."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.visitor import Answer
from authbench.errors import StackError
from authbench.experiments.serverless.gateway import Question, answer_of
from authbench.experiments.serverless.instance import NS_PER_MS, Instance
from authbench.experiments.serverless.runtime_api import Exchange


@dataclass(frozen=True, slots=True)
class Served:
    """One request's answer, who gave it, and how."""

    answer: Answer
    exchange: Exchange
    instance: Instance
    cold: bool

    @property
    def request_ms(self) -> float:
        """From the event's hand-over to the answer."""
        return (self.exchange.answered_ns - self.exchange.handed_ns) / NS_PER_MS


def instance_name(strategy: str, number: int) -> str:
    """`session-db-f3`: its `X-Replica`, and what the stores call its connections."""
    return f"{strategy}-f{number}"


class Function:
    """Starts without instances. Use as a context manager; afterwards there are none again."""

    def __init__(self, stack: EmbeddedStack, strategy: str, told: Mapping[str, str]) -> None:
        """`told`: over what a replica's environment says."""
        self.strategy = strategy
        self.instances: list[Instance] = []
        self._stack = stack
        self._application = stack.application(strategy)
        self._told = told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.stop(*(instance.name for instance in self.instances))  # SIGKILL ends what is frozen, too
        for instance in self.instances:
            instance.forget()

    def serve(self, questions: Sequence[Question]) -> list[Served]:
        """Requests that arrive together: each gets an instance of its own, a frozen one or a new one.

        Raises StackError where an instance fails.
        """
        cold = range(len(self.instances), len(questions))
        self.instances += [
            Instance(self._stack, self._application, instance_name(self.strategy, number + 1), self._told)
            for number in cold
        ]
        chosen = self.instances[: len(questions)]
        if len(questions) == 1:  # without a thread between
            return [_serve(chosen[0], questions[0])]
        with ThreadPoolExecutor(len(questions)) as pool:
            return list(pool.map(_serve, chosen, questions))


def _serve(instance: Instance, question: Question) -> Served:
    cold = not instance.served
    exchange = instance.answer(question.event)
    try:
        return Served(answer_of(exchange.payload), exchange, instance, cold)
    except ValueError as error:
        raise StackError(f"{instance.name}: {error}") from error
