"""On whom step runs may run, as bodies say it and answers tell it (our own management API)."""

from typing import assert_never

from controlroom.dialects.robocorp.answers import OwnBody
from controlroom.engine.processes.model import Group, OnDemand, Place, Placement, Workers
from controlroom.errors import Invalid
from controlroom.ids import ProvisionerId, UserId, WorkerGroupId, WorkerId


class PlaceBody(OwnBody, frozen=True, omit_defaults=True):
    """One place: one of these workers; one of these groups, the first first; or a worker that a provisioner starts."""

    workers: tuple[WorkerId, ...] | None = None
    groups: tuple[WorkerGroupId, ...] | None = None
    provisioner: ProvisionerId | None = None


class PlacementBody(OwnBody, frozen=True, omit_defaults=True):
    """Who may run it: one of these workers, or one of these groups (the first comes first); everybody for `{}`.

    With `provisioner`, a worker of its own for each step run, which the provisioner is asked to start. With `places`, a
    list of such: a later place helps while nobody of an earlier one is idle; a provisioner can only be the last.
    `run_as` is the user as whom it runs.
    """

    workers: tuple[WorkerId, ...] | None = None
    groups: tuple[WorkerGroupId, ...] | None = None
    provisioner: ProvisionerId | None = None
    places: tuple[PlaceBody, ...] | None = None
    run_as: UserId | None = None


def placement_of(body: PlacementBody) -> Placement:
    """The placement that is asked for. Raises Invalid."""
    single = PlaceBody(body.workers, body.groups, body.provisioner)
    if body.places is None:
        places = () if single == PlaceBody() else _places_of(single)
    elif single != PlaceBody():
        raise Invalid("a placement is either one place, or a list of places", code="INVALID_BODY")
    else:
        places = tuple(place for each in body.places for place in _places_of(each))
    return Placement(places, body.run_as)


def _places_of(body: PlaceBody) -> tuple[Place, ...]:
    match (body.workers, body.groups, body.provisioner):
        case (workers, None, None) if workers is not None:
            return (Workers(workers),)
        case (None, (), None):
            raise Invalid("a place names no worker group", code="INVALID_BODY")
        case (None, groups, None) if groups is not None:
            return tuple(map(Group, groups))
        case (None, None, provisioner) if provisioner is not None:
            return (OnDemand(provisioner),)
        case _:
            raise Invalid("a place names either workers, or groups, or a provisioner", code="INVALID_BODY")


def show_placement(placement: Placement) -> PlacementBody:
    """A placement as this dialect writes it: one place, or groups alone, as they always were."""
    places = placement.places
    groups = tuple(place.group for place in places if isinstance(place, Group))
    if places and len(groups) == len(places):
        return PlacementBody(groups=groups, run_as=placement.run_as)
    if len(places) > 1:
        return PlacementBody(places=tuple(map(_show, places)), run_as=placement.run_as)
    single = _show(places[0]) if places else PlaceBody()
    return PlacementBody(single.workers, single.groups, single.provisioner, run_as=placement.run_as)


def _show(place: Place) -> PlaceBody:
    match place:
        case Workers(workers):
            return PlaceBody(workers=workers)
        case Group(group):
            return PlaceBody(groups=(group,))
        case OnDemand(provisioner):
            return PlaceBody(provisioner=provisioner)
        case _:
            assert_never(place)
