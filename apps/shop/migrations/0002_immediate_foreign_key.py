"""Checks an order's user within the INSERT, not at COMMIT.

Django defers foreign keys. PostgreSQL then runs the check as a statement of its own after the INSERT, and
pg_stat_statements counts it like one that the shop had sent.
"""

from django.db import migrations

ALTER = "ALTER TABLE shop_order ALTER CONSTRAINT shop_order_user_id_00aba627_fk_shop_user_id"


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunSQL(f"{ALTER} NOT DEFERRABLE", f"{ALTER} DEFERRABLE INITIALLY DEFERRED"),
    ]
