"""A question to the database: which protocol revision knows which word."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from mcp_transport import ToolError, tool
from mcpsite.models import Feature, Revision

Kind = Literal["request", "notification", "question", "content", "field"]


class FeatureOut(BaseModel):
    kind: Kind
    name: str
    revisions: list[str] = Field(description="Revisions that have it, oldest first.")


class Features(BaseModel):
    total: int = Field(description="How many match, of which the first are listed.")
    features: list[FeatureOut]


@tool(title="Find protocol features", read_only=True, open_world=False)
def find_features(
    name: Annotated[str, Field(max_length=128)] | None = None,
    kind: Kind | None = None,
    revision: Annotated[str, Field(max_length=32)] | None = None,
    missing_in: Annotated[str, Field(max_length=32)] | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
) -> Features:
    """Find which MCP revisions have a method, a field or a kind of content.

    Filters are combined. To see what a revision brought, give it as
    ``revision`` and the one before it as ``missing_in``.

    Args:
        name: only features whose name holds this, such as "outputSchema",
            "tools/" or "elicitation"; case does not matter.
        kind: only requests or notifications of a client, questions that a
            server may ask a client, kinds of content, or fields of a type.
        revision: only features that this revision has, such as the newest.
        missing_in: only features that this revision has not.
        limit: how many to return at most.
    """
    rows = Feature.objects.order_by("kind", "name")
    if name:
        rows = rows.filter(name__icontains=name)
    if kind:
        rows = rows.filter(kind=kind)
    if revision:
        rows = rows.filter(revisions=revision_named(revision))
    if missing_in:
        rows = rows.exclude(revisions=revision_named(missing_in))
    listed = rows.prefetch_related("revisions")[:limit]
    return Features(
        total=rows.count(), features=[feature_out(feature) for feature in listed]
    )


def feature_out(feature: Feature) -> FeatureOut:
    revisions = [revision.name for revision in feature.revisions.all()]
    return FeatureOut.model_validate(
        {"kind": feature.kind, "name": feature.name, "revisions": revisions}
    )


def revision_named(name: str) -> Revision:
    """Raises ToolError, naming the revisions there are."""
    found = Revision.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Revision.objects.values_list("name", flat=True))
        raise ToolError(f"There is no revision {name!r}. Revisions: {known}.")
    return found
