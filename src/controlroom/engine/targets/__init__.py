"""Targets: what the commands of a workspace work on. An "environment" is Python's, in the whole engine."""
