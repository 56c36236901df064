"""Session engines: Django's own, except that a store's outage raises instead of looking like a logout.

Each class must be called SessionStore: Django derives the key that signs session data from that name.
"""
