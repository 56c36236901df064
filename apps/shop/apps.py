"""The shop as a Django app."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate

from apps.shop.foreign_keys import check_at_once


class ShopConfig(AppConfig):
    """Connects the signals that keep granted permissions in the user's row and foreign keys checked at once."""

    name = "apps.shop"
    label = "shop"

    def ready(self) -> None:
        """Refuses to start without a store that the strategy needs."""
        from apps.shop import granted  # noqa: PLC0415 - models can be imported only now

        granted.connect()
        post_migrate.connect(check_at_once, sender=self)
        if (
            "cache" in getattr(settings, "STRATEGY", {}).get("stores", ())
            and not settings.CACHES["default"]["LOCATION"]
        ):
            raise ImproperlyConfigured(f"set AUTHBENCH_CACHE_URL: {settings.STRATEGY_NAME} keeps sessions in the cache")
