"""The relay's own process: a fixed round trip between replicas and stores, and counts of what passed."""
