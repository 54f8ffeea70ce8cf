"""The worker: a program of its own that asks a server for step runs and runs their robots. It speaks HTTP only."""
