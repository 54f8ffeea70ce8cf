"""What rcc and editors speak with a user's credentials (§8), as routers."""

from controlroom.border.routing import handlers_of
from controlroom.border.sections import Section
from controlroom.dialects.robocorp.rcc import assistants, robots, tokens, workspaces
from controlroom.dialects.robocorp.rcc.capabilities import Capability, token_for
from controlroom.dialects.robocorp.rcc.signing import Signed, signed
from controlroom.dialects.robocorp.routing import undocumented


def routers() -> list[Section]:
    """All of it. No OpenAPI document describes it: its clients are fixed."""
    somebody = token_for(*Capability)  # whoever may do something in a workspace may see it
    # Whether a token may write is a matter of what it opens.
    of_robots = token_for(Capability.EDIT_ROBOT, Capability.GET_ROBOT, Capability.RUN_ASSISTANT)
    of_assistants = token_for(Capability.RUN_ASSISTANT, scheme="RC_WST")
    return [
        undocumented("/token-vendor-v1", handlers_of([tokens]), signed, request_class=Signed),
        undocumented("/workspace-v1", handlers_of([workspaces]), somebody),
        undocumented("/robot-v1", handlers_of([robots]), of_robots),
        undocumented("/assistant-v1/workspaces/{workspace_id:uuid}/assistants", assistants.by_token, of_assistants),
        undocumented("/assistant-v1/artifacts", [assistants.announce_file]),
    ]
