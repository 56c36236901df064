"""Family `sizes`: a megabyte where a credential belongs."""

from collections.abc import Iterator
from urllib.parse import urlencode

from apps.contract.endpoints import PAGE_STATE_HEADER
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, Target, refused, shown
from authbench.attacks.wire import Request

FAMILY = "sizes"
MEGABYTE = 1_000_000
JUST_TOO_LONG = 9000  # characters: longer than the line that gunicorn takes, and than nginx's one buffer
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def huge(target: Target) -> Iterator[Try]:
    """As header, cookie, field of a page, address and password: refused, and the next one is served."""
    for size in (JUST_TOO_LONG, MEGABYTE):
        text = "a" * size
        for origin, place in ((target.url, ""), *((url, ", straight to a replica") for url in target.replica_urls[:1])):
            for sent, headers in (
                ("Authorization", (("Authorization", f"Bearer {text}"),)),
                ("Cookie", (("Cookie", f"__Host-sessionid={text}"),)),
                ("the page's header", ((PAGE_STATE_HEADER, text),)),
                ("its own carrier", target.carrying(text)),
            ):
                yield refused(f"{size:,} characters in {sent}{place}", target.ask("whoami", headers, url=origin))
        body = urlencode({"state": text, "item": "x", "quantity": "1"}).encode()
        yield refused(f"{size:,} characters in a field", target.ask("orders-create", (FORM,), body))
        yield refused(
            f"{size:,} characters in the address", target.send(Request("GET", f"{target.url}/api/whoami?{text}"))
        )
        yield refused(f"a password of {size:,}", target.ask("login", (), {"username": "user00001", "password": text}))
        refresh = {"refresh_token": text}
        yield refused(f"a refresh token of {size:,}", target.ask("refresh", target.carrying("nonsense"), refresh))
    many = tuple((f"X-{number}", "x") for number in range(1000))
    yield refused("1,000 headers", target.ask("whoami", many))
    answer = target.genuine("whoami")
    held = answer.status == 200 and target.names_victim(answer)
    yield Try(sent="a lawful request afterwards", expected="200", came=shown(answer), held=held)


ATTACKS = (Attack("a megabyte", FAMILY, "RFC 9110, 15.5.14; RFC 6585, 5; ASVS 5.0, 4.2.5", huge),)
