"""ICDAR robust reading sets: ground truth in text files, and how it lies beside its images."""
