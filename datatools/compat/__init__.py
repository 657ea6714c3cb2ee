"""Repairs of other people's packages, a file each: what breaks, since when, and when the repair can go."""
