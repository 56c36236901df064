"""What each of Django REST framework's strategies does, and what its package does by itself: its page says the same."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Semantics:
    """The status that an old credential gets for `whoami`, or as named, after something has happened."""

    refresh: int
    logout: int
    logout_elsewhere: int  # of another login of the same user
    new_password: int
    deactivation: int = 401
    grant: int = 200  # for the reports that the user may see from now on
    refresh_of_ended: int = 401  # after a refresh, and after a logout
    outage: int = 503


SEMANTICS = {
    "drf-session": Semantics(401, 401, 200, 401),
    "drf-token": Semantics(401, 401, 401, 200),
    "drf-knox": Semantics(401, 401, 200, 200),
    "drf-simplejwt": Semantics(200, 200, 200, 200),
    "drf-simplejwt-stateless": Semantics(200, 200, 200, 200, deactivation=200, grant=403, outage=200),
    "drf-jwt": Semantics(200, 200, 200, 200, refresh_of_ended=200),
}
# What the package itself does with a credential, where that is neither to accept nor to refuse it: a 500 in an APIView.
# "renewing": what its own serializer does with it.
_EXP = {
    "exp a string": "TypeError",
    "exp of 31 digits": "OverflowError",
    "exp 1e18": "OSError",
    "exp in the year 10000": "ValueError",
}
_USER_ID = {
    "user_id no number": "ValueError",
    "user_id a list": "TypeError",
    "user_id an object": "TypeError",
    "user_id infinite": "OverflowError",
    "user_id of 5000 digits": "ValueError",
    "user_id with NUL": "ValueError",
}
_REFRESH = {
    **{f"renewing: {case}": error for case, error in (_EXP | _USER_ID).items()},
    "renewing: user_id of nobody": "DoesNotExist",
    "renewing: user_id of 31 digits": "DoesNotExist",
    "renewing: jti with NUL": "DataError",
    "renewing: jti of 300 characters": "DataError",
    "renewing: no jti": "KeyError",
}
STUMBLES: dict[str, dict[str, str]] = {
    "drf-token": {"NUL": "DataError", "no Latin-1": "UnicodeEncodeError"},
    "drf-knox": {"NUL": "DataError", "no UTF-8": "UnicodeDecodeError", "no Latin-1": "UnicodeEncodeError"},
    "drf-simplejwt": {"no Latin-1": "UnicodeEncodeError", **_USER_ID, **_EXP, **_REFRESH},
    "drf-simplejwt-stateless": {"no Latin-1": "UnicodeEncodeError", **_EXP, **_REFRESH},
    "drf-jwt": {
        "no Latin-1": "UnicodeEncodeError",
        "no alg": "KeyError",
        "username with NUL": "DataError",
        "username half a surrogate pair": "UnicodeEncodeError",
        "renewing: username with NUL": "DataError",
        "renewing: username half a surrogate pair": "UnicodeEncodeError",
        "renewing: orig_iat a string": "TypeError",
    },
}
# Claims that the package overlooks, and the shop with it: each strategy's page says so.
OVERLOOKED: dict[str, set[str]] = {
    "drf-token": {"scheme in lower case"},
    "drf-knox": {"scheme in lower case"},
    "drf-simplejwt": {
        "no iat",
        "typ another",
        "= appended",
        "aud a list",
        "user_id 1.5",
        "user_id true",
        "user_id with a space",
    },
    "drf-simplejwt-stateless": {"no iat", "typ another", "= appended", "aud a list"},
    "drf-jwt": {
        "no iat",
        "no exp",
        "no jti",
        "exp a string",
        "typ another",
        "= appended",
        "aud a list",
        "scheme in lower case",
    },
}

HABITS: dict[str, dict[str, Any]] = {
    "drf-session": {"challenge": None},
    "drf-token": {"token in the table": True},
    "drf-knox": {"token in the table": False, "rows read with 1 token": 2, "rows read with 51 tokens": 52},
    "drf-simplejwt-stateless": {
        "token in the table": True,
        "pairs for one refresh token used twice at once": 2,
        "permissions after a grant and the package's refresh": [],
        "permissions after a grant and the shop's refresh": ["view_reports"],
    },
}
