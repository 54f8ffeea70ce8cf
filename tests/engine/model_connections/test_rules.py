"""What a connection sends and what it reads of an answer."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controlroom.engine.model_connections.errors import ConnectionInvalid, PromptInvalid
from controlroom.engine.model_connections.model import (
    AnswerRule,
    Attribute,
    Auth,
    AuthKind,
    KeyPlace,
    ModelDefinition,
    Parameters,
    Provider,
    ProviderDefinition,
    RawBody,
    RequestRule,
    ValueRule,
    Variable,
)
from controlroom.engine.model_connections.paths import found_at, parsed, put_at
from controlroom.engine.model_connections.rules import call_of, checked, told_by
from controlroom.ids import ModelProviderId, uuid7

BEARER = Auth(kind=AuthKind.API_KEY, keys=[KeyPlace(prefix="Bearer ")])
PLAIN = ModelDefinition(name="small", uri="https://api.example.com/v1/chat/completions")
TEMPLATE = ModelDefinition(
    name="small",
    uri="https://{region}.example.com/v1/{model}/ask?v=1".replace("{region}", "eu"),
    params=[
        Parameters(type="HEADERS", attribute=[Attribute(name="X-Version", value=ValueRule(string="7"))]),
        Parameters(type="QUERY_PARAM", attribute=[Attribute(name="trace", value=ValueRule(boolean="true"))]),
    ],
    request=RequestRule(
        raw=RawBody(
            body='{"messages": [{"role": "user", "content": ""}], "stream": false}',
            variables=[
                Variable(
                    path="$.messages[0].content", attribute=Attribute(name="prompt", annotations=["PROMPT_QUERY"])
                ),
                Variable(
                    path="$.temperature",
                    attribute=Attribute(name="temperature", value=ValueRule(type="DECIMAL", number="0.5")),
                ),
                Variable(path="$['max_tokens']", attribute=Attribute(name="limit", value=ValueRule(type="INTEGER"))),
            ],
        )
    ),
    response=AnswerRule(
        variables=[
            Variable(path="$.out[0].text", attribute=Attribute(name="a", canonical_name="choices[0].value")),
            Variable(path="$.usage.total", attribute=Attribute(name="b", canonical_name="choices[0].totalTokens")),
        ]
    ),
)


def provider(auth=BEARER):
    """A provider without anything of its rows."""
    return msgspec.convert(
        {
            "id": ModelProviderId(uuid7()),
            "number": 1,
            "name": "Example",
            "description": "",
            "auth": msgspec.to_builtins(auth),
            "key_id": None,
            "created_by": None,
            "created_at": "2030-01-01T00:00:00Z",
            "models": [],
        },
        Provider,
        strict=False,
    )


def definition(model, auth=BEARER):
    return ProviderDefinition(name="Example", auth=auth, models=[model])


def test_an_endpoint_without_a_template_is_asked_as_openais():
    """Model and message in the body, the key in its header; the answer is the first choice's."""
    call = call_of(provider(), PLAIN, "How many?", {}, "sk-1")

    assert (call.method, call.url, call.headers["Authorization"]) == ("POST", PLAIN.uri, "Bearer sk-1")
    assert msgspec.json.decode(call.body) == {"model": "small", "messages": [{"role": "user", "content": "How many?"}]}
    assert told_by(PLAIN, b'{"choices": [{"message": {"content": "Five"}}]}').text == "Five"
    assert "sk-1" not in repr(call)


def test_a_template_is_filled():
    """Address, headers, query and body, by what is given, else by what the connection has; answers by their paths."""
    checked(definition(TEMPLATE))
    in_query = Auth(kind=AuthKind.CUSTOM_KEYS, keys=[KeyPlace(location="query", name="key")])

    call = call_of(provider(in_query), TEMPLATE, 'Say "hi"', {"limit": "9"}, "s&k")

    assert call.url == "https://eu.example.com/v1/small/ask?v=1&trace=true&key=s%26k"
    assert call.headers == {"Content-Type": "application/json", "X-Version": "7"}
    assert msgspec.json.decode(call.body) == {
        "messages": [{"role": "user", "content": 'Say "hi"'}],
        "stream": False,
        "temperature": 0.5,
        "max_tokens": 9,
    }
    told = told_by(TEMPLATE, b'{"out": [{"text": "hi"}], "usage": {"total": 12}}')
    assert (told.text, told.values) == ("hi", {"choices[0].value": "hi", "choices[0].totalTokens": "12"})
    with pytest.raises(PromptInvalid):
        call_of(provider(), TEMPLATE, "x", {"limit": "many"}, None)


@pytest.mark.parametrize(
    "model",
    [
        replace(PLAIN, uri="ftp://example.com"),
        replace(PLAIN, uri="https://{host}/v1"),
        replace(PLAIN, method="DELETE"),
        replace(PLAIN, request=RequestRule(raw=RawBody(body="{"))),
        replace(PLAIN, params=[Parameters(type="HEADERS", attribute=[Attribute(name="a b")])]),
        replace(
            PLAIN,
            params=[
                Parameters(
                    type="HEADERS",
                    attribute=[Attribute(name="api-key", secure=True, value=ValueRule(string="sk-1"))],
                )
            ],
        ),
        replace(PLAIN, response=AnswerRule(variables=[Variable(path="$..x", attribute=Attribute(name="x"))])),
    ],
)
def test_what_asks_nothing_is_refused(model):
    """Addresses, hosts that somebody else says, bodies, headers and paths that cannot be; and a key in clear."""
    with pytest.raises(ConnectionInvalid):
        checked(definition(model))


def test_nothing_breaks_out_of_a_header_or_an_address():
    """A line end is refused, and a value of an address is quoted."""
    header = replace(PLAIN, params=[Parameters(type="HEADERS", attribute=[Attribute(name="X-A")])])
    with pytest.raises(ConnectionInvalid):
        call_of(provider(), header, "x", {"X-A": "1\r\nX-B: 2"}, None)
    path = replace(PLAIN, uri="https://example.com/{where}")
    assert call_of(provider(), path, "x", {"where": "../admin?a#b"}, None).url.endswith("/..%2Fadmin%3Fa%23b")
    with pytest.raises(PromptInvalid):
        call_of(provider(), path, "x", {}, None)


PARTS = st.lists(st.one_of(st.integers(0, 5), st.text("abcxyz_", min_size=1, max_size=4)), max_size=5)


@given(PARTS, st.one_of(st.none(), st.integers(), st.text()), st.booleans())
def test_what_is_put_at_a_path_is_found_there(parts, value, quoted):
    """However the path is written, and whatever stood there."""
    written = "$" + "".join(
        f"[{part}]" if isinstance(part, int) else f"['{part}']" if quoted else f".{part}" for part in parts
    )

    assert parsed(written) == tuple(parts)
    assert found_at(put_at({"a": [1]}, parsed(written), value), tuple(parts)) == value
