"""Prompts that start a user off: integrate the package, understand a page."""

from __future__ import annotations

from typing import Literal, get_args

from mcp_transport import EmbeddedResource, Text, prompt
from mcpsite.catalogue.documents import PAGES, PageName
from mcpsite.documents import MIME_TYPE, library, section_uri
from mcpsite.search import search_index

Content = list[Text | EmbeddedResource]

Project = Literal["new", "existing", "wsgi", "channels"]
Mount = Literal["lean", "urls", "in-process"]
Reader = Literal["developer", "administrator"]

PROJECTS: dict[Project, str] = {
    "new": "a new Django project of the stock template",
    "existing": "an existing Django project, whose urls and middleware stay",
    "wsgi": "an existing Django project that is served under WSGI",
    "channels": "a Django project that already uses Channels and daphne",
}
MOUNTS: dict[Mount, str] = {
    "lean": "the lean ASGI mount (mcp_transport.asgi)",
    "urls": 'include("mcp_transport.urls") in the project\'s urls',
    "in-process": "the in-process client, without a port",
}


@prompt(
    title="Integrate mcp_transport",
    completions={"project": list(PROJECTS), "mount": list(MOUNTS)},
)
def integrate(project: Project = "existing", mount: Mount = "urls") -> Content:
    """Plan how to add an MCP server to a Django project with mcp_transport.

    Args:
        project: what the project is: new, existing, wsgi or channels.
        mount: how to serve: lean, urls or in-process.
    """
    hits = search_index().search(f"install settings {project} {mount} mount tokens", 4)
    task = (
        f"Help me to add mcp_transport to {PROJECTS[project]}, by {MOUNTS[mount]}.\n"
        "Ask me for the models or functions that a model should reach. Then give "
        "the changes file by file: settings, urls or asgi, one mcp.py with a tool "
        "of mine, a token, and a tools/call by curl that proves it. Use only what "
        "the documentation says; look up the rest with search_docs and read_doc."
    )
    return [Text(task), *(embedded(hit.page, hit.section) for hit in hits)]


@prompt(title="Explain a page", completions={"page": PAGES, "reader": get_args(Reader)})
def explain(page: PageName, reader: Reader = "developer") -> Content:
    """Explain a page of the documentation to somebody.

    Args:
        page: the name of the page.
        reader: whom to explain it to: developer or administrator.
    """
    found = library().pages[page]
    task = (
        f"Explain the page “{found.title}” of the mcp_transport documentation to "
        f"a Django {reader}: what it is for, what to do, and what goes wrong most "
        "easily. Quote the names of settings and functions exactly."
    )
    return [Text(task), EmbeddedResource(found.uri, found.text, mime_type=MIME_TYPE)]


def embedded(page: str, section: str) -> EmbeddedResource:
    text = library().pages[page].part(section)
    return EmbeddedResource(section_uri(page, section), text, mime_type=MIME_TYPE)
