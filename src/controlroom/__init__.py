"""An open, self-hosted control room for automations."""

__version__ = "0.2.0"
