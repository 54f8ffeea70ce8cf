"""The vendor's credential vault and agent studio, by a client from PyPI that nobody here has touched."""

import subprocess
import sys
from pathlib import Path

import pytest

from rooms import Room, clean_environment, room

pytestmark = [pytest.mark.e2e, pytest.mark.network]

CLIENT = ("rpa-automationanywhere==2.0.0", "defusedxml==0.7.1")
"""It does not say that it needs the second."""

CREDENTIALS = """
import sys

from rpa_automationanywhere.API.models.vault_models import Attribute, Credential
from rpa_automationanywhere.API.services.credentials_service import CredentialsService
from rpa_automationanywhere.API.services.lockers_service import LockersService
from rpa_automationanywhere.ApiClient import ApiClient

client = ApiClient(*sys.argv[1:])
credentials, lockers = CredentialsService(client), LockersService(client)
attributes = [
    Attribute(name="user", value="ada"),
    Attribute(name="password", value="swördfish+/=", masked=True, password_flag=True),
]
made = credentials.create_credential(Credential(name="bank", description="The bank", attributes=attributes))
assert dict(credentials.get_secret("bank")) == {"user": "ada", "password": "swördfish+/="}
credentials.update_attribute_value("bank", "password", "märlin")
assert credentials.get_secret("bank")["password"] == "märlin"
changed = credentials.update_credential("bank", new_description="Ours")
assert (changed.description, changed.version) == ("Ours", "2")
more = [*changed.attributes, Attribute(name="host")]
assert len(credentials.update_credential("bank", new_name="shop", attributes=more).attributes) == 3
assert credentials.get_secret("shop")["password"] == "märlin"
assert [each.name for each in credentials.list_credentials()] == ["shop"]
locker = lockers.create("Finance", "d")
assert lockers.update(locker.id, "Sales").version == "2"
lockers.associate_credential(locker.id, made.id)
assert [each.name for each in lockers.list_credentials(locker.id)] == ["shop"]
assert lockers.get_by_name("Sales").count_of_credentials == 1
lockers.remove_credential(locker.id, made.id)
assert lockers.list_credentials(lockers.list_lockers()[0].id) == []
credentials.set_owner_by_id(made.id, made.owner_id)
"""

MODELS = """
import sys

from rpa_automationanywhere.API.models import ai_agent_studio_models as models
from rpa_automationanywhere.API.services.ai_agent_studio_service import AIAgentStudioService
from rpa_automationanywhere.ApiClient import ApiClient

studio = AIAgentStudioService(ApiClient(*sys.argv[1:]))
key = models.AuthKey(location="header", key_name="X-Key", prefix="")
auth = models.AuthAction(auth_type="API_KEY", auth=models.AuthDetails(api_auth=key))
attribute = {"name": "p", "annotations": ["PROMPT_QUERY"], "requiredInput": True}
prompt = {"path": "$.messages[0].content", "attribute": attribute}
value = models.Variable(path="$.a", attribute=models.Attribute(name="v", canonical_name="choices[0].value"))
action = models.AIAgentAction(
    name="small", display_name="Small", uri="https://api.example.com/v1/chat/completions",
    request=models.RequestDefinition(raw={"body": "{}", "variables": [prompt]}),
    response=models.ResponseDefinition(body="{}", variables=[value]),
)
studio.create_custom_model(models.Connector(name="Acme", auth_action=auth, actions=[action]))
assert [each.name for each in studio.list_custom_models()] == ["Acme"]
found = studio.get_custom_model("Acme", "small")
assert (found.actions[0].display_name, found.auth_action.auth.api_auth.key_name) == ("Small", "X-Key")
assert found.actions[0].response.variables[0].attribute.canonical_name == "choices[0].value"
studio.delete_custom_model("Acme", "small")
assert studio.list_custom_models() == []
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """An environment of its own, with the client."""
    folder: Path = tmp_path_factory.mktemp("client")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "--quiet", *CLIENT], check=True)
    return folder / "bin/python"


@pytest.fixture(scope="module")
def here():
    """A room without a worker."""
    with room("--no-worker") as started:
        yield started


@pytest.mark.parametrize("program", [CREDENTIALS, MODELS], ids=["credentials and lockers", "models"])
def test_the_client_does_what_it_does_there(python: Path, here: Room, program: str):
    """Every method of its services, from making to deleting, with what it checks and decrypts itself."""
    admin = here.facts["admin"]
    words = [python, "-c", program, here.url, admin["username"], admin["password"]]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=clean_environment())
    assert done.returncode == 0, done.stderr
