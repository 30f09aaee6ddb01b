"""Feedback on the documentation: a tool that asks the user, and one that reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Avg, Count
from pydantic import BaseModel, Field

from mcp_transport import Context, Elicit, tool
from mcpsite.catalogue.documents import PAGES, PageName
from mcpsite.documents import library
from mcpsite.models import MAX_COMMENT_CHARS, Feedback

Json = dict[str, Any]

RATING: Json = {
    "type": "integer",
    "title": "Rating",
    "description": "1 (useless) to 5 (excellent)",
    "minimum": 1,
    "maximum": 5,
}
COMMENT: Json = {
    "type": "string",
    "title": "Comment",
    "description": "What helped, and what is missing?",
    "maxLength": MAX_COMMENT_CHARS,
}
PAGE: Json = {"type": "string", "title": "Page", "enum": PAGES}


class Outcome(BaseModel):
    """Whether feedback was stored, and why not."""

    stored: bool
    message: str


class FeedbackOut(BaseModel):
    page: str
    rating: int
    comment: str
    left_at: datetime


class FeedbackReport(BaseModel):
    total: int = Field(description="How many match, of which the newest are listed.")
    average: float | None = Field(description="Mean rating; null without any.")
    newest: list[FeedbackOut]


@tool(title="Leave feedback", read_only=False, destructive=False, open_world=False)
def leave_feedback(ctx: Context, page: PageName | None = None) -> Outcome:
    """Ask the user to rate a page of the documentation, and store the answer.

    The user fills in a form in the client: never answer it for the user. Needs
    a client that declares elicitation.

    Args:
        page: the page to rate; without one the user is asked for it too.
    """
    asked: dict[str, Json] = {"rating": RATING, "comment": COMMENT}
    if page is None:
        asked = {"page": PAGE, **asked}
        message = "How good is this documentation?"
    else:
        message = f"How good is the page “{library().pages[page].title}”?"
    required = [name for name in asked if name != "comment"]
    schema = {"type": "object", "properties": asked, "required": required}
    answer = ctx.ask(feedback=Elicit(message, schema))["feedback"]
    if answer["action"] != "accept":
        return Outcome(stored=False, message=f"The user chose: {answer['action']}.")
    return store(ctx.caller.subject, {"page": page, **answer["content"]})


def store(subject: str, content: Json) -> Outcome:
    row = Feedback(
        page=content["page"],
        rating=content["rating"],
        comment=content.get("comment", "").strip(),
        subject=subject,
    )
    row.full_clean()
    row.save()
    return Outcome(stored=True, message=f"Stored: {row.page}, {row.rating} of 5.")


@tool(
    title="List feedback",
    permission="mcpsite.view_feedback",
    read_only=True,
    open_world=False,
)
def list_feedback(
    page: PageName | None = None,
    max_rating: Annotated[int, Field(ge=1, le=5)] = 5,
    limit: Annotated[int, Field(ge=1, le=100)] = 20,
) -> FeedbackReport:
    """Report what readers thought of the documentation, newest first.

    Needs the permission to view feedback.

    Args:
        page: only feedback on this page.
        max_rating: only ratings up to this; 2 shows what readers disliked.
        limit: how many entries to list at most; all are counted.
    """
    rows = Feedback.objects.filter(rating__lte=max_rating)
    if page is not None:
        rows = rows.filter(page=page)
    counted = rows.aggregate(total=Count("pk"), average=Avg("rating"))
    newest = [
        FeedbackOut(
            page=row.page,
            rating=row.rating,
            comment=row.comment,
            left_at=row.created_at,
        )
        for row in rows[:limit]
    ]
    return FeedbackReport(newest=newest, **counted)
