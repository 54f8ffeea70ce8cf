"""A question before a verb that nothing takes back: it names what will be lost, and says what stays."""

from collections.abc import Mapping, Sequence

from controlroom.ui.asking import Asking, Crumb, Shown


async def ask(
    request: Asking,
    title: str,
    *,
    label: str,
    back: str,
    lost: str,
    stays: str = "",
    at: str = "",
    crumbs: Sequence[Crumb] = (),
    fields: Mapping[str, str] | None = None,
) -> Shown:
    """The page of a question, at the address of the verb; a question that says more has a template of its own."""
    action = request.scope["path"]
    return await request.show(
        "templates/question.html",
        title=title,
        at=at,
        crumbs=crumbs,
        action=action,
        label=label,
        back=back,
        lost=lost,
        stays=stays,
        fields=dict(fields or {}),
    )
