"""Personal tokens of users (our own management API): a program shows one with every call, and speaks as its user."""

from datetime import datetime

from controlroom.border.asking import Asking, Body, Path, Permission
from controlroom.dialects.robocorp.answers import Deleted, OwnBody, Shape, shown_as
from controlroom.dialects.robocorp.routing import delete, get, post
from controlroom.engine.access import personal_tokens
from controlroom.ids import PersonalTokenId, UserId


class PersonalTokenAnswer(Shape, frozen=True, kw_only=True):
    """A user's token, without its value."""

    id: PersonalTokenId
    number: int
    name: str
    use_count: int
    last_used_at: datetime | None
    created_at: datetime
    expires_at: datetime | None


class NewPersonalToken(PersonalTokenAnswer, frozen=True, kw_only=True):
    """A user's token with its value, which is told this once."""

    value: str


class PersonalTokens(Shape, frozen=True):
    """All tokens of a user."""

    data: list[PersonalTokenAnswer]


class CreatePersonalToken(OwnBody, frozen=True):
    """What to call a token."""

    name: str


@get("/users/{user_id:uuid}/tokens", needs=Permission.READ_MEMBERS)
async def list_personal_tokens(request: Asking, user_id: Path[UserId]) -> PersonalTokens:
    """List the personal tokens of a user, without their values."""
    return PersonalTokens([_show(each) for each in await personal_tokens.list_tokens(*request.governing, user_id)])


@post("/users/{user_id:uuid}/tokens", needs=Permission.READ_MEMBERS)
async def create_personal_token(
    request: Asking, user_id: Path[UserId], data: Body[CreatePersonalToken]
) -> NewPersonalToken:
    """Make a personal token of a user, and tell its value."""
    token, value = await personal_tokens.make(*request.governing, user_id, name=data.name)
    return _show(token).widened(NewPersonalToken, value=value)


@post("/users/{user_id:uuid}/tokens/{personal_token_id:uuid}/rotate", needs=Permission.READ_MEMBERS)
async def rotate_personal_token(
    request: Asking, user_id: Path[UserId], personal_token_id: Path[PersonalTokenId]
) -> NewPersonalToken:
    """Give a personal token another value; the one before opens nothing more."""
    token, value = await personal_tokens.rotate(*request.governing, user_id, personal_token_id)
    return _show(token).widened(NewPersonalToken, value=value)


@delete("/users/{user_id:uuid}/tokens/{personal_token_id:uuid}", needs=Permission.READ_MEMBERS)
async def delete_personal_token(
    request: Asking, user_id: Path[UserId], personal_token_id: Path[PersonalTokenId]
) -> Deleted:
    """Delete a personal token of a user."""
    return await Deleted.after(
        personal_token_id, personal_tokens.delete(*request.governing, user_id, personal_token_id)
    )


_show = shown_as(PersonalTokenAnswer, personal_tokens.PersonalToken)
