"""Running operations over data: processes, stages, progress."""
