"""Keeps `User.granted` equal to what groups and permissions say, in the transaction that changes them."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models.signals import m2m_changed, pre_delete

from apps.shop.models import User

# Only this app's permissions: codenames are unique within one app, and endpoints ask for no other's.
RECOMPUTE = """
UPDATE shop_user SET granted = ARRAY(
    SELECT permission.codename
    FROM auth_permission permission JOIN django_content_type type ON type.id = permission.content_type_id
    WHERE type.app_label = 'shop' AND permission.id IN (
        SELECT permission_id FROM shop_user_user_permissions WHERE user_id = shop_user.id
        UNION
        SELECT group_permission.permission_id
        FROM auth_group_permissions group_permission JOIN shop_user_groups USING (group_id)
        WHERE shop_user_groups.user_id = shop_user.id)
    ORDER BY permission.codename)
WHERE id = ANY(%s)
"""


def recompute(user_ids: Iterable[int]) -> None:
    """Writes `granted` of these users anew."""
    if ids := list(user_ids):
        with connection.cursor() as cursor:
            cursor.execute(RECOMPUTE, [ids])


def connect() -> None:
    """Listens to every change of who has which permission. Bulk SQL sends no signal: call `recompute` after it."""
    for through in (User.groups.through, User.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_changed, sender=through, dispatch_uid=f"granted:{through.__name__}")
    for model in (Group, Permission):
        pre_delete.connect(_about_to_vanish, sender=model, dispatch_uid=f"granted:{model.__name__}")


def _changed(sender: Any, instance: Any, action: str, pk_set: set[int] | None, **_: Any) -> None:
    if action == "pre_clear":
        # Afterwards nothing tells whom it concerned.
        instance.concerned_by_clear = set(_concerned(sender, instance, pk_set))
    elif action == "post_clear":
        recompute(instance.__dict__.pop("concerned_by_clear"))
    elif action in ("post_add", "post_remove"):
        recompute(_concerned(sender, instance, pk_set))


def _concerned(sender: Any, instance: Any, pk_set: set[int] | None) -> Iterable[int]:
    if isinstance(instance, User):
        return [instance.pk]
    if sender is Group.permissions.through:
        groups = [instance.pk] if isinstance(instance, Group) else (pk_set or instance.group_set.values("pk"))
        return User.objects.filter(groups__in=groups).values_list("pk", flat=True)
    # A group or a permission whose set of users changes: they are the other side's keys.
    return pk_set if pk_set is not None else instance.user_set.values_list("pk", flat=True)


def _about_to_vanish(instance: Any, **_: Any) -> None:
    """Deleting cascades through the join tables without a signal; clearing them first sends one."""
    if isinstance(instance, Group):
        instance.permissions.clear()
    else:
        instance.group_set.clear()
        instance.user_set.clear()
