"""Codes of errors by which a worker ends, for who starts one. Why apart: a worker is much to import for two words."""

NOT_KNOWN = "WORKER_NOT_KNOWN"
"""The server does not know the worker's credential."""

SANDBOX_MISSING = "SANDBOX_MISSING"
"""The worker would serve several workspaces and encloses no robots."""
