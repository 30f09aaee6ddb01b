from __future__ import annotations

from typing import Any

import pytest

from mcp_transport.engine.context import Context
from mcp_transport.engine.resource import Resource, ResourceTemplate
from mcp_transport.protocol.content import EmbeddedResource
from tests.engine.exchanges import opened, serving


def about() -> str:
    """Say what this is."""
    return "a shop"


def order(pk: int) -> dict[str, int]:
    """Return an order."""
    return {"pk": pk}


async def read(resource: Resource | None) -> dict[str, Any]:
    assert resource is not None
    return await resource.read(Context(opened(serving(), "tools/list"), {}))


def test_a_resource_is_listed_by_its_uri() -> None:
    resource = Resource.of(
        about,
        "docs://about",
        title="About",
        mime_type="text/markdown",
        size=6,
        annotations={"priority": 0.5},
    )
    assert resource.key == "docs://about"
    assert resource.to_json() == {
        "uri": "docs://about",
        "name": "about",
        "title": "About",
        "description": "Say what this is.",
        "mimeType": "text/markdown",
        "size": 6,
        "annotations": {"priority": 0.5},
    }


def test_a_template_is_listed_by_its_pattern() -> None:
    template = ResourceTemplate.of(order, "order://{pk}", mime_type="application/json")
    assert template.key == "order://{pk}"
    assert template.to_json() == {
        "uriTemplate": "order://{pk}",
        "name": "order",
        "description": "Return an order.",
        "mimeType": "application/json",
    }


def test_their_scope_is_that_of_all_resources_unless_given() -> None:
    assert Resource.of(about, "docs://a").scope == "resources:read"
    assert ResourceTemplate.of(order, "o://{pk}").scope == "resources:read"
    assert Resource.of(about, "docs://a", scope="shop").scope == "shop"


async def test_reading_gives_what_the_function_returns() -> None:
    assert await read(Resource.of(about, "docs://a")) == {
        "contents": [{"uri": "docs://a", "mimeType": "text/plain", "text": "a shop"}],
        "ttlMs": 0,
        "cacheScope": "private",
    }


async def test_what_may_be_kept_is_said_by_the_resource() -> None:
    resource = Resource.of(about, "docs://a", ttl_ms=5000, cache_scope="public")
    result = await read(resource)
    assert (result["ttlMs"], result["cacheScope"]) == (5000, "public")


async def test_a_context_is_all_that_a_resource_takes() -> None:
    async def who(ctx: Context) -> str:
        return ctx.caller.subject

    result = await read(Resource.of(who, "docs://who"))
    assert result["contents"][0]["text"] == "anonymous"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\x00\xff", {"mimeType": "application/octet-stream", "blob": "AP8="}),
        ([1, None], {"mimeType": "application/json", "text": "[1,null]"}),
        (EmbeddedResource("other://x", text="t"), {"uri": "other://x", "text": "t"}),
    ],
)
async def test_contents_are_of_many_kinds(value: Any, expected: dict[str, Any]) -> None:
    def function() -> Any:
        return value

    (contents,) = (await read(Resource.of(function, "docs://a")))["contents"]
    assert contents == {"uri": "docs://a", **expected}


async def test_a_template_makes_a_resource_of_each_uri_that_it_matches() -> None:
    template = ResourceTemplate.of(
        order,
        "order://{pk}",
        mime_type="application/json",
        permission="shop.view",
        ttl_ms=9,
        cache_scope="public",
    )
    resource = template.at("order://12")
    assert resource is not None
    assert resource.permission == "shop.view"
    assert await read(resource) == {
        "contents": [
            {"uri": "order://12", "mimeType": "application/json", "text": '{"pk":12}'}
        ],
        "ttlMs": 9,
        "cacheScope": "public",
    }


@pytest.mark.parametrize(
    "uri", ["order://", "order://x", "order://1/2", "other://1", "", "order://1.5"]
)
def test_a_template_makes_nothing_of_any_other_uri(uri: str) -> None:
    assert ResourceTemplate.of(order, "order://{pk}").at(uri) is None


@pytest.mark.parametrize("uri", ["about", "", ":x", "docs:", "1docs:x", "dócs:x"])
def test_a_uri_begins_with_a_scheme(uri: str) -> None:
    with pytest.raises(ValueError, match="is no URI: begin with a scheme"):
        Resource.of(about, uri)


def test_a_function_takes_what_its_uri_has() -> None:
    with pytest.raises(TypeError, match="order: a resource without variables"):
        Resource.of(order, "order://1")
    for template in ("order://{id}", "order://{pk}/{more}"):
        with pytest.raises(TypeError, match="order: its arguments must be the variab"):
            ResourceTemplate.of(order, template)
    with pytest.raises(TypeError, match="about: its arguments must be"):
        ResourceTemplate.of(about, "docs://{pk}")


def test_what_cannot_be_a_template_is_the_developers_fault() -> None:
    with pytest.raises(ValueError, match="completions for no argument: id"):
        ResourceTemplate.of(order, "order://{pk}", completions={"id": []})
    with pytest.raises(ValueError, match="adjacent variables"):
        ResourceTemplate.of(order, "order://{pk}{more}")
    with pytest.raises(TypeError, match="size"):
        ResourceTemplate.of(order, "order://{pk}", size=1)


@pytest.mark.parametrize(
    "options", [{"cache_scope": "shared"}, {"ttl_ms": -1}, {"cache_scope": ""}]
)
def test_how_long_to_keep_it_is_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="about: ttl_ms is 0 or more and cache_scope"):
        Resource.of(about, "docs://a", **options)
    with pytest.raises(ValueError, match="order: ttl_ms is 0 or more and cache_scope"):
        ResourceTemplate.of(order, "order://{pk}", **options)
