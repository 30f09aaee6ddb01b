"""The documentation as resources, and the tools that search and read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from mcp_transport import ResourceNotFound, ToolError, resource, tool
from mcpsite.documents import MIME_TYPE, Page, library, section_uri
from mcpsite.search import Hit, search_index

PAGES = list(library().pages)


def known_page(name: str) -> str:
    """Raises ValueError, naming the pages there are."""
    if name not in library().pages:
        raise ValueError(f"there is no such page; the pages are {', '.join(PAGES)}")
    return name


PageName = Annotated[
    str, AfterValidator(known_page), Field(json_schema_extra={"enum": [*PAGES]})
]


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
    page: PageName,
    section: Annotated[str, Field(max_length=256)] | None = None,
) -> Document:
    """Read a page of the documentation, or one section with its subsections.

    Args:
        page: the page's name, such as "readme".
        section: the anchor of a section, as search_docs gives it; without one
            the whole page is returned.
    """
    found = library().pages[page]
    text = found.text if section is None else part_of(found, section)
    uri = found.uri if section is None else section_uri(page, section)
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
def read_page(page: PageName) -> str:
    """A whole page, in Markdown. Complete ``page`` for the names there are."""
    return library().pages[page].text


@resource(
    "docs://{page}/{section}",
    name="section",
    title="A section of the documentation",
    mime_type=MIME_TYPE,
    completions={"page": PAGES, "section": sections_of},
)
def read_section(page: PageName, section: str) -> str:
    """One section of a page with its subsections, by the heading's anchor."""
    text = library().pages[page].part(section)
    if text is None:
        raise ResourceNotFound(f"{page} has no section {section!r}")
    return text


def part_of(page: Page, anchor: str) -> str:
    """Raises ToolError, naming the sections there are."""
    text = page.part(anchor)
    if text is None:
        known = ", ".join(page.anchors)
        raise ToolError(f"{page.name} has no section {anchor!r}. Sections: {known}.")
    return text
