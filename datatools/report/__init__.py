"""Pictures and single-file HTML, made from plain data."""
