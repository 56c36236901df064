"""Family `origins`: requests that another site's page has the victim's browser send."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from apps.contract.credentials import CSRF_HEADER, Cookies
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target, refused
from authbench.attacks.wire import Headers
from authbench.conformance.checks import ORDER

FAMILY = "origins"
UNSAFE: Mapping[str, Mapping[str, Any] | None] = {
    "orders-create": ORDER,
    "preferences": {"theme": "evil"},
    "logout": None,
}


def forged_requests(target: Target) -> Iterator[Try]:
    """With the victim's cookie and what a browser says of a foreign page: nothing is changed, no login ended."""
    credential = target.attacker.credential
    if not isinstance(credential, Cookies):
        raise NotApplicable("no browser sends the credential unasked")
    # Another site's page cannot read the cookie, so it has no CSRF token to repeat.
    ambient = tuple(each for each in credential.attach() if each[0] != CSRF_HEADER)
    host = urlsplit(target.url).netloc
    name, _, port = host.partition(":")
    for sent, foreign in (
        ("Sec-Fetch-Site: cross-site", (("Sec-Fetch-Site", "cross-site"),)),
        ("Sec-Fetch-Site: same-site", (("Sec-Fetch-Site", "same-site"),)),
        ("Origin of another site", (("Origin", "https://evil.example"),)),
        ("Origin: null", (("Origin", "null"),)),
        ("Origin that begins like ours", (("Origin", f"https://{host}.evil.example"),)),
        ("Origin that ends like ours", (("Origin", f"https://evil-{host}"),)),
        ("Origin with ours as user", (("Origin", f"https://{host}@evil.example"),)),
        ("Origin of another port", (("Origin", f"https://{name}:{int(port or 443) + 1}"),)),
        ("two Origins", (("Origin", f"https://{host}"), ("Origin", "https://evil.example"))),
        ("Origin that Python cannot take apart", (("Origin", "https://[evil"),)),
        ("X-Forwarded-Host of the Origin", (("Origin", "https://evil.example"), ("X-Forwarded-Host", "evil.example"))),
    ):
        yield refused(f"POST /api/orders, {sent}", target.ask("orders-create", (*ambient, *foreign), ORDER))
    cross: Headers = (("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site"))
    for endpoint, body in UNSAFE.items():
        yield refused(f"{endpoint} of another site", target.ask(endpoint, (*ambient, *cross), body))
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        # What a form can send without asking first; from before browsers named origins.
        typed = (*ambient, ("Content-Type", media))
        yield refused(f"POST /api/orders as {media}", target.ask("orders-create", typed, b'{"item":"x","quantity":1}'))
    login = {"username": target.attacker.user.caller.username, "password": target.attacker.user.password}
    yield refused("a login by another site", target.ask("login", cross, login))


ATTACKS = (Attack("cross-site requests", FAMILY, "ASVS 5.0, 3.5.1 to 3.5.3; RFC 6265bis, 8.8", forged_requests),)
