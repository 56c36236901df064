"""What replicas and the auth service beside them are told."""

from pathlib import Path

from authbench.stack.replicas import Application, skewed

APPLICATION = Application("jwt-jwks", "apps.strategies.jwt_jwks", {"AUTHBENCH_WORKERS": "4"})


def test_an_auth_service_is_one_process_however_many_a_replica_has() -> None:
    replica = APPLICATION.service(1, 10_001, Path("/log"), (), None)
    service = APPLICATION.auth_service("apps.services.jwks", 10_002, Path("/log"), ())
    assert replica.environment["AUTHBENCH_WORKERS"] == "4"
    assert service.environment["AUTHBENCH_WORKERS"] == "1"
    assert (service.name, service.tier, replica.tier) == ("jwt-jwks-auth", "auth", "app")


def test_a_skewed_replica_is_the_same_command_behind_another_clock() -> None:
    replica = APPLICATION.service(2, 10_001, Path("/log"), (), None)
    python, *rest = skewed(replica, 300.0).command
    assert (python, rest[:3]) == (replica.command[0], ["-m", "apps.services.skewed", "300.0"])
    assert rest[3:] == list(replica.command[2:])


def test_only_the_shop_itself_is_served_as_the_deployment_wants() -> None:
    told = {"AUTHBENCH_SERVING": "asgi", "AUTHBENCH_WORKERS": "2"}
    shop = Application("session-db", "apps.strategies.session_db", told).command(10_001)
    assert shop[-1] == "apps.shop.asgi:application"
    assert shop[shop.index("--workers") + 1] == "2"
    other = Application("starlette-jwt", "x", told, server="uvicorn", serves="apps.services.starlette_shop:application")
    assert other.command(10_001)[-1] == "apps.services.starlette_shop:application"
    threads = Application("session-db", "apps.strategies.session_db", {"AUTHBENCH_SERVING": "threads"})
    assert "gunicorn" in threads.command(10_001)
