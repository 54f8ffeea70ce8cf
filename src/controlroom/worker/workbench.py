"""The parts of a worker that all its step runs share."""

from msgspec import Struct

from controlroom.worker.dbt.workshop import Workshop
from controlroom.worker.environments.cache import EnvironmentCache
from controlroom.worker.freezes import Freezes
from controlroom.worker.health import Health
from controlroom.worker.packages import PackageCache
from controlroom.worker.places import Places
from controlroom.worker.sandbox import Sandbox
from controlroom.worker.server import Server
from controlroom.worker.settings import WorkerSettings
from controlroom.worker.spares import Spares


class Workbench(Struct, frozen=True):
    """What all step runs of a worker share."""

    settings: WorkerSettings
    server: Server
    sandbox: Sandbox
    packages: PackageCache
    environments: EnvironmentCache
    freezes: Freezes
    places: Places
    spares: Spares
    health: Health
    workshop: Workshop
    """For dbt projects."""
