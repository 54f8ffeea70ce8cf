"""What provisioners are sent: the bytes, and the signature that the open ones check (§9.5)."""

import hashlib
import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from controlroom.dialects.robocorp.provisioner_requests import ProvisionerRequests
from controlroom.engine.provisioners.model import Start, Stop
from controlroom.ids import WorkerId, WorkspaceId

WORKSPACE, WORKER = WorkspaceId(UUID(int=1)), WorkerId(UUID(int=2))
WHERE = b'"workspaceId":"00000000-0000-0000-0000-000000000001","runtimeId":"00000000-0000-0000-0000-000000000002"'
AT = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)

requests = ProvisionerRequests()


@pytest.mark.parametrize(
    ("lifetime", "said"), [(None, b""), (timedelta(hours=1, milliseconds=300), b',"maxLifetimeSeconds":3600')]
)
def test_a_worker_is_asked_for_with_its_token(lifetime, said):
    """The keys and their order are those that provisioners have always read; a lifetime is told where there is one."""
    body = requests.start(Start(WORKSPACE, WORKER), link_token="crl_x", max_lifetime=lifetime)

    assert body == b'{"type":"start",' + WHERE + b',"runtimeLinkToken":"crl_x"' + said + b"}"


def test_a_worker_is_sent_away():
    """Likewise, without a token."""
    assert requests.stop(Stop(WORKSPACE, WORKER)) == b'{"type":"stop",' + WHERE + b"}"


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [("https://cloud.example/start?code=1", "/start"), ("https://cloud.example", "/")],
)
def test_the_path_and_the_body_are_signed(endpoint, path):
    """The query stays out: what stands before a provisioner may take it away."""
    headers = requests.headers(endpoint, b"{}", secret="shared", at=AT)

    digest = b64encode(hashlib.sha256(b"{}").digest()).decode()
    request = f"POST\n{path}\n\ncontent-type:application/json\nx-rc-timestamp:1795953600\n"
    request += f"content-type;x-rc-timestamp\n{digest}"
    text = f"sha256\n1795953600\n{b64encode(hashlib.sha256(request.encode()).digest()).decode()}"
    assert headers == {
        "content-type": "application/json",
        "x-rc-timestamp": "1795953600",
        "x-rc-signed-headers": "content-type;x-rc-timestamp",
        "x-rc-signature": hmac.new(b"shared", text.encode(), hashlib.sha256).hexdigest(),
    }
