"""What can go wrong with code analysis. A docstring is the message."""

from typing import ClassVar

from controlroom.errors import Conflict, Invalid, NotFound, Unavailable


class PolicyInvalid(Invalid):
    """No policy can be so."""

    code: ClassVar[str] = "CODE_POLICY_INVALID"


class PolicyNotFound(NotFound):
    """There is no such policy."""

    code: ClassVar[str] = "CODE_POLICY_NOT_FOUND"

    def __init__(self, _: object = None) -> None:
        super().__init__("there is no such code policy")


class PolicyNameTaken(Conflict):
    """Another policy has this name."""

    code: ClassVar[str] = "NAME_TAKEN"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a code policy {name} already", name=name)


class FolderWithoutCode(NotFound):
    """There is no such folder in the workspace."""

    code: ClassVar[str] = "FOLDER_NOT_FOUND"

    def __init__(self, _: object = None) -> None:
        super().__init__("there is no such folder in this workspace")


class PolicyInUse(Conflict):
    """Workspaces or folders have the policy."""

    code: ClassVar[str] = "CODE_POLICY_IN_USE"

    def __init__(self) -> None:
        super().__init__("workspaces or folders have this code policy: give them another one first")


class AnalysisNotFound(NotFound):
    """There is no such analysis."""

    code: ClassVar[str] = "CODE_ANALYSIS_NOT_FOUND"

    def __init__(self, _: object = None) -> None:
        super().__init__("there is no such code analysis")


class NotAnalysed(Unavailable):
    """No worker has read the code in time."""

    code: ClassVar[str] = "NOT_ANALYSED"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class PackageRefused(Invalid):
    """The policy of the folder or workspace minds what the package's code does."""

    code: ClassVar[str] = "PACKAGE_REFUSED"

    def __init__(self, policy: str, findings: list[str]) -> None:
        super().__init__(
            f"the code policy {policy} refuses this package: {'; '.join(findings[:5])}",
            policy=policy,
            findings=findings[:50],
        )
