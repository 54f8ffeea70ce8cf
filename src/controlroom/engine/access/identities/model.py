"""As whom a provider of identities knows somebody."""

from typing import TypeAlias

from msgspec import Struct

from controlroom.ids import UserId


class Identity(Struct, frozen=True, kw_only=True):
    """What a provider has said of who logs in, and signed."""

    issuer: str
    subject: str
    """Never given to anybody else by the issuer."""
    email: str = ""
    is_email_verified: bool = False
    username: str = ""
    first_name: str = ""
    last_name: str = ""


class Known(Struct, frozen=True):
    """A user who has come by this identity before."""

    user: UserId


class ToProve(Struct, frozen=True):
    """A user with this address, and a password: they are asked for it once, so that no account is taken in silence."""

    user: UserId
    username: str


class ToLink(Struct, frozen=True):
    """A user with this address, without a password: they were made to come this way."""

    user: UserId
    username: str


class Unknown(Struct, frozen=True):
    """Nobody here."""


Found: TypeAlias = Known | ToProve | ToLink | Unknown


class Candidate(Struct, frozen=True, kw_only=True):
    """A user who may be meant."""

    id: UserId
    username: str
    is_known: bool
    """By the subject; else by the address."""
    has_password: bool
    is_linked: bool
    """Whether they come by another identity of the same issuer already."""
    is_disabled: bool
