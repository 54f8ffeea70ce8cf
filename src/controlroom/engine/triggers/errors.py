"""What can go wrong with triggers."""

from uuid import UUID

from controlroom.errors import Invalid, NotFound


class ProcessSecretOff(NotFound):
    """The oldest API is not switched on for the process."""

    def __init__(self, process: UUID) -> None:
        super().__init__(f"process {process} has no secret", code="PROCESS_SECRET_OFF", process_id=str(process))


class EmailTriggerNotFound(NotFound):
    """The process has no mail address."""

    def __init__(self, process: UUID) -> None:
        super().__init__(
            f"process {process} has no e-mail trigger", code="EMAIL_TRIGGER_NOT_FOUND", process_id=str(process)
        )


class NoSuchAddress(NotFound):
    """Nobody is at this mail address, or they take no mail now."""

    def __init__(self) -> None:
        super().__init__("there is no process at this address", code="MAIL_ADDRESS_UNKNOWN")


class HandshakeMissing(Invalid):
    """The caller has shaken no hands for this process and key."""

    def __init__(self) -> None:
        super().__init__("no handshake was made for this process and key", code="HANDSHAKE_MISSING")


class SignatureWrong(Invalid):
    """The body was not signed by the secret of the handshake."""

    def __init__(self) -> None:
        super().__init__("the signature does not fit the body", code="SIGNATURE_WRONG")
