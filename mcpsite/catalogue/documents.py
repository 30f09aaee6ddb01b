"""The documentation as resources, and the tools that search and read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, Field

from mcp_transport import Context, ToolError, resource, tool
from mcp_transport.protocol.errors import ProtocolError
from mcpsite.documents import MIME_TYPE, Page, library
from mcpsite.search import Hit, search_index

PAGES = list(library().pages)


class SearchResult(BaseModel):
    """What search_docs found, best first."""

    query: str
    hits: list[Hit]


class Document(BaseModel):
    """A page, or a section of one, in Markdown."""

    uri: str
    title: str
    text: str
    sections: list[str] = Field(description="Anchors of the page's sections.")


@tool(title="Search the documentation", read_only=True, open_world=False)
def search_docs(
    query: Annotated[str, Field(min_length=1, max_length=400)],
    limit: Annotated[int, Field(ge=1, le=20)] = 5,
) -> SearchResult:
    """Search the documentation of mcp_transport and rank what matches.

    Finds sections that hold any of the words, in any form ("stream" finds
    "streaming"); more and rarer words, and words in headings, rank higher.
    Read a hit in full with read_doc, or as a resource at its uri.

    Args:
        query: words to look for; there are no operators.
        limit: how many sections to return at most.
    """
    return SearchResult(query=query, hits=search_index().search(query, limit))


@tool(title="Read a page of the documentation", read_only=True, open_world=False)
def read_doc(
    page: Annotated[str, Field(max_length=128)],
    section: Annotated[str, Field(max_length=256)] | None = None,
) -> Document:
    """Read a page of the documentation, or one section with its subsections.

    Args:
        page: the page's name, such as "readme".
        section: the anchor of a section, as search_docs gives it; without one
            the whole page is returned.
    """
    found = page_named(page)
    text = found.text if section is None else part_of(found, section)
    uri = found.uri if section is None else f"{found.uri}/{section}"
    return Document(uri=uri, title=found.title, text=text, sections=list(found.anchors))


def publish(page: Page) -> None:
    """Register a page as a resource of its own, so that lists show it."""

    def read() -> str:
        return page.text

    resource(
        page.uri,
        name=page.name,
        title=page.title,
        description=page.summary,
        mime_type=MIME_TYPE,
    )(read)


for _page in library().pages.values():
    publish(_page)


def sections_of(value: str, arguments: Mapping[str, str]) -> list[str]:
    """Suggest sections of the page that was chosen; of all pages before that."""
    chosen = arguments.get("page")
    found = [
        section.anchor
        for section in library().sections()
        if value.lower() in section.anchor and chosen in (None, section.page)
    ]
    return list(dict.fromkeys(found))


@resource(
    "docs://{page}",
    name="page",
    title="A page of the documentation",
    mime_type=MIME_TYPE,
    completions={"page": PAGES},
)
def read_page(ctx: Context, page: str) -> str:
    """A whole page, in Markdown. Complete ``page`` for the names there are."""
    found = library().pages.get(page)
    if found is None:
        raise not_found(ctx)
    return found.text


@resource(
    "docs://{page}/{section}",
    name="section",
    title="A section of the documentation",
    mime_type=MIME_TYPE,
    completions={"page": PAGES, "section": sections_of},
)
def read_section(ctx: Context, page: str, section: str) -> str:
    """One section of a page with its subsections, by the heading's anchor."""
    found = library().pages.get(page)
    text = found.part(section) if found else None
    if text is None:
        raise not_found(ctx)
    return text


def not_found(ctx: Context) -> ProtocolError:
    """The error of ``resources/read``, in the code of the client's revision."""
    code = ctx.client.revision.resource_not_found
    return ProtocolError(code, "Resource not found", {"uri": ctx.params["uri"]})


def page_named(name: str) -> Page:
    """Raises ToolError, naming the pages there are."""
    page = library().pages.get(name)
    if page is None:
        raise ToolError(f"There is no page {name!r}. Pages: {', '.join(PAGES)}.")
    return page


def part_of(page: Page, anchor: str) -> str:
    """Raises ToolError, naming the sections there are."""
    text = page.part(anchor)
    if text is None:
        known = ", ".join(page.anchors)
        raise ToolError(f"{page.name} has no section {anchor!r}. Sections: {known}.")
    return text
