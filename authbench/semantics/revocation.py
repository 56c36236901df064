"""How long until every replica obeys an event: asked again and again, on every replica, until none goes by the old."""

import time
from collections.abc import Callable, Mapping

import psycopg

from authbench.conformance.checks import Subject, on_every_replica
from authbench.semantics.copies import Copy
from authbench.semantics.findings import Event, Obeyed
from authbench.semantics.probands import Probands

# What an administrator does: one statement on the user's row, as committed by any other part of the company.
CHANGES: Mapping[Event, str] = {
    "deactivation": "UPDATE shop_user SET is_active = false WHERE id = %s",
    "password change": "UPDATE shop_user SET password = 'pbkdf2_sha256$1$changed$changed' WHERE id = %s",
    "permission change": "UPDATE shop_user SET granted = '{}' WHERE id = %s",
}
QUIET_SWEEPS = 2  # in a row without an old answer, before it counts as obeyed
TURNS = 2  # a replica, at most, in one sweep: other requests may take turns of the round robin


def obeyed_after(
    subject: Subject, dsn: str, probands: Probands, event: Event, *, within_s: float, poll_s: float
) -> Obeyed:
    """Carries the event out and polls every replica. Raises ValueError where the credential was worthless before it."""
    proband = probands.by_role[event]
    copy = Copy(subject, proband.credential)
    endpoint = "reports-sales" if event == "permission change" else "whoami"
    # Every replica has seen the credential, so that what any of them keeps of it counts.
    for replica, before in on_every_replica(subject, lambda: copy.ask(endpoint)).items():
        if before.status != 200:
            raise ValueError(f"{event}: {endpoint} was answered {before.status} on {replica} before it")
    if event == "logout":
        ended = copy.original().call("logout")
        began = time.monotonic()  # now the user believes to be logged out
        if ended.status != 200:
            raise ValueError(f"logout was answered {ended.status}")
    else:
        with psycopg.connect(dsn, autocommit=True, application_name="authbench:semantics") as connection:
            began = time.monotonic()
            connection.execute(CHANGES[event], (proband.user.caller.id,))
    return poll(lambda: any_replica_lets_in(copy, endpoint), began, within_s, poll_s)


def any_replica_lets_in(copy: Copy, endpoint: str) -> bool:
    """Whether some replica still goes by what was before. Asks until each has refused, or often enough for chance."""
    replicas = copy.subject.replicas
    refused: set[str] = set()
    for _ in range(TURNS * replicas):
        answer = copy.ask(endpoint)
        if answer.status == 200:
            return True
        refused.add(answer.replica)
        if len(refused) == replicas:
            break
    return False


def poll(still: Callable[[], bool], began: float, within_s: float, poll_s: float) -> Obeyed:
    """Asks every `poll_s` from `began` on (a monotonic time), until two answers in a row are no, or time is up."""
    quiet = 0
    obeyed = began
    while (now := time.monotonic()) - began < within_s or 0 < quiet < QUIET_SWEEPS:
        if still():
            quiet = 0
        else:
            quiet += 1
            obeyed = now if quiet == 1 else obeyed
            if quiet == QUIET_SWEEPS:
                return Obeyed(after_s=obeyed - began, within_s=within_s)
        time.sleep(max(now + poll_s - time.monotonic(), 0))
    return Obeyed(after_s=None, within_s=within_s)
