"""All attacks there are, in the order in which they are carried out: what ends or floods things comes last."""

from authbench.attacks import (
    algorithms,
    claims,
    cookies,
    floods,
    headers,
    identifiers,
    keys,
    logins,
    origins,
    places,
    proxies,
    signatures,
    sizes,
)
from authbench.attacks.forgery import Forgeries
from authbench.attacks.target import Attack

ATTACKS: tuple[Attack, ...] = (
    *claims.ATTACKS,
    *algorithms.ATTACKS,
    *keys.ATTACKS,
    *headers.ATTACKS,
    *signatures.ATTACKS,
    *places.ATTACKS,
    *cookies.ATTACKS,
    *identifiers.ATTACKS,
    *origins.ATTACKS,
    *proxies.ATTACKS,
    *logins.ATTACKS,
    *floods.ATTACKS,
    *sizes.ATTACKS,
)
FORGERIES: tuple[Forgeries, ...] = (*claims.FORGERIES, *algorithms.FORGERIES, *headers.FORGERIES)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(each.family for each in ATTACKS))
