"""Every check passes on a shop that keeps the contract, and names the promise that a defect breaks."""

import httpx
import pytest

from apps.contract.credentials import Bearer
from apps.contract.endpoints import ENDPOINTS
from apps.contract.registry import Operations, Strategy
from authbench.conformance.checks import Subject, foreign, tampered, truncated
from authbench.conformance.verification import Verified, verify
from authbench.conformance.visitor import User, Visitor
from authbench.probes.counts import StoreTotals
from tests.unit.conformance.fake_shop import ANALYST, ANALYST_2, CUSTOMER, PASSWORD, REPLICAS, FakeShop

COUNTED = ("whoami", "orders", "refresh", "logout")


def strategy(name: str = "fake", revocable: bool = True) -> Strategy:
    return Strategy(
        name=name,
        settings="nowhere",
        carrier="bearer",
        freshness="claims",
        location="token",
        summary="a fake",
        stores=(),
        revocable=revocable,
        operations={endpoint: Operations(sql=1, cache=0, transactions=1) for endpoint in COUNTED},
    )


def verified(*shops: FakeShop, revocable: bool = True) -> list[Verified]:
    subjects, counters = [], {}
    for number, shop in enumerate(shops):
        http = httpx.Client(transport=httpx.WSGITransport(app=shop))
        kind = strategy(f"fake-{number}", revocable)
        subjects.append(
            Subject(
                anonymous=Visitor(http, "http://shop", kind),
                customer=User(CUSTOMER, PASSWORD),
                analyst=User(ANALYST, PASSWORD),
                customer_credential=Bearer(shop.mint(CUSTOMER)),
                analyst_credential=Bearer(shop.mint(ANALYST)),
                spare=User(ANALYST_2, PASSWORD),
                spare_credential=Bearer(shop.mint(ANALYST_2)),
                replicas=REPLICAS,
            )
        )
        counters[kind.name] = lambda shop=shop: StoreTotals(sql=shop.sql, cache=0, auth=0)
    return list(verify(subjects, counters).values())


def test_a_shop_that_keeps_the_contract_passes_and_its_counts_are_told() -> None:
    (result,) = verified(FakeShop())
    assert result.problems == ()
    assert result.counted == dict.fromkeys(COUNTED, (1.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("defect", "said"),
    [
        ("one replica", "1 of 2 replicas answered"),
        ("storable", "lacks no-store"),
        ("wrong user on one replica", "whoami of user00001 on fake-1"),
        ("any password", "login with a wrong password"),
        ("strangers read orders", "GET /api/orders without a credential"),
        ("accepts forgeries", "a tampered credential"),
        ("no problem document", "not a 401 problem"),
        ("reports for all", "reports without the permission"),
        ("loses orders", "the new order is not first"),
        ("takes nonsense", "with nonsense"),
        ("preferences stay", "preference written on"),
        ("refresh breaks", "refresh"),
        ("logout forgets nothing", "declared revocable"),
        ("reads twice", "2 SQL statements, 0 cache commands and 0 auth calls a request, declared 1, 0 and 0"),
    ],
)
def test_a_defect_is_named(defect: str, said: str) -> None:
    (result,) = verified(FakeShop(defect))
    assert any(said in problem for problem in result.problems), result.problems


def test_a_revocable_credential_declared_otherwise_is_named_too() -> None:
    (result,) = verified(FakeShop(), revocable=False)
    assert any("declared not revocable" in problem for problem in result.problems)


def test_one_strategy_with_other_bodies_than_the_rest_is_named() -> None:
    odd = FakeShop()
    odd.orders = lambda asked: (200, {"username": asked.caller.username, "orders": [], "extra": 1})  # type: ignore[method-assign]
    results = verified(FakeShop(), FakeShop(), odd)
    assert [result.passed for result in results[:2]] == [True, True]
    assert not results[2].passed


def test_forgeries_differ_from_what_they_forge() -> None:
    for text in (
        "abcdef0123456789abcdef0123456789",
        "eyJhbGciOi.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "eyJ4IjoxfQ:1abcde:sIgNaTuRe",
    ):
        for forge in (truncated, tampered, foreign):
            assert forge(text) != text
    assert foreign("head.claims.signature").startswith("head.claims.")


def test_messages_never_show_a_token() -> None:
    shop = FakeShop("refresh breaks")
    (result,) = verified(shop)
    assert result.problems
    assert not any(token in problem for token in shop._callers for problem in result.problems)


def test_every_endpoint_that_needs_a_login_is_asked_without_one() -> None:
    assert {e.name for e in ENDPOINTS.values() if e.authenticated} == {
        "whoami", "orders", "orders-create", "reports-sales", "preferences", "refresh", "logout",
    }  # fmt: skip
