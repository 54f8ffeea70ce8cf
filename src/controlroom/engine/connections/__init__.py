"""Connections: databases that commands work on, who logs in to them, and the files that some of them are."""
