"""The Django app of `jwt-refresh`: one row a login."""
