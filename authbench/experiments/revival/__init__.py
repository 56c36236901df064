"""Which ended logins come back: after a fault, by a race, or because their logout failed half-way."""
