"""The findings in formats that other tools read: one module a format, all pure, all byte-stable."""
