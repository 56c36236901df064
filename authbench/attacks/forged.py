"""Attacks that need the real key: each sends the tokens that were forged for it beforehand."""

from collections.abc import Callable, Iterator

from apps.contract.endpoints import names_caller
from authbench.attacks.findings import Try
from authbench.attacks.target import NotApplicable, Target, refused, shown, survived

CONTROL = (
    "control"  # the name under which a lawful token is forged: where it is refused, no other refusal says anything
)


def forged(attack: str) -> Callable[[Target], Iterator[Try]]:
    """Sends what was forged for the attack of that name, each once, at the load balancer."""

    def carry_out(target: Target) -> Iterator[Try]:
        target.jwt  # noqa: B018 - raises NotApplicable where the credential is none
        if target.unforgeable:
            raise NotApplicable(target.unforgeable)
        for each in target.forged[attack]:
            answer = target.try_text(each.token)
            sent, expected = each.forgery.sent, each.forgery.expected
            if expected == "refused":
                yield refused(sent, answer)
            elif expected == "either":
                yield survived(sent, answer)
            else:
                held = answer.status == 200 and names_caller(target.forged_for) in answer.body
                yield Try(sent=sent, expected="200, or the others prove nothing", came=shown(answer), held=held)

    return carry_out
