import pytest
from django.http.cookie import parse_cookie

from apps.shop.middleware import ascii_only

NAME = "__Host-sessionid"


def sent(header: str) -> str:
    """As a WSGI server hands UTF-8 over (PEP 3333)."""
    return header.encode().decode("latin-1")


def read_by_django(header: str) -> dict[str, str]:
    return parse_cookie(header.encode("latin-1").decode())


@pytest.mark.parametrize("space", ["\u2000", "\u3000", "\u0085", "\u00a0", "\u2028"])
def test_a_name_in_which_no_browser_sees_the_prefix_is_not_read(space: str) -> None:
    for pair in (f"{space}{NAME}=tossed", f"{NAME}{space}=tossed"):
        header = sent(f"theme=dark; {pair}; __Host-route=jwt-1")
        assert read_by_django(header)[NAME] == "tossed"  # what Django does by itself
        assert read_by_django(ascii_only(header)) == {"theme": "dark", "__Host-route": "jwt-1"}


def test_a_sister_domain_s_cookie_ends_no_login() -> None:
    header = sent(f"city=Zürich; {NAME}=held")
    assert read_by_django(ascii_only(header)) == {NAME: "held"}


@pytest.mark.parametrize("header", ["", f"{NAME}=held", 'a=1; b="2"; c'])
def test_ascii_stays_as_it_is(header: str) -> None:
    assert ascii_only(header) == header
