"""How the load balancer picks a replica for a request."""

from typing import Literal

# cookie: a cookie names the replica that answered first. ip hash: nginx's own `ip_hash`, of the first three octets of
# an IPv4 address, modulo the replicas. ip consistent: a ring (ketama) of whole addresses, nginx's `hash … consistent`.
Balancing = Literal["round robin", "least connections", "cookie", "ip hash", "ip consistent"]
ROUND_ROBIN: Balancing = "round robin"
BALANCINGS: tuple[Balancing, ...] = ("round robin", "least connections", "cookie", "ip hash", "ip consistent")
