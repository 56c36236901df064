from apps.contract.credentials import Bearer, Cookies, Nothing, PageState
from apps.contract.registry import strategies
from authbench.experiments.payload.laden import cookie_bytes, longest


def test_a_cookie_is_as_long_as_its_name_and_value() -> None:
    assert cookie_bytes(Cookies((("__Host-a", "12"), ("b", "1234567890")))) == 11
    assert cookie_bytes(Cookies()) == 0


def test_what_is_no_cookie_has_no_cookie_s_length() -> None:
    assert [cookie_bytes(each) for each in (Bearer("token"), PageState("state"), Nothing())] == [None] * 3


def test_the_longest_credential_stands_for_all() -> None:
    rows = [{"id": number, "credential": {"access_token": "x" * size}} for number, size in enumerate((3, 9, 5))]
    row, credential = longest(strategies()["jwt-hs256"], rows)
    assert row["id"] == 1
    assert credential == Bearer("x" * 9)
