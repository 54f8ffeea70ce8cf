"""Route decorators of this border: every success is 200."""

from functools import partial

from litestar import delete as _delete
from litestar import get, put
from litestar import post as _post

__all__ = ["delete", "get", "post", "put"]

post = partial(_post, status_code=200)
delete = partial(_delete, status_code=200)
