import json

import pytest

from apps.contract.credentials import Bearer, Cookies, Nothing, PageState, anonymous, load, wire_bytes
from apps.contract.registry import Carrier

SET = [("Set-Cookie", "__Host-sessionid=abc; HttpOnly; Path=/; SameSite=Lax; Secure")]


def test_a_cookie_is_kept_sent_replaced_and_forgotten() -> None:
    held = Cookies().absorb(SET, b"")
    assert held.attach() == (("Cookie", "__Host-sessionid=abc"),)
    assert held.absorb([], b"{}") == held
    assert held.absorb([("set-cookie", "__Host-sessionid=def")], b"").attach() == (("Cookie", "__Host-sessionid=def"),)
    ended = held.absorb([("Set-Cookie", '__Host-sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0')], b"")
    assert ended.attach() == ()


def test_a_signed_value_survives_to_the_character() -> None:
    value = "eyJhIjoxfQ:1xVz1w:Gt3pdp6RS44850Dt1-oGHfRqzDQHoncbcx1rry6ubiI"
    assert Cookies().absorb([("Set-Cookie", f"s={value}; Path=/")], b"").attach() == (("Cookie", f"s={value}"),)


def test_a_token_is_kept_sent_and_replaced() -> None:
    held = Bearer().absorb([], b'{"access_token":"a.b.c","token_type":"Bearer","expires_in":9}')
    assert held.attach() == (("Authorization", "Bearer a.b.c"),)
    assert held.absorb([], b'{"logged_out":true}') == held
    assert held.absorb([], b"not json") == held
    assert held.absorb([], b'{"access_token":"d.e.f"}').attach() == (("Authorization", "Bearer d.e.f"),)


@pytest.mark.parametrize("carrier", ["none", "cookie", "bearer", "page"])
def test_what_was_dumped_is_loaded(carrier: Carrier) -> None:
    body = b'{"access_token":"t","refresh_token":"r","state":"s"}'
    for held in (anonymous(carrier), anonymous(carrier).absorb(SET, body)):
        assert load(carrier, json.loads(json.dumps(held.dump()))) == held


def test_nothing_is_sent_before_a_login() -> None:
    for held in (Nothing(), Cookies(), Bearer(), PageState()):
        assert held.attach() == ()
        assert wire_bytes(held) == 0


def test_wire_bytes_count_the_whole_header_line() -> None:
    assert wire_bytes(Bearer("abc")) == len("Authorization: Bearer abc\r\n")


def test_altering_changes_the_secret_only() -> None:
    assert Cookies((("s", "abc"),)).altered(str.upper).attach() == (("Cookie", "s=ABC"),)
    assert Bearer("abc", "r").altered(str.upper) == Bearer("ABC", "r")
