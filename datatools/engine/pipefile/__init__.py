"""From a pipeline file to stages: what the file says (entries), what its names stand for (variables, matrix,
conditions, includes: drafts), what the stages are given (parameters) and how they hang together (outputs, wiring).
"""
