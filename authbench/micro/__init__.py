"""Micro-benchmarks: launched afresh again and again, read back, and judged by intervals over launches."""
