"""A span for each request, by OpenTelemetry. Needs the extra ``tracing``.

``MCP["HOOKS"] = ["mcp_transport.monitoring.tracing.trace"]``, first in the list. Where
spans go is the project's to say, by the SDK; without one they cost next to nothing.

Spec: OpenTelemetry semantic conventions for generative AI, v0.1.0, MCP.
"""

from __future__ import annotations

from collections.abc import Mapping

from mcp_transport.engine.context import Context
from mcp_transport.engine.observing import Outcome, outcome_of
from mcp_transport.engine.presence import session_handle
from mcp_transport.engine.server import CallNext, Result
from mcp_transport.monitoring.redaction import REDACTED
from mcp_transport.monitoring.secrecy import without_credentials
from mcp_transport.protocol import tracecontext
from mcp_transport.protocol.errors import INTERNAL_ERROR, ProtocolError

try:
    from opentelemetry.context import Context as TraceContext
    from opentelemetry.trace import (
        Link,
        Span,
        SpanKind,
        Status,
        StatusCode,
        get_current_span,
        get_tracer,
        use_span,
    )
    from opentelemetry.trace.propagation.tracecontext import (
        TraceContextTextMapPropagator,
    )
except ImportError as error:
    raise ImportError(
        'needs opentelemetry-api: pip install "django-mcp-transport[tracing]"'
    ) from error

MAX_NAME_CHARS = 128
# What a request is about, by its method: the parameter that names it, the attribute
# for it, and whether there are few enough to be in the names of spans.
TARGETS = {
    "tools/call": ("name", "gen_ai.tool.name", True),
    "prompts/get": ("name", "gen_ai.prompt.name", True),
    "resources/read": ("uri", "mcp.resource.uri", False),
    "resources/subscribe": ("uri", "mcp.resource.uri", False),
    "resources/unsubscribe": ("uri", "mcp.resource.uri", False),
}
# By the name of the door; of one that a project added we know neither.
TRANSPORTS = {
    **dict.fromkeys(("streamable-http", "sse", "plain"), ("tcp", "http")),
    "websocket": ("tcp", "websocket"),
    "stdio": ("pipe", None),
}

_propagator = TraceContextTextMapPropagator()
_tracer = get_tracer("mcp_transport")


async def trace(context: Context, call_next: CallNext) -> Result:
    """Run a request within a span, as the child of the client's if it names one.

    The span is current in the tool, on whatever thread it runs. Of an exception that
    nobody meant for others only the class is recorded.
    """
    parent, links = _origin(context)
    span = _tracer.start_span(
        _span_name(context),
        context=parent,
        kind=SpanKind.SERVER,
        attributes=_attributes(context),
        links=links,
    )
    with use_span(
        span, end_on_exit=True, record_exception=False, set_status_on_exception=False
    ):
        try:
            result = await call_next(context)
        except ProtocolError as error:
            _fail(span, str(error.code), error.code, error.message)
            raise
        except BaseException as error:
            if context.timed_out:
                _fail(span, "timeout")
            elif context.cancelled:
                _fail(span, "cancelled")
            else:
                _fail(span, type(error).__qualname__, INTERNAL_ERROR)
            raise
        if outcome_of(result)[0] is Outcome.TOOL_ERROR:
            _fail(span, "tool_error")
        return result


def _origin(context: Context) -> tuple[TraceContext | None, list[Link]]:
    """Return the parent, None for the span that is current, and what is linked.

    What the message itself says comes first: whoever traces HTTP has a span around
    us, which may serve other messages too. Where nobody does, the headers say whose
    child we are.
    """
    around = get_current_span().get_span_context()
    told = tracecontext.carrier(context.params, None)
    if told:
        return _propagator.extract(told), [Link(around)] if around.is_valid else []
    if around.is_valid:
        return None, []
    return _propagator.extract(tracecontext.carrier({}, context.arrival.headers)), []


def _fail(
    span: Span, kind: str, code: int | None = None, description: str | None = None
) -> None:
    span.set_attribute("error.type", kind)
    if code is not None:
        span.set_attribute("rpc.response.status_code", str(code))
    span.set_status(Status(StatusCode.ERROR, description))


def _target(context: Context) -> tuple[str, str, bool] | None:
    """Return the attribute, its value, and whether it belongs into the span's name."""
    known = TARGETS.get(context.method)
    said = None if known is None else context.params.get(known[0])
    if known is None or type(said) is not str:
        return None
    said = without_credentials(said, REDACTED)
    return known[1], said, known[2] and len(said) <= MAX_NAME_CHARS


def _span_name(context: Context) -> str:
    target = _target(context)
    if target is None or not target[2]:
        return context.method
    return f"{context.method} {target[1]}"


def _attributes(context: Context) -> Mapping[str, str]:
    arrival, target = context.arrival, _target(context)
    transport, protocol = TRANSPORTS.get(arrival.binding.name, (None, None))
    attributes = {
        "mcp.method.name": context.method,
        "mcp.protocol.version": context.client.revision.name,
        "jsonrpc.request.id": str(context.request_id),
        "network.transport": transport,
        "network.protocol.name": protocol,
    }
    if arrival.session is not None:
        # Not the id, by which a session could be used.
        attributes["mcp.session.id"] = session_handle(arrival.session.id)
    if target is not None:
        attributes[target[0]] = target[1]
    if context.method == "tools/call":
        attributes["gen_ai.operation.name"] = "execute_tool"
    return {key: value for key, value in attributes.items() if value is not None}
