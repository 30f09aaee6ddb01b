"""What may be said of an entry: the validators of its row's fields.

None of the codes is "invalid": a field would put its own words in place.
"""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mcp_transport.engine.entry import is_permission
from mcp_transport.engine.tool import HINTS
from mcp_transport.protocol.naming import check_text
from tools_app.scopes import EVERYTHING, is_scope

MAX_TAGS = 50
# Of resources. Spec: 2026-07-28 server/resources #annotations.
AUDIENCES = ("user", "assistant")
_TAG = re.compile(r"\w[\w.:/-]{0,49}")

PERMISSION_HELP = _(
    "What Django must grant to the user of a token, such as shop.view_order."
)
SCOPE_HELP = _("What a token must grant, such as tools:call:refund.")
TIMEOUT_HELP = _("How long one call may take.")


def validate_visible(value: str) -> None:
    """Raises ValidationError for text that its reader would not see all of."""
    try:
        check_text(value)
    except ValueError as error:
        raise ValidationError(str(error), code="hidden") from None


def validate_argument_descriptions(value: Any) -> None:
    """Check the JSON value: texts by the names of arguments."""
    if not isinstance(value, dict) or not all(
        isinstance(text, str) for text in value.values()
    ):
        raise ValidationError(
            _("Give an object of texts by the names of arguments."),
            code="not_an_object",
        )
    for text in value.values():
        validate_visible(text)


def validate_tags(value: Any) -> None:
    """Check the JSON value: a list of tags, none twice, or None."""
    if value is None:
        return
    if not isinstance(value, list):
        raise ValidationError(_("Give a list of strings."), code="not_a_list")
    for tag in value:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            raise ValidationError(
                _(
                    "%(tag)r is no tag: begin with a letter or digit, then letters, "
                    'digits, "_", ".", ":", "/" and "-", 50 at most.'
                ),
                code="not_a_tag",
                params={"tag": tag},
            )
    if len(set(value)) < len(value):
        raise ValidationError(_("A tag is listed twice."), code="repeated")
    if len(value) > MAX_TAGS:
        raise ValidationError(
            _("There may be %(most)d tags at most."),
            code="too_many",
            params={"most": MAX_TAGS},
        )


def validate_permission(value: str) -> None:
    if value and not is_permission(value):
        raise ValidationError(
            _("Write an app and a permission, such as shop.view_order."),
            code="not_a_permission",
        )


def validate_scope(value: str) -> None:
    if value and (not is_scope(value) or value == EVERYTHING):
        raise ValidationError(
            _(
                "%(scope)r is not the scope of an entry: write names of letters, "
                'digits, "_", "." and "-" joined by colons, such as tools:call:refund.'
            ),
            code="not_a_scope",
            params={"scope": value},
        )


def validate_annotations(value: Any) -> None:
    """Check the JSON value: hints of tools, audience and priority of resources."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise ValidationError(_("Give an object."), code="not_an_object")
    for name, said in value.items():
        if not _acceptable(name, said):
            raise ValidationError(
                _("%(name)s cannot be %(said)r."),
                code="not_an_annotation",
                params={"name": name, "said": said},
            )


def _acceptable(name: str, said: Any) -> bool:
    if name in HINTS:
        return isinstance(said, bool)
    if name == "audience":
        return isinstance(said, list) and all(one in AUDIENCES for one in said)
    if name == "priority":
        return type(said) in (int, float) and 0 <= said <= 1
    return False
