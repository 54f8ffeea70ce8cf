"""The guarded client: where it goes, where it never goes, and what an attacker's names can do."""

import asyncio
import ipaddress
import socket

import pytest

from controlroom.errors import Unavailable
from controlroom.outgoing import Allowed, Outgoing, OutgoingRefused, destination, is_public, resolve
from controlroom.tls import certificate, context
from receivers import receiving

HERE = ("127.0.0.1",)


class Names:
    """A resolver that answers what it is told, one answer after the other, and counts."""

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = []

    async def __call__(self, host, port):  # noqa: ARG002 - as resolvers are called
        self.asked.append(host)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "0.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("168.63.129.16", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1"),
        *("64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1"),
    ],
)
def test_what_is_not_the_public_internet_is_not_public(address):
    """Loopback, private, link-local, shared, metadata, multicast, reserved, and each of them inside an IPv6 address."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"]
)
def test_the_public_internet_is_public(address):
    """Also an IPv4 address inside an IPv6 one."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1"),
        *("127.1", "0.0.0.0", "0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),  # noqa: S104 - called, not bound
    ],
)
async def test_every_way_of_writing_this_machine_is_refused(host):
    """A receiver on this machine gets nothing, however it is called."""
    async with receiving() as receiver, Outgoing() as outgoing:
        with pytest.raises((OutgoingRefused, Unavailable)):
            await outgoing.request("GET", f"http://{host}:{receiver.port}/")
        assert receiver.requests == []


async def test_a_name_is_resolved_once_and_never_again():
    """A name that is public when judged and private when connected to (DNS rebinding) leads nowhere private."""
    names = Names(["203.0.113.9"], ["127.0.0.1"])  # what is not routed at all stands for the public address
    async with receiving() as receiver, Outgoing(["203.0.113.0/24"], resolver=names) as outgoing:
        with pytest.raises(Unavailable):
            await outgoing.request("GET", f"http://rebinding.example:{receiver.port}/", seconds=0.3)
        assert names.asked == ["rebinding.example"]
        with pytest.raises(OutgoingRefused):
            await outgoing.request("GET", f"http://rebinding.example:{receiver.port}/")
        assert receiver.requests == []


async def test_of_several_addresses_only_allowed_ones_are_tried():
    """A public name that also leads to this machine does not lead there."""
    async with receiving() as receiver, Outgoing(HERE, resolver=Names(["10.255.255.1", "127.0.0.1"])) as outgoing:
        answer = await outgoing.request("POST", f"http://both.example:{receiver.port}/hook?a=b", content=b"{}")

    assert (answer.status, answer.body) == (200, b"noted")
    [request] = receiver.requests
    assert (request.path, request.headers["host"]) == ("/hook?a=b", f"both.example:{receiver.port}")


async def test_hosts_and_networks_can_be_allowed():
    """By name, by suffix, by address and by network."""
    allowed = Allowed(["hooks.internal", "*.intra.example", "10.1.0.0/16", "[fd00::1]", ""])

    assert allowed.host("hooks.internal")
    assert allowed.host("a.intra.example")
    assert not allowed.host("intra.example.evil")
    assert not allowed.host("evilintra.example")
    assert allowed.address(ipaddress.ip_address("10.1.2.3"))
    assert allowed.address(ipaddress.ip_address("::ffff:10.1.2.3"))
    assert allowed.address(ipaddress.ip_address("fd00::1"))
    assert not allowed.address(ipaddress.ip_address("10.2.0.1"))


async def test_redirects_are_answers():
    """The client does not go where a receiver points to."""
    async with receiving() as inner, receiving(reply=lambda _: 302) as outer, Outgoing(HERE) as outgoing:
        outer.answer_headers["location"] = inner.url
        answer = await outgoing.request("GET", outer.url)

        assert (answer.status, answer.headers["location"]) == (302, inner.url)
        assert inner.requests == []


async def test_proxies_of_the_environment_are_not_used(monkeypatch):
    """Who can set a variable of the server does not read what it sends."""
    async with receiving() as proxy, receiving() as receiver, Outgoing(HERE) as outgoing:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        await outgoing.request("GET", receiver.url)

        assert (len(receiver.requests), proxy.requests) == (1, [])


async def test_an_answer_is_read_up_to_a_limit():
    """A receiver cannot fill the memory."""
    async with receiving(answer=b"x" * 1_000_000) as receiver, Outgoing(HERE) as outgoing:
        answer = await outgoing.request("GET", receiver.url, answer_bytes=1000)

    assert (len(answer.body), answer.is_cut) == (1000, True)


async def test_a_silent_receiver_is_left():
    """In the time that was given, and however little it says meanwhile."""
    silence = asyncio.Event()

    async def wait(_):
        await silence.wait()
        return 200

    async with receiving(reply=wait) as receiver, Outgoing(HERE) as outgoing:
        with pytest.raises(Unavailable) as late:
            await outgoing.request("GET", receiver.url, seconds=0.1)
        silence.set()

    assert late.value.code == "OUTGOING_TIMEOUT"


async def test_nobody_there_is_said_without_secrets():
    """The failure names scheme, host and port, never path, query or password."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with Outgoing(HERE) as outgoing:
            with pytest.raises(Unavailable) as away:
                await outgoing.request("GET", f"http://ada:swordfish@127.0.0.1:{port}/secret?token=secret")

    assert f"http://127.0.0.1:{port}" in away.value.message
    assert "secret" not in away.value.message
    assert "swordfish" not in away.value.message


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://x/", "http://", "//example.com", "", "http://[::1", "x"],
)
def test_only_http_addresses_are_addresses(url):
    """Everything else is refused before anything is resolved."""
    with pytest.raises(OutgoingRefused):
        destination(url)


async def test_user_and_password_become_a_header():
    """As browsers have done it, and they are not sent as a part of the address."""
    async with receiving() as receiver, Outgoing(HERE) as outgoing:
        await outgoing.request("GET", receiver.url.replace("//", "//ada:swordfish@"))

    assert receiver.requests[0].headers["authorization"] == "Basic YWRhOnN3b3JkZmlzaA=="


async def test_resolving_gives_addresses():
    """Of this machine, without any name service."""
    assert "127.0.0.1" in await resolve("127.0.0.1", 80)
    assert await resolve("0x7f.1", 80) == ["127.0.0.1"]


async def test_certificates_are_those_of_the_name(tmp_path, monkeypatch):
    """The connection goes to the judged address; what TLS names and checks is the host of the request."""
    chain, key = certificate(tmp_path, ["hook.example"])
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    named = []
    tls = context(chain, key)
    tls.sni_callback = lambda _, name, __: named.append(name)
    async with receiving(tls=tls) as receiver, Outgoing(HERE, resolver=Names(["127.0.0.1"])) as outgoing:
        answer = await outgoing.request("GET", f"https://hook.example:{receiver.port}/")
        with pytest.raises(Unavailable):
            await outgoing.request("GET", f"https://other.example:{receiver.port}/")

    assert answer.status == 200
    assert named == ["hook.example", "other.example"]
