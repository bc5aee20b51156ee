"""Bringing objects into a cluster: what has to be there, in which order, and who is ready."""
