"""The only code that touches bytes."""
