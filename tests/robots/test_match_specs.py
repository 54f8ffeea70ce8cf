"""Match specs: what they wish, and that nothing that they wish is forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlroom.robots.match_specs import HONOURED, MatchSpec, NotUnderstood, parse_match_spec

MD5 = "8b1a9953c4611296a827abf8c47804d7"
FILE = "https://example.com/channel/linux-64/tool-1.2-h1_0.conda"


@pytest.mark.parametrize(
    ("text", "wished"),
    [
        ("tool", {}),
        ("Tool", {}),
        ("tool 1.2", {"version": "1.2"}),
        ("tool=1.2", {"version": "1.2", "is_beginning": True}),
        ("tool = 1.2", {"version": "1.2", "is_beginning": True}),
        ("tool==1.2", {"version": "==1.2"}),
        ("tool=1.2=h1_0", {"version": "1.2", "build": "h1_0"}),
        ("tool=1.2=*_cpython", {"version": "1.2", "build": "*_cpython"}),
        ("tool 1.2.* h1*", {"version": "1.2.*", "build": "h1*"}),
        ("tool=*=h1_0", {"version": "*", "build": "h1_0"}),
        ("tool>=1,<2", {"version": ">=1,<2"}),
        ("tool=>=1,<2", {"version": ">=1,<2"}),
        ("tool >= 1 , < 2", {"version": ">=1,<2"}),
        ("tool >=1,<2 h1_0", {"version": ">=1,<2", "build": "h1_0"}),
        ("tool=1.2|1.4", {"version": "1.2|1.4", "is_beginning": True}),
        ("tool !=1.2", {"version": "!=1.2"}),
        ("tool ~=1.2", {"version": "~=1.2"}),
        ("tool=1.2  # for the reason", {"version": "1.2", "is_beginning": True}),
        ("conda-forge::tool", {"channel": "conda-forge"}),
        (
            "conda-forge/linux-64::tool>1",
            {"version": ">1", "channel": "conda-forge", "others": (("subdir", "linux-64"),)},
        ),
        ("conda-forge/label/rc::tool", {"channel": "conda-forge/label/rc"}),
        ("https://example.com/channel::tool>=2", {"version": ">=2", "channel": "https://example.com/channel"}),
        ("tool[version='>=1,<2']", {"version": ">=1,<2"}),
        ("tool [version='>=1.2']", {"version": ">=1.2"}),
        ("tool[version=1.2, build='*_cpython']", {"version": "1.2", "build": "*_cpython"}),
        ('tool[build="h1_0"]', {"build": "h1_0"}),
        ("tool[channel=mine]", {"channel": "mine"}),
        ("tool[channel='https://example.com/channel']", {"channel": "https://example.com/channel"}),
        ("tool[subdir=linux-64]", {"others": (("subdir", "linux-64"),)}),
        ("tool[build_number='>=3']", {"others": (("build_number", ">=3"),)}),
        (f"tool[md5={MD5}]", {"others": (("md5", MD5),)}),
        (f"tool[url='{FILE}', md5={MD5}]", {"others": (("md5", MD5), ("url", FILE))}),
        (FILE, {"others": (("url", FILE),)}),
        ("tool[]", {}),
    ],
)
def test_what_an_entry_wishes(text, wished):
    """Every form of a match spec gives all that it wishes."""
    spec = parse_match_spec(text)

    assert spec == MatchSpec(text=spec.text, name="tool", **wished)
    assert spec.is_version_only is (not wished.keys() - {"version", "is_beginning"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no conda package"),
        ("*", "no conda package"),
        ("to*", "no conda package"),
        ("--tool", "no conda package"),
        ("tool[version='1.2'", "no conda package"),
        ("tool[version='1.2'][build=x]", "no conda package"),
        ("tool[version='1.2]", "not of the form"),
        ("tool[optional]", "not of the form"),
        ("tool[version='1.2',]", "not of the form"),
        ("tool[version='1.2' build=x]", "not of the form"),
        ("tool[features=x]", "the key `features`"),
        ("tool[track_features=x]", "the key `track_features`"),
        ("tool[name=other]", "the key `name`"),
        ("tool 1.2[version=1.3]", "says its version twice"),
        ("tool=1.2=a[build=b]", "says its build twice"),
        ("mine::tool[channel=yours]", "says its channel twice"),
        ("tool[md5=a, md5=b]", "as its md5, which is none"),
        (f"tool[md5={MD5}, md5={MD5}]", "says its md5 twice"),
        ("mine/linux-64::tool[subdir=noarch]", "says its subdir twice"),
        ("tool[sha256=zz]", "as its sha256, which is none"),
        ("tool[url=tool.zip]", "as its url, which is none"),
        ("tool >=1 <2", "cannot be read"),
        ("tool 1.2 a b", "conditions are joined by commas"),
        ("tool=", "conditions are joined by commas"),
        ("tool>=", "conditions are joined by commas"),
        ("tool>=1,", "cannot be read"),
        ("tool^1.2", "no conda package"),
        ("tool(optional)", "no conda package"),
        (f"{FILE}#{MD5}", f"write `tool[url='{FILE}', md5='{MD5}']`"),
        ("https://example.com/tool.zip", "no address of a conda package"),
    ],
)
def test_what_is_refused_says_why(text, said):
    """What cannot be honoured is refused, in words for the author."""
    with pytest.raises(NotUnderstood) as refused:
        parse_match_spec(text)

    assert said in str(refused.value)


@given(st.text() | st.text(alphabet="tool=<>!~*|, [']\"#:/.1_-") | st.sampled_from(HONOURED).map("t[{}=1]".format))
def test_any_text_is_a_spec_or_not_understood(text):
    """Nothing but NotUnderstood is raised by a text, and what is understood is understood again."""
    try:
        spec = parse_match_spec(text)
    except NotUnderstood:
        return
    assert parse_match_spec(spec.text) == spec
