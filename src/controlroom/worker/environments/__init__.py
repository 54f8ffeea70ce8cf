"""Environments that robots run in: built once per content, kept, shared, pruned."""

from controlroom.worker.environments.build_place import Enclosure, RunAs
from controlroom.worker.environments.cache import EnvironmentCache, Lease
from controlroom.worker.environments.environment import Environment, EnvironmentFailed, EnvironmentKind
from controlroom.worker.environments.freeze import freeze, freeze_name

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
