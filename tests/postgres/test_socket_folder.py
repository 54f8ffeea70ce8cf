"""Short links to long folders of databases: the same ones again, nobody else's, and none left over."""

import os
import shutil

import pytest

from controlroom.postgres.socket_folder import forget, reachable


@pytest.fixture
def home(folder):
    """A folder like /tmp: anybody can make things in it."""
    home = folder / "home"
    home.mkdir()
    home.chmod(0o1777)
    return home


@pytest.fixture
def cluster(folder):
    """A cluster too deep for a socket's path."""
    cluster = folder.joinpath(*["a-folder-with-a-long-name"] * 6, "cluster")
    cluster.mkdir(parents=True)
    return cluster


def ours(home):
    return home / f"controlroom-{os.geteuid()}"


def test_a_short_path_needs_no_link(folder, home):
    """The socket is found in the cluster itself."""
    assert reachable(folder, [home]) == folder.resolve()
    assert list(home.iterdir()) == []


def test_the_name_is_a_function_of_the_cluster(cluster, home):
    """Whoever asks again, a killed room's next start for one, gets the same link, and it leads there."""
    link = reachable(cluster, [home])

    assert link.samefile(cluster)
    assert reachable(cluster, [home]) == link
    assert [each.name for each in ours(home).iterdir()] == [link.name]


def test_nothing_is_left(cluster, home):
    """A link that is forgotten goes with its folder, unless another cluster's is in it."""
    other = cluster.with_name("other")
    other.mkdir()
    first, second = reachable(cluster, [home]), reachable(other, [home])
    assert first != second

    forget(first, cluster)
    assert list(ours(home).iterdir()) == [second]
    forget(second, other)
    forget(second, other)
    assert list(home.iterdir()) == []
    forget(cluster.resolve(), cluster)
    assert cluster.exists()


def test_what_leads_nowhere_is_taken_away_by_the_next(cluster, home):
    """The links of rooms that were killed, and whose folders were removed, do not pile up."""
    for number in range(3):
        gone = cluster.with_name(f"gone-{number}")
        gone.mkdir()
        reachable(gone, [home])
        shutil.rmtree(gone)

    link = reachable(cluster, [home])

    assert list(ours(home).iterdir()) == [link]


@pytest.mark.parametrize("trap", ["open", "link", "file"])
def test_what_somebody_else_may_have_made_is_not_trusted(cluster, home, folder, trap):
    """A folder that others can write to, a link or a file under our name: the link is put elsewhere."""
    match trap:
        case "open":
            ours(home).mkdir()
            ours(home).chmod(0o777)
        case "link":
            (folder / "theirs").mkdir(mode=0o700)
            ours(home).symlink_to(folder / "theirs")
        case "file":
            ours(home).touch()

    link = reachable(cluster, [home])

    assert link.samefile(cluster)
    assert not link.is_relative_to(home)
    assert not link.is_relative_to(folder / "theirs")
    forget(link, cluster)
    assert not link.parent.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_folder_of_another_user_is_not_trusted(cluster, home):
    """However closed it is."""
    ours(home).mkdir(mode=0o700)
    os.chown(ours(home), 65534, 65534)

    link = reachable(cluster, [home])

    assert not link.is_relative_to(home)
    forget(link, cluster)


def test_the_next_home_is_taken_where_one_is_spoilt(cluster, home, folder):
    """And where the path would be too long in it."""
    ours(home).touch()
    spoilt, deep = home, cluster.parent
    good = folder / "good"
    good.mkdir()

    assert reachable(cluster, [spoilt, deep, good]).is_relative_to(good)
