"""The token table of a central service: no token stands in it, so nobody who reads it can log in."""

from django.conf import settings
from django.db import models


class AccessToken(models.Model):
    """One login; its token is known to the client only, its SHA-256 is the key."""

    digest = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # Unix seconds, as RFC 7662 has them.
    auth_time = models.BigIntegerField()  # when the password was checked
    issued = models.BigIntegerField()
    expires = models.BigIntegerField()
    preferences = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"token of user {self.user_id}, until {self.expires}"
