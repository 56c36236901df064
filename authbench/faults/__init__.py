"""Faults that are done to a running stack on purpose: what they are, and how each is injected and undone."""
