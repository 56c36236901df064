from types import SimpleNamespace

import pytest

from apps.shop.middleware import SAFE_METHODS, cross_origin_protection


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "none"},
        # What the browser says of itself comes first, as in Go's net/http.
        {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "https://elsewhere.example"},
        {"HTTP_ORIGIN": "https://shop.example:8443"},
    ],
)
def test_requests_of_the_same_origin_and_of_no_browser_pass(meta: dict[str, str]) -> None:
    assert handle("POST", meta) == "passed"


@pytest.mark.parametrize("method", sorted(SAFE_METHODS))
def test_safe_methods_pass(method: str) -> None:
    assert handle(method, {"HTTP_SEC_FETCH_SITE": "cross-site"}) == "passed"


def handle(method: str, meta: dict[str, str]) -> object:
    request = SimpleNamespace(method=method, META=meta, get_host=lambda: "shop.example:8443")
    return cross_origin_protection(lambda _: "passed")(request)  # type: ignore[arg-type,return-value]
