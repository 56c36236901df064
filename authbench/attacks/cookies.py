"""Family `cookies`: how they are set, and what else passes for them."""

from collections.abc import Iterator

from apps.contract.credentials import CSRF_COOKIE, Cookies
from apps.contract.endpoints import ROUTE_COOKIE
from authbench.attacks.findings import Try
from authbench.attacks.target import Attack, NotApplicable, Target, cookie_of, refused, text_of
from authbench.conformance.visitor import Answer

FAMILY = "cookies"
PREFIX = "__Host-"


def flags(target: Target) -> Iterator[Try]:
    """Of every cookie that a login sets: prefix, Secure, Path=/, no Domain, SameSite; HttpOnly if it authenticates."""
    _cookie(target)
    answer = target.ask(
        "login", (), {"username": target.attacker.user.caller.username, "password": target.attacker.user.password}
    )
    lines = [value for name, value in answer.headers if name.lower() == "set-cookie"]
    yield Try(sent="a login", expected="Set-Cookie", came=f"{answer.status}, {len(lines)} cookies", held=bool(lines))
    for line in lines:
        name = line.partition("=")[0]
        attributes = {each.strip().lower() for each in line.split(";")[1:]}
        wanted = {"secure", "path=/"} | (set() if name == CSRF_COOKIE else {"httponly"})
        lacking = sorted(wanted - attributes)
        if not attributes & {"samesite=lax", "samesite=strict"}:
            lacking.append("samesite=lax or strict")
        domain = [each for each in attributes if each.startswith("domain")]
        wrong = [*(f"no {each}" for each in lacking), *domain, *([] if name.startswith(PREFIX) else [f"no {PREFIX}"])]
        came = ", ".join(wrong) or "all of them"
        yield Try(
            sent=f"the cookie {name}",
            expected="__Host-, Secure, HttpOnly (where it authenticates), SameSite, Path=/, no Domain",
            came=came,
            held=not wrong,
        )


def tossed(target: Target) -> Iterator[Try]:
    """Names that a page of a sister domain can set, since no browser sees the prefix in them, and the server might."""
    name = _cookie(target)
    value = text_of(target.attacker.credential)
    bare = name.removeprefix(PREFIX)
    for sent, cookie in (
        ("without the prefix", f"{bare}={value}"),
        ("with another prefix", f"__Secure-{bare}={value}"),
        ("in small letters", f"{name.lower()}={value}" if name.lower() != name else f"{name.upper()}={value}"),
        ("in capitals", f"{name.upper()}={value}"),
        ("percent-encoded", f"%5F%5FHost-{bare}={value}"),
        ("without a name", f"={name}={value}"),
        ("as a value", f"x={name}={value}"),
        ("in quotation marks", f'x="; {name}={value}'.replace("; ", "%3B ")),
        ("after U+2000", f"\u2000{name}={value}"),
        ("after U+3000", f"\u3000{name}={value}"),
        ("after U+0085", f"\u0085{name}={value}"),
        ("after U+00A0", f"\u00a0{name}={value}"),
        ("after the byte 0x85", f"\udc85{name}={value}"),
        ("after the byte 0xA0", f"\udca0{name}={value}"),
        ("before U+2000", f"{name}\u2000={value}"),
        ("after $Version and a comma", f'$Version="1",{name}={value}'),
        ("with a NUL", f"{name}\0={value}"),
    ):
        yield refused(f"its cookie {sent}", target.ask("whoami", (("Cookie", cookie),)))


def fixed(target: Target) -> Iterator[Try]:
    """A credential that was there before the login is not the one after it, and names nobody's new login."""
    name = _cookie(target)
    planted = f"{name}={'a' * 32}"
    user = target.attacker.user
    answer = target.ask("login", (("Cookie", planted),), {"username": user.caller.username, "password": user.password})
    given = _set_by(answer, name)
    yield Try(
        sent="a login with a planted cookie",
        expected="another value",
        came="the planted one" if given == "a" * 32 else "another value" if given else f"{answer.status}, no cookie",
        held=bool(given) and given != "a" * 32,
    )
    yield refused("the planted cookie after the login", target.ask("whoami", (("Cookie", planted),)))


def _set_by(answer: Answer, name: str) -> str:
    return dict(Cookies().absorb(answer.headers, b"").jar).get(name, "")


def _cookie(target: Target) -> str:
    """The name of the cookie that authenticates. Raises NotApplicable."""
    if not (name := cookie_of(target.victim.credential)) or name == ROUTE_COOKIE:
        raise NotApplicable("the credential is no cookie")
    return name


ATTACKS = (
    Attack("flags", FAMILY, "RFC 6265bis, 4.1.3 and 8; ASVS 5.0, 3.3.1 to 3.3.4", flags),
    Attack("cookie tossing", FAMILY, "RFC 6265bis, 4.1.3.2 and 8.6; ASVS 5.0, 3.3.3", tossed),
    Attack("session fixation", FAMILY, "ASVS 5.0, 7.2.4; RFC 6265bis, 8.4", fixed),
)
