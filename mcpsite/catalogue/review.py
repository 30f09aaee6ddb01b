"""A long job: proofreads the documentation, tells how far it is, can be stopped."""

from __future__ import annotations

from functools import partial

from pydantic import BaseModel, Field

from mcp_transport import Context, tool
from mcpsite.catalogue.documents import PageName
from mcpsite.documents import library
from mcpsite.proofreading import Finding, proofread


class Review(BaseModel):
    pages: list[str] = Field(description="The pages that were checked.")
    findings: list[Finding]


@tool(
    title="Proofread the documentation",
    read_only=True,
    open_world=False,
    timeout_s=300,
)
async def review_docs(
    ctx: Context,
    pages: list[PageName] | None = None,
) -> Review:
    """Check the documentation: dead links, code that does not parse, repetition.

    Takes seconds to minutes, because every passage is compared with every
    other. Reports progress page by page and logs what it finds; it stops at
    the next page when it is cancelled.

    Args:
        pages: names of the pages to check; without any, all are.
    """
    shelf = library()
    names = list(shelf.pages) if pages is None else list(dict.fromkeys(pages))
    findings: list[Finding] = []
    for done, name in enumerate(names):
        ctx.progress(done, len(names), f"Reading {name}")
        found = await ctx.run_sync(partial(proofread, shelf, shelf.pages[name]))
        for finding in found:
            where = f"{finding.page}:{finding.line}"
            ctx.log("warning", f"{where} {finding.message}", logger="review_docs")
        findings += found
    ctx.progress(len(names), len(names), "Done")
    return Review(pages=names, findings=findings)
