"""A tool of the code under another name, with some arguments fixed.

A preset narrows and never widens. It needs what the tool needs: the scope, the
permission and the rate; and what it is called with is checked by the tool too.
Where the tool is switched off or gone, so is the preset.
Spec: 2026-07-28 server/tools.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mcp_transport.engine.caller import Caller
from mcp_transport.engine.context import Context
from mcp_transport.engine.entry import Json
from mcp_transport.engine.errors import ToolError
from mcp_transport.engine.rates import Rate
from mcp_transport.engine.tool import SCOPE, Tool
from mcp_transport.protocol.naming import check_name, check_text
from mcp_transport.protocol.schema import JsonSchema, check_input_schema, header_params
from mcp_transport.protocol.wording import ArgumentError, argument_error, unknown
from tools_app.catalogue.configured import registered
from tools_app.kinds.fields import JsonSchemaField, ObjectField
from tools_app.kinds.kind import EntryKind, Made

# What of a schema says which arguments there are, one by one. All else judges
# them together, the fixed ones included: that is left to the tool.
_ONE_BY_ONE = (
    "$schema",
    "$defs",
    "definitions",
    "type",
    "properties",
    "required",
    "additionalProperties",
)


class PresetForm(forms.Form):
    tool = forms.ChoiceField(label=_("Tool"), choices=lambda: _tools())
    arguments = ObjectField(
        label=_("Fixed arguments"),
        required=False,
        help_text=_(
            'A JSON object, such as {"status": "open"}. A caller cannot give them.'
        ),
    )
    input_schema = JsonSchemaField(
        label=_("Schema of the other arguments"),
        required=False,
        help_text=_(
            "A JSON Schema that says less than the tool's own, shown in its place. "
            "Blank: the tool's own, without the fixed arguments."
        ),
    )

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if not self.errors and not cleaned["arguments"] and not cleaned["input_schema"]:
            text = _("Fix an argument, or write a schema: the tool itself is there.")
            self.add_error("arguments", ValidationError(text, code="nothing"))


def _tools() -> list[tuple[str, str]]:
    names = sorted(key for kind, key in registered() if kind == "tools")
    return [("", "---------"), *((name, name) for name in names)]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Preset(Tool):
    """A tool that calls ``base``; ``validate`` returns what it is called with."""

    base: Tool

    @property
    def known_as(self) -> tuple[str, ...]:
        return (self.name, *self.base.known_as)

    def lacking(self, caller: Caller) -> str | None:
        return Tool.lacking(self, caller) or self.base.lacking(caller)

    def permitted(self, caller: Caller) -> bool:
        if not Tool.permitted(self, caller):
            return False
        if caller.tools is not None:
            # The credential names the tools that it is for: this one, not its base.
            caller = replace(caller, tools=None)
        return self.base.permitted(caller)

    @property
    def counted(self) -> tuple[tuple[str, Rate], ...]:
        own = () if self.rate is None else ((self.name, self.rate),)
        return (*own, *self.base.counted)

    async def run(self, context: Context, arguments: Json) -> Json:
        try:
            accepted = self.validate(arguments)
        except ArgumentError as error:
            raise ToolError(str(error)) from None
        return await self.base.run(context, accepted)


class PresetKind(EntryKind):
    name = "preset"
    label = _("preset of a tool")
    summary = _(
        "A tool of the code under another name, with some of its arguments fixed."
    )
    makes = "tools"
    form = PresetForm

    def build(self, made: Made) -> Preset:
        base = made.look_up("tools", made.spec["tool"])
        if not isinstance(base, Tool):
            raise ValueError(f"the tool {made.spec['tool']} is switched off or gone")
        fixed, narrowed = made.spec["arguments"], made.spec["input_schema"]
        _check_fixed(base, fixed)
        schema = without(base.input_schema, fixed)
        if narrowed:
            _check_narrowed(schema, narrowed, fixed)
            schema = narrowed
        check_input_schema(schema)
        name = check_name(made.key)
        return Preset(
            name=name,
            scope=SCOPE.format(name=name),
            title=check_text(made.title) or None,
            description=check_text(made.description) or base.description,
            permission=base.permission,
            tags=base.tags,
            icons=base.icons,
            meta=base.meta,
            function=base.function,
            input_schema=schema,
            validate=_Merging(fixed, schema, JsonSchema(narrowed or {})),
            output=base.output,
            annotations=base.annotations,
            headers=header_params(schema),
            timeout_s=base.timeout_s,
            base=base,
        )


class _Merging:
    """Turns what a preset is called with into what its tool is called with."""

    def __init__(self, fixed: Json, schema: Json, narrowed: JsonSchema) -> None:
        self._fixed = fixed
        self._names = tuple(schema.get("properties", {}))
        self._narrowed = narrowed

    def __call__(self, arguments: Json) -> Json:
        given = [name for name in arguments if name in self._fixed]
        if given:
            raise argument_error(
                [f"{name}: {unknown(name, self._names)}" for name in given]
            )
        self._narrowed.validate(arguments)
        return {**arguments, **self._fixed}


def without(schema: Json, fixed: Json) -> Json:
    """Return an input schema that knows nothing of the ``fixed`` arguments."""
    left = {key: schema[key] for key in _ONE_BY_ONE if key in schema}
    properties = schema.get("properties", {})
    left["properties"] = {n: p for n, p in properties.items() if n not in fixed}
    required = [name for name in schema.get("required", ()) if name not in fixed]
    left["required"] = required
    return {key: value for key, value in left.items() if key != "required" or value}


def _check_fixed(base: Tool, fixed: Json) -> None:
    """Raise ValueError for arguments that the tool has not, or does not take."""
    properties = base.input_schema.get("properties", {})
    faults = [
        f"{n}: {unknown(n, tuple(properties))}" for n in fixed if n not in properties
    ]
    if faults:
        raise argument_error(faults)
    one_by_one = {
        key: base.input_schema[key] for key in _ONE_BY_ONE if key in base.input_schema
    }
    JsonSchema({**one_by_one, "required": []}).validate(fixed)
    if set(base.input_schema.get("required", ())) <= set(fixed):
        base.validate(dict(fixed))


def _check_narrowed(left: Json, narrowed: Json, fixed: Json) -> None:
    """Raise ValueError where nobody could call by the schema ``narrowed``."""
    names = set(narrowed.get("properties", {}))
    required = set(narrowed.get("required", ()))
    known = left["properties"]
    faults = [
        f"{name}: it is fixed" for name in sorted((names | required) & set(fixed))
    ]
    if left.get("additionalProperties") is False:
        faults += [
            f"{name}: {unknown(name, tuple(known))}"
            for name in sorted((names | required) - set(known) - set(fixed))
        ]
    faults += [
        f"{name}: the tool requires it, so the schema must"
        for name in left.get("required", ())
        if name not in required
    ]
    if faults:
        raise ValueError("the schema does not fit the tool: " + "; ".join(faults))
