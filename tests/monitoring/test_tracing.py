"""Spans, as OpenTelemetry's own SDK records them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from mcp_transport.engine.catalogue import Shelf
from mcp_transport.engine.context import Context
from mcp_transport.engine.exchange import Binding
from mcp_transport.engine.presence import session_handle
from mcp_transport.engine.server import Server
from mcp_transport.monitoring import tracing
from mcp_transport.protocol.revision import Revision
from mcp_transport.protocol.revisions import (
    LATEST,
    LATEST_STATEFUL,
    STATEFUL,
    STATELESS,
)
from tests.engine.exchanges import (
    every_revision,
    opened,
    serving,
    session_of,
)
from tests.monitoring import serving as shelves
from tests.monitoring.serving import call, served

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
OTHER = PARENT.replace("0af", "1bf")
inside = Shelf()


@inside.tool
def on_a_thread() -> str:
    return current()


@inside.tool
async def on_the_loop() -> str:
    await asyncio.sleep(0)
    return current()


def current() -> str:
    context = otel.get_current_span().get_span_context()
    return f"{context.trace_id:032x} {context.span_id:016x}"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("mcp_transport"))
    yield exporter
    provider.shutdown()


@pytest.fixture
def server() -> Server:
    return serving(shelves.shelf, hooks=[tracing.trace])


def the_span(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    exporter.clear()
    return span


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@every_revision
async def test_a_call_is_a_span(
    server: Server, exporter: InMemorySpanExporter, revision: Revision
) -> None:
    session = session_of(revision) if revision.stateful else None
    binding = Binding("streamable-http", STATEFUL, STATELESS)
    await call(
        server,
        "greet",
        {"name": "Ada"},
        revision=revision,
        session=session,
        binding=binding,
        id=7,
    )
    span = the_span(exporter)
    assert (span.name, span.kind) == ("tools/call greet", SpanKind.SERVER)
    assert span.status.status_code is StatusCode.UNSET
    of_session = {}
    if session is not None:
        of_session = {"mcp.session.id": session_handle(session.id)}
    assert attributes(span) == {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": revision.name,
        "jsonrpc.request.id": "7",
        "network.transport": "tcp",
        "network.protocol.name": "http",
        "gen_ai.tool.name": "greet",
        "gen_ai.operation.name": "execute_tool",
        **of_session,
    }


@pytest.mark.parametrize(
    ("method", "params", "name", "attribute"),
    [
        ("tools/list", {}, "tools/list", None),
        (
            "prompts/get",
            {"name": "letter", "arguments": {"tone": "kind"}},
            "prompts/get letter",
            ("gen_ai.prompt.name", "letter"),
        ),
        # There may be any number of resources.
        (
            "resources/read",
            {"uri": "note://1"},
            "resources/read",
            ("mcp.resource.uri", "note://1"),
        ),
    ],
)
async def test_a_span_is_named_by_what_there_are_few_of(
    server: Server,
    exporter: InMemorySpanExporter,
    method: str,
    params: dict[str, Any],
    name: str,
    attribute: tuple[str, str] | None,
) -> None:
    await served(opened(server, method, params))
    span = the_span(exporter)
    assert span.name == name
    assert span.status.status_code is StatusCode.UNSET
    if attribute is not None:
        assert attribute in attributes(span).items()


async def test_a_secret_in_a_uri_is_in_no_span(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    uri = "note://1?api_key=geheim"
    await served(opened(server, "resources/read", {"uri": uri}))
    found = attributes(the_span(exporter))
    assert found["mcp.resource.uri"] == "note://1?api_key=[redacted]"


@pytest.mark.parametrize(
    ("door", "transport", "protocol"),
    [
        ("stdio", "pipe", None),
        ("websocket", "tcp", "websocket"),
        ("sse", "tcp", "http"),
        ("somebody's own", None, None),
    ],
)
async def test_the_door_is_told_as_a_transport(
    server: Server,
    exporter: InMemorySpanExporter,
    door: str,
    transport: str | None,
    protocol: str | None,
) -> None:
    await call(
        server, "greet", {"name": "Ada"}, binding=Binding(door, STATEFUL, STATELESS)
    )
    found = attributes(the_span(exporter))
    assert found.get("network.transport") == transport
    assert found.get("network.protocol.name") == protocol


# Whose child it is.


async def test_the_message_names_the_parent_before_the_headers(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    headers = {"traceparent": OTHER, "tracestate": "a=header"}
    meta = {"_meta": {"traceparent": PARENT, "tracestate": "a=meta"}}
    await served(opened(server, "tools/list", meta, headers=headers))
    span = the_span(exporter)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == TRACE
    assert span.parent.trace_state.get("a") == "meta"
    await served(opened(server, "tools/list", {}, headers=headers))
    span = the_span(exporter)
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == "1bf" + TRACE[3:]
    assert span.parent.trace_state.get("a") == "header"


@pytest.mark.parametrize("wrong", ["", "00-1", 7, PARENT.upper()])
async def test_a_parent_that_cannot_be_read_is_none(
    server: Server, exporter: InMemorySpanExporter, wrong: object
) -> None:
    await served(opened(server, "tools/list", {"_meta": {"traceparent": wrong}}))
    assert the_span(exporter).parent is None


async def test_a_span_around_us_is_the_parent_unless_the_message_names_one(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    with tracing._tracer.start_as_current_span("POST /mcp") as around:
        await served(opened(server, "tools/list", {}, headers={"traceparent": OTHER}))
        await served(opened(server, "tools/list", {"_meta": {"traceparent": PARENT}}))
    child, linked, _ = exporter.get_finished_spans()
    assert child.parent is not None
    assert child.parent.span_id == around.get_span_context().span_id
    assert linked.parent is not None
    assert f"{linked.parent.trace_id:032x}" == TRACE
    assert [link.context.span_id for link in linked.links] == [
        around.get_span_context().span_id
    ]


@pytest.mark.parametrize("tool", ["on_a_thread", "on_the_loop"])
@every_revision
async def test_the_span_is_current_in_the_tool(
    exporter: InMemorySpanExporter, tool: str, revision: Revision
) -> None:
    server = serving(inside, hooks=[tracing.trace])
    params = {"name": tool, "_meta": {"traceparent": PARENT}}
    exchange = opened(server, "tools/call", params, revision=revision)
    said = b"".join([message async for message in exchange])
    span = the_span(exporter)
    assert f"{TRACE} {span.context.span_id:016x}".encode() in said
    assert not otel.get_current_span().get_span_context().is_valid


# How it ended.


def failed(span: ReadableSpan) -> tuple[Any, Any, str | None]:
    assert span.status.status_code is StatusCode.ERROR
    assert span.events == ()
    found = attributes(span)
    return (
        found["error.type"],
        found.get("rpc.response.status_code"),
        span.status.description,
    )


async def test_a_failure_is_recorded_without_what_nobody_meant_for_others(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    await call(server, "greet", {"name": "nobody"})
    span = the_span(exporter)
    assert failed(span) == ("tool_error", None, None)
    assert "a secret" not in span.to_json()
    await call(server, "none")
    said = ("-32602", "-32602", "Unknown tool: none")
    assert failed(the_span(exporter)) == said


async def test_an_exception_of_another_hook_is_named_by_its_class(
    exporter: InMemorySpanExporter,
) -> None:
    async def broken(context: Context, call_next: Any) -> Any:
        raise LookupError("a secret")

    server = serving(shelves.shelf, hooks=[tracing.trace, broken])
    await served(opened(server, "tools/list"))
    span = the_span(exporter)
    assert failed(span) == ("LookupError", "-32603", None)
    assert "a secret" not in span.to_json()


async def test_a_deadline_and_a_cancel_are_told_apart(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    await call(server, "late")
    await asyncio.sleep(0)
    assert failed(the_span(exporter)) == ("timeout", None, None)
    async with opened(server, "tools/call", {"name": "wait"}) as exchange:
        pass
    await exchange.call.ended()
    assert failed(the_span(exporter)) == ("cancelled", None, None)


async def test_without_an_sdk_nothing_is_recorded_and_all_is_served(
    server: Server,
) -> None:
    exchange = opened(
        server, "tools/call", {"name": "greet", "arguments": {"name": "A"}}
    )
    said = b"".join([message async for message in exchange])
    assert b"Hello A" in said


async def test_a_long_name_is_no_part_of_the_span_s(
    server: Server, exporter: InMemorySpanExporter
) -> None:
    await call(server, "x" * 129, revision=LATEST)
    assert the_span(exporter).name == "tools/call"
    await call(server, "x" * 128, revision=LATEST_STATEFUL)
    assert the_span(exporter).name == "tools/call " + "x" * 128
