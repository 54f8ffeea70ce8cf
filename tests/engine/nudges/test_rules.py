"""Which topics and places there are, and who may hear of what."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.engine.access.model import PERMISSIONS_OF_ROLE, Actor, ActorKind, Role
from controlroom.engine.nudges.model import News, Topic
from controlroom.engine.nudges.rules import MOST_TOPICS, audible, is_place, topics_of
from controlroom.ids import OrganizationId, WorkspaceId

ONE = uuid4()


def test_topics_are_nouns_and_single_things():
    """What is neither is left out, and so is what is asked for twice."""
    asked = f"run,run-{ONE},run,run-,run-x,RUN,,run-{ONE}x,work_item"
    assert topics_of(asked) == [Topic("run"), Topic("run", ONE), Topic("work_item")]
    assert len(topics_of(",".join(f"run-{uuid4()}" for _ in range(MOST_TOPICS + 1)))) == MOST_TOPICS


@given(st.text(max_size=200))
def test_whatever_is_asked_is_read(text):
    """No text fails, and each topic is written as it was read."""
    assert all(topics_of(str(topic)) == [topic] for topic in topics_of(text))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("812:815:", True),
        ("812:815:812,814", True),
        ("812:812:", True),
        ("0:5:", False),
        ("9:5:", False),
        ("812:815:814,812", False),
        ("812:815:815", False),
        ("812:815", False),
        ("812:815:,", False),
        ("", False),
        ("1:2:" + "1," * 4000, False),
    ],
)
def test_a_place_is_a_snapshot_that_there_can_be(text, holds):
    """As PostgreSQL takes it: anything else that a browser sends is none."""
    assert is_place(text) is holds


def test_somebody_hears_of_what_they_may_read():
    """A noun needs the permission to read it, one that is not known that of an auditor; lines are of one step run."""
    workspace = WorkspaceId(uuid4())
    viewer = Actor(
        kind=ActorKind.USER,
        id=uuid4(),
        name="vera",
        organization_id=OrganizationId(uuid4()),
        grants={workspace: PERMISSIONS_OF_ROLE[Role.VIEWER]},
    )
    asked = [Topic("run"), Topic("api_key"), Topic("nonsense"), Topic("console"), Topic("console", ONE)]

    assert audible(viewer, workspace, asked) == [Topic("run"), Topic("console", ONE)]
    assert audible(viewer, WorkspaceId(uuid4()), asked) == []


def test_news_are_of_their_noun_and_of_all_they_belong_to():
    """An item's failure concerns the item, its run and its process."""
    run, item, process = uuid4(), uuid4(), uuid4()
    news = News(
        noun="work_item",
        organization_id=OrganizationId(uuid4()),
        workspace_id=None,
        process_id=process,
        run_id=run,
        step_run_id=None,
        work_item_id=item,
        subject_id=None,
    )
    assert news.topics() == {"work_item", f"work_item-{item}", f"run-{run}", f"process-{process}"}
