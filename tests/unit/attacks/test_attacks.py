"""Every attack holds against a good server and breaks one that falls for it: no attack is there that cannot fail."""

from dataclasses import replace

import pytest

from apps.contract.registry import strategies
from authbench.attacks.campaign import carried_out
from authbench.attacks.catalogue import ATTACKS, FORGERIES
from authbench.attacks.findings import Finding
from authbench.attacks.target import Target
from tests.unit.attacks.fake_server import FakeServer
from tests.unit.attacks.made import target

BY_NAME = {attack.name: attack for attack in ATTACKS}
# Attack -> the kind of server it is shown on, and what that one does wrong.
DEFECTS = {
    "control": ("hs256", "refuses everything"),
    "outside its time": ("hs256", "no clock"),
    "missing claims": ("hs256", "claims are optional"),
    "odd claims": ("hs256", "trips over odd claims"),
    "wrong audience or issuer": ("hs256", "compares prefixes"),
    "members twice": ("hs256", "first member counts"),
    "alg none": ("hs256", "accepts none"),
    "public key as HMAC secret": ("rs256", "algorithm of the token"),
    "the attacker's own key": ("rs256", "any key"),
    "another algorithm in the header": ("hs256", "ignores alg"),
    "blank and guessable secrets": ("hs256", "guessable secret"),
    "a secret of 31 bytes": ("hs256", "starts with any key"),
    "unknown crit": ("hs256", "ignores crit"),
    "another typ": ("hs256", "ignores typ"),
    "embedded keys and addresses": ("rs256", "fetches jku"),
    "kid injection": ("hs256", "kid is a path"),
    "other forms of tokens": ("hs256", "takes the first parts"),
    "null signatures": ("es256", "accepts zeros"),
    "the other ECDSA signature": ("es256", "trips over the other signature"),
    "other texts for the token": ("hs256", "strips white space"),
    "padding": ("hs256", "trips over padding"),
    "unused bits": ("hs256", "trips over unused bits"),
    "in another place": ("hs256", "token in the address"),
    "two Authorization headers": ("hs256", "last header counts"),
    "two cookies of one name": ("cookie", "trips over two cookies"),
    "a token for another use": ("hs256", "any use"),
    "another strategy's credential": ("hs256", "any audience"),
    "flags": ("cookie", "no HttpOnly"),
    "cookie tossing": ("cookie", "strips names"),
    "session fixation": ("cookie", "keeps what was planted"),
    "paths, queries and patterns": ("cookie", "trips over NUL"),
    "a session outside the folder": ("cookie", "follows paths"),
    "entropy": ("cookie", "counts sessions"),
    "cross-site requests": ("cookie", "any origin"),
    "spoofed identity": ("hs256", "believes X-Remote-User"),
    "past the edge": ("edge", "replicas believe anyone"),
    "request smuggling": ("hs256", "reads both lengths"),
    "method override": ("hs256", "override"),
    "user enumeration": ("hs256", "tells of unknown names"),
    "odd names and passwords": ("hs256", "trips over odd passwords"),
    "anonymous requests": ("hs256", "keeps strangers"),
    "a megabyte": ("hs256", "trips over a megabyte"),
}


def made_of(kind: str, defect: str = "") -> Target:
    """A fake server of that kind under the declaration of a real strategy."""
    name = "edge-jwt" if kind == "edge" else "session-db" if kind == "cookie" else "jwt-hs256"
    return target(FakeServer("rs256" if kind == "edge" else kind, defect), strategies()[name])


def carried(attack: str, kind: str, defect: str = "") -> Finding:
    """The finding on one."""
    return carried_out(BY_NAME[attack], made_of(kind, defect))


def test_every_attack_is_shown_to_fail() -> None:
    assert DEFECTS.keys() == BY_NAME.keys()


@pytest.mark.parametrize("attack", BY_NAME)
def test_a_good_server_withstands_it(attack: str) -> None:
    found = carried(attack, DEFECTS[attack][0])
    assert found.broken == ()
    assert found.outcome == "held"
    assert found.tried > 0


@pytest.mark.parametrize("attack", BY_NAME)
def test_a_server_that_falls_for_it_is_found(attack: str) -> None:
    found = carried(attack, *DEFECTS[attack])
    assert found.outcome == "broken"
    assert 0 < len(found.broken) <= found.tried


@pytest.mark.parametrize("kind", ["hs256", "rs256", "es256", "cookie", "edge"])
def test_a_good_server_withstands_everything_that_applies(kind: str) -> None:
    made = made_of(kind)
    outcomes = {attack.name: carried_out(attack, made) for attack in ATTACKS}
    assert {name: each.broken for name, each in outcomes.items() if each.outcome == "broken"} == {}
    assert all(each.why for each in outcomes.values() if each.outcome == "not applicable")


def test_what_applies_is_found_by_looking_at_the_credential() -> None:
    of_token = carried("alg none", "cookie")
    of_cookie = carried("flags", "hs256")
    assert (of_token.outcome, of_token.why) == ("not applicable", "the credential is no JWT")
    assert (of_cookie.outcome, of_cookie.why) == ("not applicable", "the credential is no cookie")


def test_without_the_real_key_nothing_is_claimed_about_claims() -> None:
    made = replace(made_of("hs256"), unforgeable="nobody signs", forged={})
    found = carried_out(BY_NAME["missing claims"], made)
    assert (found.outcome, found.why, found.tried) == ("not applicable", "nobody signs", 0)


def test_an_attack_that_breaks_off_has_not_held() -> None:
    made = replace(made_of("hs256"), forged={})
    found = carried_out(BY_NAME["missing claims"], made)
    assert found.outcome == "broken"
    assert found.broken[0].came.startswith("KeyError")


def test_what_is_declared_is_known_and_the_rest_is_not() -> None:
    made = made_of("hs256", "claims are optional")
    found = carried_out(BY_NAME["missing claims"], made)
    every = tuple(f"missing claims: {each.sent}" for each in found.broken)
    assert len(every) > 2
    for known, outcome in ((every, "known"), (every[1:], "broken")):
        declared = replace(made, strategy=replace(made.strategy, known_breaks=known))
        assert carried_out(BY_NAME["missing claims"], declared).outcome == outcome
    (line,) = found.lines(every[1:])
    assert "expected 4xx, came 200 (RFC 8725" in line


def test_nothing_that_is_sent_is_told_as_a_credential() -> None:
    """Findings go into logs: they say how a text was made, and never hold it."""
    made = made_of("hs256", "claims are optional")
    secret = made.text.rpartition(".")[2]
    told = "".join(carried_out(attack, made).model_dump_json() for attack in ATTACKS)
    assert secret not in told
    assert all(each.token.rpartition(".")[2] not in told for row in made.forged.values() for each in row)


def test_forgeries_name_an_attack_that_sends_them() -> None:
    made = made_of("hs256")
    assert set(made.forged) <= BY_NAME.keys()
    assert len(FORGERIES) == 9
