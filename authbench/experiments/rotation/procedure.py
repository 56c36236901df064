"""Carries out the steps of a rotation on running replicas, while somebody else sends load."""

import time
from collections.abc import MutableMapping
from typing import Protocol

from authbench.backends.embedded import EmbeddedStack
from authbench.experiments.rotation.keys import PublishedKeys, SharedKeys
from authbench.experiments.rotation.load import Load
from authbench.experiments.rotation.steps import OLD_ONLY, Key, Step
from authbench.experiments.rotation.timeline import Mark
from authbench.stack.replicas import replica_name


class Procedure(Protocol):
    """How a step reaches every replica."""

    def take(self, step: Step, load: Load) -> Mark:
        """Returns when every replica has been told: from when to when that took. Raises StackError."""
        ...

    def undo(self) -> None:
        """What outlives the replicas is as it was before the first step."""
        ...


class RollingRestart:
    """One replica after the other leaves the balancer, ends, begins anew with other keys, and comes back."""

    def __init__(
        self,
        stack: EmbeddedStack,
        strategy: str,
        keys: SharedKeys,
        signing: MutableMapping[str, Key],
        between_s: float,
    ) -> None:
        """`between_s`: how long a replica serves before the next one leaves."""
        self._stack = stack
        self._strategy = strategy
        self._keys = keys
        self._signing = signing
        self._between_s = between_s

    def take(self, step: Step, load: Load) -> Mark:
        """See Procedure. No login is under way when the balancer changes: see `Issuing`."""
        everyone = range(1, self._stack.replicas + 1)
        began_s: float | None = None
        for number in everyone:
            with load.calm():
                began_s = load.now_s() if began_s is None else began_s
                self._stack.balance({}, [each for each in everyone if each != number])
            self._stack.begin_replica(self._strategy, number, self._keys.told(step))
            self._signing[replica_name(self._strategy, number)] = step.signs
            with load.calm():
                self._stack.balance({}, list(everyone))
            paused(load, self._between_s if number != everyone[-1] else 0.0)
        return Mark(step.name, began_s or 0.0, load.now_s())

    def undo(self) -> None:
        """Nothing outlives them."""


class FileReplaced:
    """The file of keys is replaced under running replicas: they see it when they sign, and fetch the public halves."""

    def __init__(
        self, stack: EmbeddedStack, strategy: str, keys: PublishedKeys, signing: MutableMapping[str, Key]
    ) -> None:
        self._stack = stack
        self._strategy = strategy
        self._keys = keys
        self._signing = signing

    def take(self, step: Step, load: Load) -> Mark:
        """See Procedure. No token is being signed meanwhile, so that each is known to be of the old or the new key."""
        with load.calm():
            began_s = load.now_s()
            self._keys.write(step)
            self._signing.update(dict.fromkeys(self._stack.replica_names(self._strategy), step.signs))
        load.check()
        return Mark(step.name, began_s, load.now_s())

    def undo(self) -> None:
        """The file holds the old key alone."""
        self._keys.write(OLD_ONLY)


def paused(load: Load, seconds: float) -> None:
    """Lets the load run on for so long. Raises StackError where it breaks off."""
    load.check()
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, 0.1))
        load.check()
