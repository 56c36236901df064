"""Family `place`: a right credential in a wrong place, twice, or for another use."""

from collections.abc import Iterator
from urllib.parse import urlencode

from apps.contract.credentials import Bearer, Cookies
from apps.contract.endpoints import PAGE_STATE_HEADER, names_caller
from authbench.attacks.findings import Try
from authbench.attacks.target import (
    Attack,
    NotApplicable,
    Target,
    carried,
    cookie_of,
    nobody_else,
    refused,
    text_of,
)
from authbench.attacks.wire import Request

FAMILY = "place"
PARAMETERS = ("access_token", "token", "jwt", "auth", "authorization", "sessionid", "state")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def elsewhere(target: Target) -> Iterator[Try]:
    """In the address, in a cookie, in a form, under another header or scheme: a credential has one place."""
    text = text_of(target.attacker.credential)
    carrier = target.strategy.carrier
    origin = target.url
    for name in PARAMETERS:
        sent = f"?{name}=, nothing else"
        yield refused(sent, target.send(Request("GET", f"{origin}/api/whoami?{urlencode({name: text})}")))
    fields = urlencode(dict.fromkeys(PARAMETERS, text)).encode()
    yield refused("in the fields of a form", target.ask("whoami", (FORM,), fields))
    scheme = getattr(target.attacker.credential, "token_type", "Bearer")
    for sent, carries, headers in (
        ("as a bearer token", "bearer", (("Authorization", f"Bearer {text}"),)),
        ("under the scheme Basic", "", (("Authorization", f"Basic {text}"),)),
        ("under the scheme Token-", "", (("Authorization", f"{scheme}- {text}"),)),
        ("without a scheme", "", (("Authorization", text),)),
        ("as the page's state", "page", ((PAGE_STATE_HEADER, text),)),
        ("in X-Access-Token", "", (("X-Access-Token", text),)),
        ("in X-Auth-Token", "", (("X-Auth-Token", text),)),
        ("in Proxy-Authorization", "", (("Proxy-Authorization", f"{scheme} {text}"),)),
        ("in cookies", "", (("Cookie", "; ".join(f"{name}={text}" for name in PARAMETERS)),)),
        ("in cookies of other strategies", "cookie", (("Cookie", f"__Host-sessionid={text}; __Host-token={text}"),)),
    ):
        if carries != carrier:
            yield refused(sent, target.ask("whoami", headers))


def two_authorizations(target: Target) -> Iterator[Try]:
    """Two Authorization headers: whoever checks one and believes the other can be led by the nose."""
    if target.strategy.carrier != "bearer":
        raise NotApplicable("no Authorization header is read")
    (good,), (other,) = carried(target.victim.credential), carried(target.attacker.credential)
    bad = (good[0], f"{good[1].partition(' ')[0]} nonsense")
    for sent, headers in (
        ("nonsense first", (bad, good)),
        ("nonsense last", (good, bad)),
        ("two users", (other, good)),
        ("the other way round", (good, other)),
    ):
        yield refused(f"two Authorization headers: {sent}", target.ask("whoami", headers))
    joined = (good[0], f"{good[1]}, {other[1]}")
    yield refused("two users, joined by a comma", target.ask("whoami", (joined,)))


def two_cookies(target: Target) -> Iterator[Try]:
    """Two cookies of one name: whichever counts, it is one user, who is one of the two, and nothing fails."""
    credential = target.victim.credential
    if not isinstance(credential, Cookies):
        raise NotApplicable("the credential is no cookie")
    name = cookie_of(credential)
    good, other = (f"{name}={text_of(each.credential)}" for each in (target.victim, target.attacker))
    names = [names_caller(each.user.caller.username) for each in (target.victim, target.attacker)]
    for sent, cookies in (
        ("nonsense first", f"{name}=nonsense; {good}"),
        ("nonsense last", f"{good}; {name}=nonsense"),
        ("two users", f"{good}; {other}"),
        ("the other way round", f"{other}; {good}"),
        ("joined by a comma", f"{good}, {other}"),
    ):
        answer = target.ask("whoami", (("Cookie", cookies),))
        yield nobody_else(f"two cookies: {sent}", answer, same_user=sum(each in answer.body for each in names) == 1)


def for_another_use(target: Target) -> Iterator[Try]:
    """A refresh token where an access token belongs, and the other way round."""
    credential = target.victim.credential
    if not isinstance(credential, Bearer) or not credential.refresh_token:
        raise NotApplicable("there is no refresh token")
    yield from target.everywhere("the refresh token as access token", credential.refresh_token)
    access = {"refresh_token": credential.access_token}
    yield refused("the access token as refresh token", target.ask("refresh", (), access))
    with_header = carried(credential)
    yield refused("the same, with itself in the header", target.ask("refresh", with_header, access))
    yield refused("an access token alone, to renew", target.ask("refresh", with_header))


def of_another_strategy(target: Target) -> Iterator[Try]:
    """What another service of the same house has issued, partly with the same key."""
    if not target.others:
        raise NotApplicable("no other strategy with this carrier is running")
    for name, credential in target.others.items():
        yield refused(f"a credential of {name}", target.try_text(text_of(credential)))


ATTACKS = (
    Attack("in another place", FAMILY, "RFC 6750, 2; RFC 9700, 4.3.2; ASVS 5.0, 14.2.1", elsewhere),
    Attack("two Authorization headers", FAMILY, "RFC 9110, 5.3 and 11.6.2", two_authorizations),
    Attack("two cookies of one name", FAMILY, "RFC 6265bis, 5.8.3 and 8.6", two_cookies),
    Attack("a token for another use", FAMILY, "RFC 8725, 2.8 and 3.12; RFC 9700, 4.14", for_another_use),
    Attack("another strategy's credential", FAMILY, "RFC 8725, 2.7 and 3.9", of_another_strategy),
)
