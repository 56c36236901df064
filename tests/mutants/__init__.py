"""Defects planted in copies of the app: `authbench verify`, `run` or `gate` has to name each (docs/trust.md)."""
