"""The families of refresh tokens."""

import uuid

from django.conf import settings
from django.db import models


class Family(models.Model):
    """One login: all refresh tokens that follow from it, of which one works.

    Its id is drawn here, so that a login needs no answer from the database to go on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    generation = models.PositiveIntegerField(default=0)  # of the token that works; lower ones were used
    current = models.BinaryField(max_length=32)  # SHA-256 of that token's secret
    auth_time = models.DateTimeField()  # when the password was checked
    ends = models.DateTimeField()  # however often it is refreshed
    rotated = models.DateTimeField()
    revoked = models.BooleanField(default=False)
    preferences = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "families"

    def __str__(self) -> str:
        return f"family of user {self.user_id}, generation {self.generation}"
