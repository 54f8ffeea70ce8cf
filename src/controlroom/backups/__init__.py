"""Backups of a room: one file with its database and its objects. See docs/operate/backup.md."""
