"""What somebody else can do with a credential: after the logout, a second time, planted beforehand, or changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.contract.endpoints import names_caller
from authbench.conformance.checks import ORDER, Subject, changed_at, foreign
from authbench.semantics.copies import Copy
from authbench.semantics.findings import Ability
from authbench.semantics.probands import Proband, Probands

MIDDLE, LAST = 32, 4  # characters that are changed: spread over the credential, and its last ones


@dataclass(frozen=True, slots=True)
class Altered:
    """Variants of a credential with one character changed."""

    tried: int
    accepted: int
    as_others: int  # accepted, and naming somebody else: the worst there is


def after_logout(subject: Subject, probands: Probands) -> tuple[Ability, ...]:
    """What a copy made before its owner's logout can still do. Raises ValueError where the logout fails."""
    thief = Copy(subject, probands.by_role["stolen"].credential)
    ended = thief.original().call("logout")
    if ended.status != 200:
        raise ValueError(f"logout was answered {ended.status}")
    able: list[Ability] = []
    if thief.ask("whoami").status == 200:
        able.append("read")
    if thief.ask("orders-create", ORDER).status == 201:
        able.append("write")
    renewing = thief.original()
    if renewing.call("refresh").status == 200 and renewing.call("whoami").status == 200:
        able.append("renew")
    return tuple(able)


def is_replayed(subject: Subject, probands: Probands) -> bool:
    """Whether a copy is let in after the original was used."""
    credential = probands.by_role["replayed"].credential
    if (used := subject.anonymous.as_bearer_of(credential).call("whoami")).status != 200:
        raise ValueError(f"whoami was answered {used.status}")
    return subject.anonymous.as_bearer_of(credential).call("whoami").status == 200


def is_fixated(subject: Subject, probands: Probands) -> bool:
    """Whether what an attacker has planted in the victim's client names the victim after the victim's login.

    Planted are the attacker's own credential, and one that nobody has issued.
    """
    attacker, victim = probands.by_role["attacker"], probands.by_role["victim"]
    for planted in (attacker.credential.altered(foreign), attacker.credential):
        client = subject.anonymous.as_bearer_of(planted)
        if (answer := client.log_in(victim.user)).status != 200:
            raise ValueError(f"login was answered {answer.status}")
        answer = subject.anonymous.as_bearer_of(planted).call("whoami")
        if answer.status == 200 and names_caller(victim.user.caller.username) in answer.body:
            return True
    return False


def altered(subject: Subject, proband: Proband) -> Altered:
    """Changes one character at a time. What is still accepted must encode the very same, and name the same user."""
    tried = accepted = others = 0
    right = names_caller(proband.user.caller.username)
    for place in _places(max(len(text) for text in _texts(proband))):
        changed = proband.credential.altered(lambda text, at=place: changed_at(text, at))
        answer = subject.anonymous.as_bearer_of(changed).call("whoami")
        tried += 1
        accepted += answer.status == 200
        others += answer.status == 200 and right not in answer.body
    return Altered(tried, accepted, others)


def _texts(proband: Proband) -> Iterator[str]:
    found: list[str] = []

    def note(text: str) -> str:
        found.append(text)
        return text

    proband.credential.altered(note)
    yield from found or [""]


def _places(length: int) -> list[int]:
    """Places in a text of that length, negative ones from its end."""
    spread = sorted({length * number // MIDDLE for number in range(MIDDLE)})
    return [place for place in spread if place < length - LAST] + list(range(-min(LAST, length), 0))
