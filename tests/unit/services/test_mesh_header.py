"""The gateway's signed header: whom it names, for how long, and that nothing else is believed."""

import base64
import hashlib
import hmac
import json

import pytest

from apps.contract.endpoints import Caller
from apps.services.mesh._internal_header import EARLY_S, LONGEST, WINDOW_S, sign, verify

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
CALLER = Caller(7, "üser00007", ("view_reports",))
AUDIENCE, NOW = "services", 1_800_000_000
GOOD = sign(KEY, CALLER, AUDIENCE, NOW)


@pytest.mark.parametrize("age_s", [0, WINDOW_S, -EARLY_S])
def test_a_signed_header_names_the_caller_within_its_window(age_s: int) -> None:
    assert verify(KEY, GOOD, AUDIENCE, NOW + age_s) == CALLER


@pytest.mark.parametrize("age_s", [WINDOW_S + 1, WINDOW_S + 0.5, -EARLY_S - 1])
def test_it_cannot_be_sent_again_after_its_window_nor_before(age_s: float) -> None:
    assert verify(KEY, GOOD, AUDIENCE, NOW + age_s) is None


def test_another_key_or_audience_is_refused() -> None:
    assert verify(OTHER_KEY, GOOD, AUDIENCE, NOW) is None
    assert verify(KEY, GOOD, "others", NOW) is None


def test_every_altered_character_is_refused() -> None:
    refused = [GOOD[:at] + ("A" if GOOD[at] != "A" else "B") + GOOD[at + 1 :] for at in range(len(GOOD))]
    assert not [each for each in refused if verify(KEY, each, AUDIENCE, NOW)]


@pytest.mark.parametrize("value", ["", ".", "a.b", GOOD.replace(".", ""), GOOD + ".", "é.é", "A" * (LONGEST + 1)])
def test_what_is_no_header_is_refused(value: str) -> None:
    assert verify(KEY, value, AUDIENCE, NOW) is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        [AUDIENCE, NOW, 7, "u"],
        [AUDIENCE, str(NOW), 7, "u", []],
        [AUDIENCE, True, 7, "u", []],
        [AUDIENCE, NOW, "7", "u", []],
        [AUDIENCE, NOW, 7, "u", [1]],
        [AUDIENCE, NOW, 7, None, []],
    ],
)
def test_a_well_signed_payload_of_another_shape_is_refused(fields: object) -> None:
    good_payload = GOOD.partition(".")[0]
    payload = base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")
    assert payload != good_payload
    assert verify(KEY, f"{payload}.{_signed(payload)}", AUDIENCE, NOW) is None


def _signed(payload: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(KEY, payload.encode(), hashlib.sha256)).decode().rstrip("=")
