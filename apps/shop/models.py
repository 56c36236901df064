"""The shop's tables: users, their orders, and preferences that no credential carries."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from apps.contract.endpoints import VIEW_REPORTS, Caller


class User(AbstractUser):
    """A user whose granted permissions stand in the row itself.

    `granted` holds the codenames, sorted, of the shop's permissions that the user has directly or through groups.
    `apps.shop.granted` writes it whenever one of those changes, so that knowing who calls and what they may do is ONE
    statement. Without it every strategy that reads the user would also pay Django's two permission queries, and the
    bench would compare those instead of the places where a login is kept.
    """

    granted = ArrayField(models.CharField(max_length=100), default=list, editable=False)

    @property
    def caller(self) -> Caller:
        """The user as the contract names a caller."""
        return Caller(self.pk, self.username, tuple(self.granted))

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Django's answer, for the shop's own permissions read from the row."""
        app, _, codename = perm.partition(".")
        if app != "shop" or obj is not None:
            return super().has_perm(perm, obj)
        return self.is_active and (self.is_superuser or codename in self.granted)


class Preferences(models.Model):
    """What a user prefers, for strategies whose credential has nothing beside it to keep that in."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    kept = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"preferences of user {self.pk}"


class Order(models.Model):
    """One order of one user; money is in cents."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="orders", db_index=False)
    item = models.CharField(max_length=100)
    quantity = models.PositiveIntegerField()
    total_cents = models.PositiveBigIntegerField()
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        # The caller's newest orders are one walk along this index; it also serves the foreign key.
        indexes: ClassVar = [models.Index(fields=["user", "-id"], name="order_user_newest")]
        permissions: ClassVar = [(VIEW_REPORTS, "Can view sales reports")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.item}"
