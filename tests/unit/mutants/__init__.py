"""Unit tests of the tool that plants defects."""
