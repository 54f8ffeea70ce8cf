"""Environments that robots run in: built once per content, kept, shared, pruned."""

from controlroom.worker.environments.cache import EnvironmentCache, Lease
from controlroom.worker.environments.environment import Environment, EnvironmentFailed, EnvironmentKind
from controlroom.worker.environments.freeze import freeze, freeze_name
from controlroom.worker.environments.workshop import Enclosure, RunAs

__all__ = [
    "Enclosure",
    "Environment",
    "EnvironmentCache",
    "EnvironmentFailed",
    "EnvironmentKind",
    "Lease",
    "RunAs",
    "freeze",
    "freeze_name",
]
