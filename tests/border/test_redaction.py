"""What of an address stands in a log."""

from urllib.parse import quote

import pytest

from controlroom.border.redaction import path_for_log, query_for_log

KEY = "crk" + "Ab1" * 34
LINK = "eyJraW5kIjoiYXJ0aWZhY3QiLCJyb3ciOiIwMWEyMjZlNi03ZDIzIn0.q1W2e3R4t5Z6u7I8o9P0"


@pytest.mark.parametrize(
    "query",
    [
        "token=s3cret", "TOKEN=s3cret", "%74oken=s3cret", "t%6Fken=s3cret", "%2574oken=s3cret", "access_token=s3cret",
        "a=1&token=s3cret", "signature=s3cret", "X-Amz-Signature=s3cret", "password=s3cret", "api_key=s3cret",
        "apikey=s3cret", "key=s3cret", "client_secret=s3cret", "+token=s3cret", "token%20=s3cret", "token[]=s3cret",
        "tok%65n=s3%63ret", "sig=s3cret", "token=a=s3cret", "X-Amz-Credential=s3cret", "token=&token=s3cret",
    ],
)  # fmt: skip
def test_a_secret_field_is_known_however_it_is_written(query):
    """After decoding, in any case, also of the libraries' and clouds' own names."""
    assert "s3" not in query_for_log(query.encode()).replace("…", "")


@pytest.mark.parametrize("secret", [KEY, f"crr_{'x-_' * 40}", f"crs_{'a' * 54}", f"crw_{'a' * 54}", LINK])
def test_a_secret_is_known_by_its_form(secret):
    """Wherever it stands: under a harmless name, as a name, quoted, in a path."""
    quoted = "".join(f"%{byte:02x}" for byte in secret.encode())
    for text in (secret, quoted, quote(quoted)):
        for query in (f"limit={text}", text, f"{text}=1", f"a={text}&b"):
            logged = query_for_log(query.encode())
            assert secret not in logged
            assert text not in logged
        assert text not in path_for_log(f"/assistant-v1/artifacts/{text}")
        assert text not in path_for_log(f"/{text}/a")


def test_an_address_takes_no_more_of_the_log_than_anybody_reads():
    """What is longer is cut."""
    assert len(query_for_log(b"a=b&" * 5000)) == len(path_for_log("/ab" * 5000)) == 1001


def test_what_is_no_secret_stays():
    """Ids, names, pages and filters are what a log is read for."""
    query = "limit=50&after=01a226e6-7d23-73bc-86de-2dd977574032&state=failed&name=a+b&&x&publicKey="
    assert query_for_log(query.encode()) == query
    path = "/api/v1/workspaces/01a226e6-7d23-73bc-86de-2dd977574032/assets/monthly report.csv"
    assert path_for_log(path) == path
