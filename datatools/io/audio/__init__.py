"""Sound files: what their headers say, the proof that they are whole, their samples in blocks, exact cuts."""
