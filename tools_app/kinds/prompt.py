"""A prompt that is made of a template and declared arguments.

Spec: 2026-07-28 server/prompts, server/utilities/completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter
from typing import Annotated, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from pydantic import Field

from mcp_transport.engine.prompt import Prompt
from mcp_transport.protocol.errors import invalid_params
from tools_app.kinds.declared import declared, parameter
from tools_app.kinds.fields import LinesField, VisibleTextField
from tools_app.kinds.kind import EntryKind, Made
from tools_app.kinds.rows import RowsField
from tools_app.kinds.template import NAME, Template

Message = dict[str, str]

MAX_TEMPLATE_CHARS = 20_000
MAX_PROMPT_CHARS = 262_144
MAX_MESSAGES = 20
MAX_ARGUMENTS = 20
MAX_VALUES = 1_000
_ROLES = [("user", _("user")), ("assistant", _("assistant"))]

TEMPLATE_HELP = _(
    "{{ name }} stands for the value of an argument; what is between "
    "{% if name %} and {% endif %} is left out where it is blank."
)


class MessageRow(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=_ROLES, initial="user")
    text = VisibleTextField(
        label=_("Text"),
        max_length=MAX_TEMPLATE_CHARS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80}),
    )

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            Template(text)
        except ValueError as error:
            raise ValidationError(str(error), code="template") from None
        return text


class ArgumentRow(forms.Form):
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        validators=[
            RegexValidator(
                rf"^{NAME.pattern}\Z",
                _("Begin with a letter, then letters, digits and _."),
                code="name",
            )
        ],
    )
    description = VisibleTextField(
        label=_("Description"), max_length=1_000, required=False
    )
    required = forms.BooleanField(label=_("Required"), required=False)
    values = LinesField(
        label=_("Suggested values"),
        max_lines=MAX_VALUES,
        max_length=200,
        required=False,
        help_text=_("One per line; offered while the argument is filled in."),
    )


class PromptForm(forms.Form):
    messages = RowsField(
        MessageRow,
        label=_("Messages"),
        max_rows=MAX_MESSAGES,
        help_text=TEMPLATE_HELP,
    )
    arguments = RowsField(
        ArgumentRow, label=_("Arguments"), max_rows=MAX_ARGUMENTS, required=False
    )

    def clean_arguments(self) -> list[dict[str, Any]]:
        arguments: list[dict[str, Any]] = self.cleaned_data["arguments"]
        names = [argument["name"] for argument in arguments]
        for name in dict.fromkeys(names):
            if names.count(name) > 1:
                raise ValidationError(
                    _("The argument %(name)s is declared twice."),
                    code="repeated",
                    params={"name": name},
                )
        return arguments

    def clean(self) -> None:
        """Every name that is used is declared, and the other way round."""
        if self.errors:
            return
        declared = {argument["name"] for argument in self.cleaned_data["arguments"]}
        used = {
            name
            for message in self.cleaned_data["messages"]
            for name in Template(message["text"]).names
        }
        for name in sorted(used - declared):
            text = _("The template uses %(name)s, which is not declared.")
            self.add_error("arguments", ValidationError(text, params={"name": name}))
        for name in sorted(declared - used):
            text = _("No message uses the argument %(name)s.")
            self.add_error("arguments", ValidationError(text, params={"name": name}))


class PromptKind(EntryKind):
    name = "prompt"
    label = _("prompt")
    summary = _(
        "A prompt of one or more messages, with arguments that the client fills in."
    )
    makes = "prompts"
    form = PromptForm

    def build(self, made: Made) -> Prompt:
        templates = _templates(made.spec)
        arguments = made.spec["arguments"]

        async def fill_in(**values: str) -> list[Message]:
            return _messages(templates, values)

        return Prompt.of(
            declared(fill_in, map(_parameter, arguments), list[Message]),
            name=made.key,
            title=made.title or None,
            description=made.description,
            completions={
                argument["name"]: argument["values"]
                for argument in arguments
                if argument["values"]
            },
        )


def filled_in(spec: Mapping[str, Any], values: Mapping[str, str]) -> list[Message]:
    """Return the messages of a prompt with ``values`` for all of its arguments.

    Raises ProtocolError (-32602) for values that make no prompt.
    """
    return _messages(_templates(spec), values)


def _templates(spec: Mapping[str, Any]) -> list[tuple[str, Template]]:
    return [
        (message["role"], Template(message["text"])) for message in spec["messages"]
    ]


def _parameter(argument: Mapping[str, Any]) -> Parameter:
    annotation = Annotated[str, Field(description=argument["description"] or None)]
    default = Parameter.empty if argument["required"] else ""
    return parameter(argument["name"], annotation, default)


def _messages(
    templates: list[tuple[str, Template]], values: Mapping[str, str]
) -> list[Message]:
    """Return the messages that are not blank.

    Raises ProtocolError (-32602) where none is left, or too much: a template that
    uses a long value many times is no way to make the server run out of memory.
    """
    left = MAX_PROMPT_CHARS
    messages: list[Message] = []
    for role, template in templates:
        pieces: list[str] = []
        for piece in template.render(values):
            left -= len(piece)
            if left < 0:
                raise invalid_params(
                    f"with these arguments the prompt has more than "
                    f"{MAX_PROMPT_CHARS} characters"
                )
            pieces.append(piece)
        text = "".join(pieces).strip()
        if text:
            messages.append({"role": role, "content": text})
    if not messages:
        raise invalid_params("with these arguments the prompt is empty")
    return messages
