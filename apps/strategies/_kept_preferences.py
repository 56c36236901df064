"""Preferences in a table of the shop: the user's, not the login's, where a package keeps nothing beside its token."""

from collections.abc import Mapping

from apps.shop.models import Preferences


def kept(user_id: int) -> Mapping[str, str]:
    """One statement."""
    row = Preferences.objects.filter(user_id=user_id).values_list("kept", flat=True).first()
    return row or {}


def keep(user_id: int, preferences: Mapping[str, str]) -> None:
    """One statement: inserts the row or replaces it. Raises IntegrityError where the user is gone."""
    Preferences.objects.bulk_create(
        [Preferences(user_id=user_id, kept=dict(preferences))],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["kept"],
    )
