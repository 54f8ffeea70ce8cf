"""What can go wrong with assets. A docstring is the message."""

from controlroom.errors import Conflict, Invalid, NotFound


class AssetNotFound(NotFound):
    """There is no such asset."""

    def __init__(self) -> None:
        super().__init__("there is no such asset", code="ASSET_NOT_FOUND")


class AssetEmpty(NotFound):
    """An asset that never got content."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the asset {name} has no content yet", code="ASSET_EMPTY", name=name)


class AssetNameTaken(Conflict):
    """Another asset of the workspace has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is an asset {name} already", code="ASSET_NAME_TAKEN", name=name)


class AssetNameInvalid(Invalid):
    """A name that no client could ask for."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the name of an asset {why}", code="ASSET_NAME_INVALID")


class ContentTypeInvalid(Invalid):
    """A content type that is none."""

    def __init__(self) -> None:
        super().__init__("content_type is not a media type like text/plain", code="CONTENT_TYPE_INVALID")


class AssetTooLarge(Invalid):
    """The content is larger than the limit for its way of coming."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"content given in the request itself has at most {limit} bytes; upload it by the link instead",
            code="ASSET_TOO_LARGE",
            limit=limit,
        )
