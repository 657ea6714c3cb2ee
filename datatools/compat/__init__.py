"""Repairs of other packages and adaptors to them, one file each: what breaks, since when, when to delete it."""
