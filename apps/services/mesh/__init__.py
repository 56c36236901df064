"""Services that call each other: a request passes through several, and each checks by itself who the caller is.

A settings module a way to check: `session`, `introspection`, `forwarded_jwt`, `exchanged_jwt`, `edge_header`. The role
of a process is its URL configuration: `gateway`, `service`, or the auth service of the way (`exchange`, or
`apps.services.introspection`). docs/microservices.md explains all of it.
"""
