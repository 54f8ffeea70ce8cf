"""`controlroom models …`: connections to models that answer prompts."""

from typing import Any

from cyclopts import App

from controlroom.cli.address import address
from controlroom.cli.calling import Client
from controlroom.cli.errors import CommandFailed
from controlroom.cli.lookup import find_id
from controlroom.cli.options import HERE, RoomOptions, Yes
from controlroom.cli.values import changes, confirmed, text
from controlroom.cli.verbs import show_rows, tell

app = App(name="models")


@app.command(name="list")
def list_(*, room: RoomOptions = HERE) -> None:
    """List the connections to models; keys are never shown."""
    with Client(address(room)) as client:
        rows = [{**model, "provider": each} for each in client.each("/models") for model in each["models"]]
    show_rows(
        room,
        rows,
        [
            ("id", lambda row: row["id"]),
            ("provider", lambda row: row["provider"]["name"]),
            ("model", lambda row: row["name"]),
            ("address", lambda row: row["uri"]),
            ("key", lambda row: row["provider"]["has_key"]),
        ],
        empty="There is no connection to a model: controlroom models create PROVIDER MODEL ADDRESS",
    )


@app.command
def create(
    provider: str,
    model: str,
    uri: str,
    /,
    *,
    secret: str | None = None,
    attribute: str = "key",
    without_key: bool = False,
    room: RoomOptions = HERE,
) -> None:
    """Make a connection to an endpoint that is asked as OpenAI's chat completions are.

    Parameters
    ----------
    provider
        Whose model it is.
    model
        Name of the model, as the endpoint knows it.
    uri
        Address of the endpoint: https://api.example.com/v1/chat/completions.
    secret
        Name or id of the secret of the organization that has the key.
    attribute
        Which attribute of it is the key.
    without_key
        The endpoint wants no key.
    """
    body: dict[str, Any] = {"provider": provider, "name": model, "uri": uri}
    with Client(address(room)) as client:
        if secret is not None:
            found = find_id(client, "shared-secrets", secret)
            body["key"] = {"secret": {"id": found}, "attribute": attribute}
        if without_key:
            body["key_header"] = None
        made = client.post("/models", body)
    tell(room, made, "id")


@app.command
def edit(
    model: str,
    /,
    *,
    name: str | None = None,
    uri: str | None = None,
    display_name: str | None = None,
    description: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Have a model asked otherwise, or call it so; what is left out stays.

    Parameters
    ----------
    model
        Name or id of the model, or PROVIDER/MODEL.
    name
        Name of the model, as the endpoint knows it.
    uri
        Address of the endpoint.
    display_name
        What people read.
    description
        What it is for.
    """
    options = "--name, --uri, --display-name or --description"
    body = changes(options, name=name, uri=uri, display_name=display_name, description=description)
    _change(room, model, "", body)


@app.command
def edit_provider(
    model: str,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    key_header: str | None = None,
    key_prefix: str | None = None,
    room: RoomOptions = HERE,
) -> None:
    """Change the provider of a model, for all of its models; what is left out stays, as does its key.

    Parameters
    ----------
    model
        Name or id of one of its models, or PROVIDER/MODEL.
    name
        What the provider is called.
    description
        What it is for.
    key_header
        The header that shows who asks.
    key_prefix
        What stands before the key: "Bearer ".
    """
    options = "--name, --description, --key-header or --key-prefix"
    body = changes(options, name=name, description=description, key_header=key_header, key_prefix=key_prefix)
    _change(room, model, "/provider", body)


@app.command
def prompt(model: str, prompt: str, /, *, room: RoomOptions = HERE) -> None:
    """Ask a model something, and print what it answers.

    Parameters
    ----------
    model
        Name or id of the model, or PROVIDER/MODEL.
    prompt
        The question, or @file.
    """
    with Client(address(room)) as client:
        answer = client.post(f"/models/{_found(client, model)}/prompt", {"prompt": text(prompt)})
    tell(room, answer, "text")


@app.command
def delete(model: str, /, *, yes: Yes = False, room: RoomOptions = HERE) -> None:
    """Delete the connection to a model.

    Parameters
    ----------
    model
        Name or id of the model, or PROVIDER/MODEL.
    """
    with Client(address(room)) as client:
        found = _found(client, model)
        confirmed(f"Delete the connection to the model {model!r}?", yes=yes)
        answer = client.delete(f"/models/{found}")
    tell(room, answer)


def _change(room: RoomOptions, model: str, of: str, body: dict[str, object]) -> None:
    with Client(address(room)) as client:
        changed = client.post(f"/models/{_found(client, model)}{of}", body)
    tell(room, changed, "id")


def _found(client: Client, named: str) -> str:
    found = [
        str(model["id"])
        for each in client.each("/models")
        for model in each["models"]
        if named in {model["id"], model["name"], f"{each['name']}/{model['name']}"}
    ]
    if len(found) != 1:
        why = "there is no connection to" if not found else "several connections are to"
        raise CommandFailed(f"{why} a model {named!r}")
    return found[0]
