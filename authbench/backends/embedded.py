"""The default backend: every part on this machine, from wheels or the user's own programs, gone when it closes."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from apps.contract.registry import Strategy
from apps.contract.tokens import audience_of
from authbench.backends.addressed import Addressed
from authbench.backends.parts import Parts, start_parts
from authbench.backends.shop import SIGNING_KEYS, Keys, Serving, Shop
from authbench.backends.variant import Variant, as_variants
from authbench.backends.vaulted import admit, vaulted
from authbench.balancing import ROUND_ROBIN, Balancing
from authbench.deployable import NOTHING_MORE, Needs
from authbench.deployment import Deployment
from authbench.errors import StackError
from authbench.stack import nginx, valkey
from authbench.stack.diagnosis import writing
from authbench.stack.edge import Edge, jwks_of
from authbench.stack.nginx import Site
from authbench.stack.relay import NAME as RELAY
from authbench.stack.relay import Relay
from authbench.stack.replicas import auth_service_name, replica_name, skewed
from authbench.stack.service import Service
from authbench.stack.stack import Stack

USUAL_CONNECTIONS = 200
SPARE_CONNECTIONS = 20  # for the bench, management commands and PostgreSQL's own
START_S, START_PER_REPLICA_S = 30.0, 3.0


class EmbeddedStack(Addressed):
    """PostgreSQL, Valkey, nginx and the replicas of some strategies, or variants of some. Use as a context manager.

    Entering starts the first three; `seed`, `start_replicas` and `mint` follow in that order or another. Every method
    raises StackError where a part fails. `cores` are the stack's; empty: no pinning. `replica_cpus` is each replica's
    budget in cores, None for none.
    """

    def __init__(
        self,
        *,
        strategies: Sequence[Strategy | Variant],
        replicas: int = 2,
        workers: int = 1,
        threads: int = 4,
        conn_max_age_s: int = 60,
        max_connections: int | None = None,
        cores: tuple[int, ...] = (),
        replica_cpus: float | None = None,
        needs: Needs = NOTHING_MORE,
    ) -> None:
        if len(strategies) > valkey.DATABASES:
            raise StackError(f"{len(strategies)} strategies, but the cache has {valkey.DATABASES} databases")
        self.variants = {variant.name: variant for variant in as_variants(strategies)}
        self.strategies = {name: variant.strategy for name, variant in self.variants.items()}
        self.deployment = Deployment(replicas=replicas)  # the one running, or, before that, planned
        self.cores = cores
        self._needs = needs
        self._max_connections = max_connections
        self._serving = Serving(workers, threads, conn_max_age_s, replica_cpus)
        self._keys = Keys()
        self._ports: dict[str, int] = {}  # replica -> its port, the same at every launch
        self._generation = 0
        self._detailed = False
        self._stack = Stack(cores)
        self.parts: Parts
        self._shop: Shop
        self._callbacks = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Starts PostgreSQL, Valkey and nginx side by side."""
        self._stack.__enter__()
        try:
            self._start_parts()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._callbacks.close()
        finally:
            self._stack.close()

    def at_close(self, callback: Callable[[], None]) -> None:
        """Called before the parts are stopped, for whoever keeps a connection to one of them."""
        self._callbacks.callback(callback)

    def _start_parts(self) -> None:
        self._dealt = self.deployment.replicas
        self._sites = {name: self._stack.ports.take() for name in self.strategies}
        self._relay_ports = tuple(self._stack.ports.take() for _ in range(4))
        self._auth_ports = {name: self._stack.ports.take() for name, each in self.strategies.items() if each.service}
        processes = len(self.strategies) * self.replicas * self._serving.workers + len(self._auth_ports)
        connections = max(USUAL_CONNECTIONS, processes * self._serving.threads + SPARE_CONNECTIONS)
        self._jwks = self._stack.folder / "jwks.json"
        with writing(self._stack.folder):
            self._jwks.write_text(jwks_of(self._keys.rsa), encoding="utf-8")  # public: nginx's workers read it
        self.parts = start_parts(
            self._stack,
            self._max_connections or connections,
            self._all_sites(0),
            self._generation_name(),
            session_server=self._needs.session_server,
            pgbouncer=self._needs.pgbouncer,
            secrets=self._needs.openbao,
        )
        names = tuple(self.strategies)
        self._shop = Shop(self.parts, names, self.folder, self._serving, self._keys, self.replicas, self._auth_ports)
        with writing(self.folder):
            for name in self.strategies:
                self._shop.sessions(name).mkdir(mode=0o700, parents=True)
            published = any(each.private_key and each.service for each in self.strategies.values())
            if published or not self._needs.openbao:  # where secrets are kept elsewhere, no file holds one for nothing
                (self.folder / SIGNING_KEYS).touch(mode=0o600)
                (self.folder / SIGNING_KEYS).write_text(self._keys.signing_keys(), encoding="utf-8")
        if (vault := self.parts.vault) is not None:
            self.at_close(vault.close)
            for name, strategy in self.strategies.items():
                admit(vault, name, strategy, self._keys)

    # Replicas

    @property
    def replica_cpus(self) -> float | None:
        """Each replica's budget in cores; None: it has none."""
        return self._serving.cpus

    def limit_replicas(self, cpus: float | None) -> None:
        """Each replica's budget in cores from the next start on; None: none."""
        self._serving = replace(self._serving, cpus=cpus)
        self._shop = replace(self._shop, serving=self._serving)

    @contextlib.contextmanager
    def within_budget(self, strategy: str) -> Iterator[None]:
        """The strategy's replicas keep to their budgets while the block runs, as they do while they are measured.

        Before and after it they have none: warming them up within a small budget would take minutes.
        """
        groups = (
            [] if self.replica_cpus is None else [self.running(name).group for name in self.replica_names(strategy)]
        )
        for group in groups:
            group.limit(self.replica_cpus)
        try:
            yield
        finally:
            for group in groups:
                group.limit(None)

    def start_replicas(
        self,
        replicas: int | None = None,
        ahead_s: Mapping[int, float] | None = None,
        *,
        deployment: Deployment | None = None,
        only: Collection[str] | None = None,
    ) -> None:
        """Fresh processes for every strategy, `replicas` of each, in place of those running.

        What is not given stays as it was. `ahead_s`: number of a replica -> how far its clock is ahead. `only`: of
        these strategies; nobody answers for the others.
        """
        names = [name for name in self.strategies if only is None or name in only]
        self.stop_replicas()
        self.deployment = deployment or self.deployment
        if replicas is not None:
            self.deployment = self.deployment.model_copy(update={"replicas": replicas})
        if self.deployment.distance_ms is not None:
            self.start_relay(self.deployment.distance_ms)
        services = [
            self._replica(name, number, (ahead_s or {}).get(number, 0.0))
            for name in names
            for number in range(1, self.replicas + 1)
        ]
        self._stack.start(*(self._auth_service(name) for name in names if name in self._auth_ports), *services)
        for service in services if self.replica_cpus is not None else ():
            self.running(service.name).group.limit(None)
        self._generation += 1
        balancer = self._stack.running(nginx.NAME)
        self.parts.nginx.reload(balancer, self._all_sites(self.replicas), self._generation_name())

    def stop_replicas(self) -> None:
        """Ends all replicas; may be called when there are none."""
        self._stack.stop(*(name for name, tier in self._stack.tiers.items() if tier in ("app", "auth")))

    def end_replica(self, strategy: str, number: int) -> None:
        """Ends that replica's process; the balancer goes on as it was. Nothing happens where it does not run."""
        self._stack.stop(replica_name(strategy, number))

    def begin_replica(self, strategy: str, number: int, told: Mapping[str, str]) -> None:
        """A fresh process in place of that replica's, with `told` over what its environment says, or its vault."""
        self.end_replica(strategy, number)
        self._stack.start(self._replica(strategy, number, 0.0, told))

    def log_requests(self, *, detailed: bool) -> None:
        """Whether, from the next start on, the balancer writes a line a request into `Nginx.requests_file` too."""
        self._detailed = detailed

    def deal_logins(self, replicas: int) -> None:
        """Logins that live at one replica: those minted from now on are dealt to so many, not to those planned."""
        self._shop = replace(self._shop, replicas=replicas)
        self._dealt = replicas

    def balance(self, methods: Mapping[str, Balancing], members: Sequence[int]) -> None:
        """Until the next start, has the balancer lead to the replicas of these numbers only, and pick them so.

        `methods`: strategy -> how; round robin where it is not named. No route leads to a replica that is no member.
        """
        sites = [
            replace(
                site,
                replicas={
                    name: port for name, port in site.replicas.items() if int(name.rpartition("-")[2]) in members
                },
                sticky=site.sticky and methods.get(site.name) == "cookie",
                dealt=0,
                method=methods.get(site.name, ROUND_ROBIN),
            )
            for site in self._all_sites(self.replicas)
        ]
        self._generation += 1
        self.parts.nginx.reload(self._stack.running(nginx.NAME), sites, self._generation_name())

    def _replica(self, strategy: str, number: int, ahead_s: float, told: Mapping[str, str] | None = None) -> Service:
        name = replica_name(strategy, number)
        if name not in self._ports:
            self._ports[name] = self._stack.ports.take()
        application = self._shop.application(self.variants[strategy], deployment=self.deployment)
        log, within = self._stack.log(name), self._start_within_s()
        replica = application.service(number, self._ports[name], log, self.cores, self._serving.cpus, within)
        replica = replace(replica, environment={**replica.environment, **(told or {})})
        return self._informed(skewed(replica, ahead_s) if ahead_s else replica, strategy, strategy)

    def _auth_service(self, strategy: str) -> Service:
        variant, log = self.variants[strategy], self._stack.log(auth_service_name(strategy))
        port, within = self._auth_ports[strategy], self._start_within_s()
        application = self._shop.application(variant)
        service = application.auth_service(variant.strategy.service, port, log, self.cores, within)
        return self._informed(service, strategy, service.name)

    def _informed(self, service: Service, strategy: str, role: str) -> Service:
        """Where the deployment has OpenBao keep the secrets, the process gets them there instead."""
        if self.deployment.secrets != "openbao":
            return service
        return vaulted(self.vault, service, role, self.strategies[strategy])

    def _start_within_s(self) -> float:
        return START_S + START_PER_REPLICA_S * self.replicas * len(self.strategies)

    # Distance

    def start_relay(self, round_trip_ms: float) -> Relay:
        """A fresh relay in place of one that runs: replicas started from now on reach the stores through it."""
        self.stop_relay()
        database, cache, status, control = self._relay_ports
        relay = Relay(round_trip_ms, database, cache, status, self.postgres.port, self.valkey.port, control)
        self._stack.start(relay.service(self._stack.log(RELAY)))
        self._shop = replace(self._shop, relay=relay)
        return relay

    def stop_relay(self) -> None:
        """Ends it; may be called when there is none."""
        self._stack.stop(RELAY)
        self._shop = replace(self._shop, relay=None)

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """Part -> setting -> value, as configured; no secrets."""
        return {**self.parts.settings, "replica": self._serving.described()}

    # Inside

    def _all_sites(self, replicas: int) -> list[Site]:
        return [
            Site(
                name,
                port,
                {replica: self._ports[replica] for replica in self._started(name, replicas)},
                sticky=self.strategies[name].sticky,
                edge=self._edge(name),
                dealt=self._dealt,
                detailed=self._detailed,
            )
            for name, port in self._sites.items()
        ]

    def _started(self, name: str, replicas: int) -> list[str]:
        """Of so many replicas, those that have a port: all, but for strategies that were never started."""
        return [each for n in range(1, replicas + 1) if (each := replica_name(name, n)) in self._ports]

    def _edge(self, name: str) -> Edge | None:
        strategy = self.strategies[name]
        if not strategy.edge:
            return None
        return Edge(
            strategy.edge,
            self._keys.edge,
            audience=audience_of(strategy.name),
            jwks_file=self._jwks,
            auth_port=self._auth_ports.get(name, 0),
        )

    def _generation_name(self) -> str:
        return f"{self._stack.name}:{self._generation}"
