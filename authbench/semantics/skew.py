"""Whether a login survives replicas whose clocks disagree."""

import httpx

from apps.contract.credentials import Credential
from authbench.backends.embedded import EmbeddedStack
from authbench.conformance.checks import TURNS_PER_REPLICA, Subject
from authbench.conformance.visitor import Visitor
from authbench.semantics.findings import Skew
from authbench.semantics.probands import Probands

AHEAD_S = 300.0


def skew_of(http: httpx.Client, stack: EmbeddedStack, subject: Subject, probands: Probands) -> Skew:
    """Logs in at a replica whose clock is right and at one that is ahead, and asks the other one each time.

    The last replica's clock is AHEAD_S ahead (`EmbeddedStack.start_replicas`). Raises ValueError where a login fails.
    """
    strategy = subject.strategy
    if strategy.sticky:
        return Skew(ahead_s=AHEAD_S, right_at_ahead=None, ahead_at_right=None)
    urls, names = stack.replica_urls(strategy.name), stack.replica_names(strategy.name)
    logged_in: list[Credential] = []
    for url in (urls[0], urls[-1]):
        client = Visitor(http, url, strategy)
        if (answer := client.log_in(probands.by_role["guest"].user)).status != 200:
            raise ValueError(f"login at {url} was answered {answer.status}")
        logged_in.append(client.credential)
    return Skew(
        ahead_s=AHEAD_S,
        right_at_ahead=_accepts(http, subject, logged_in[0], urls[-1], names[-1]),
        ahead_at_right=_accepts(http, subject, logged_in[1], urls[0], names[0]),
    )


def _accepts(http: httpx.Client, subject: Subject, credential: Credential, url: str, replica: str) -> bool:
    strategy = subject.strategy
    if not strategy.edge:
        return Visitor(http, url, strategy, credential).call("whoami").status == 200
    # A replica believes the load balancer only, so the way is through it, until that replica's turn.
    for _ in range(TURNS_PER_REPLICA * subject.replicas):
        answer = subject.anonymous.as_bearer_of(credential).call("whoami")
        if answer.status != 200 or answer.replica == replica:
            return answer.status == 200
    raise ValueError(f"{replica} never answered")
