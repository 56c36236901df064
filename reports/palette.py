"""Colours: the same for the same strategy in every chart of every run, and apart for colour-blind readers.

The hue tells the place (Okabe and Ito's palette, 2008), the line style and the marker tell the freshness; a third
party's strategy gets its hue from a hash of its name, never from its position in a run.
"""

import zlib
from collections.abc import Mapping

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B98500", "#56B4E9")
GREY = "#5F6670"

PLACES: Mapping[str, str] = {
    "none": GREY,
    "database": "#0072B2",
    "cache": "#D55E00",
    "cache+database": "#8A5A2B",
    "file": "#B98500",
    "cookie": "#009E73",
    "page": "#3F8F9B",
    "memory": "#7A6FB3",
    "token": "#CC79A7",
}
# Strategies that share place and freshness with another must still differ.
NAMES: Mapping[str, str] = {
    "none": GREY,
    "jwt-rs256": "#9C4A7B",
    "jwt-es256": "#E3A9C9",
    "jwt-eddsa": "#7D2E5C",
    "jwt-cached": "#B85C9E",
    "jwt-denylist": "#D98BB8",
    "jwt-refresh": "#A6518A",
    "jwt-once": "#C24E86",
    "jwt-cookie": "#8F6B9E",
    "jwt-jwks": "#6E4A7E",
    "edge-jwt": "#56B4E9",
    "edge-subrequest": "#3A86B8",
    "opaque-introspection": "#2B5C8A",
}
# A single hue from dark to light, so that tiers are never taken for strategies.
TIERS: Mapping[str, str] = {
    "app": "#24405E",
    "db": "#54789C",
    "cache": "#8FAFC9",
    "auth": "#B9A88A",
    "vault": "#D6CCB8",
    "lb": "#CBD9E5",
}
TIER_NAMES: Mapping[str, str] = {
    "app": "app",
    "db": "database",
    "cache": "cache",
    "auth": "auth service",
    "vault": "secret store",
    "lb": "load balancer",
}
INK = "#1B1F24"
FAINT = "#667080"
RULE = "#D5DAE0"
LIMIT = "#B3261E"  # what is used up there, or refused beyond
FRESHNESS_MARK: Mapping[str, str] = {"row": "●", "claims": "○", "none": "–"}


def colour(strategy: str, location: str) -> str:
    """The strategy's colour, by its name; by its place where the name has none of its own."""
    if strategy in NAMES:
        return NAMES[strategy]
    if location in PLACES:
        return PLACES[location]
    return OKABE_ITO[zlib.crc32(strategy.encode()) % len(OKABE_ITO)]
