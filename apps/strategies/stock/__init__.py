"""Strategies with Django's own session engine in place of the shop's: settings to compare with, no strategies.

Each module is named after the strategy whose settings it takes; nothing but SESSION_ENGINE differs.
"""
