"""Text sets in any of their formats, as pages, lines and directions."""
