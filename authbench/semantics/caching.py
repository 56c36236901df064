"""Whether a cache in between could hand one user's answer to another."""

from collections.abc import Iterator

from apps.contract.registry import Carrier
from authbench.conformance.checks import Subject
from authbench.conformance.visitor import Answer
from authbench.semantics.probands import Probands
from authbench.semantics.sizes import HEADERS


def answers(subject: Subject, probands: Probands) -> dict[str, Answer]:
    """An answer of each kind that a cache might keep."""
    guest = subject.anonymous.as_bearer_of(probands.by_role["guest"].credential)
    return {
        "whoami": guest.call("whoami"),
        "orders": guest.call("orders"),
        "whoami without a credential": subject.anonymous.as_bearer_of(subject.anonymous.credential).call("whoami"),
    }


def lacking_no_store(found: dict[str, Answer]) -> Iterator[str]:
    """Names of the answers that may be stored."""
    yield from (name for name, answer in found.items() if "no-store" not in answer.header("Cache-Control"))


def lacking_vary(found: dict[str, Answer], carrier: Carrier) -> Iterator[str]:
    """Names of the answers that do not say which header decides about them (RFC 9110, 12.5.5)."""
    wanted = HEADERS[carrier][0].lower()
    for name, answer in found.items():
        named = {each.strip().lower() for each in answer.header("Vary").split(",")}
        if wanted not in named:
            yield name
