"""A file below the folder of the settings, read as a resource.

Spec: 2026-07-28 server/resources.
"""

from __future__ import annotations

from mimetypes import guess_type

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from mcp_transport.engine.errors import ResourceNotFound, ToolError
from mcp_transport.engine.resource import Resource
from mcp_transport.protocol.content import OCTET_STREAM
from tools_app.kinds.confined import TooLarge, check_path, files_root, read_file
from tools_app.kinds.fields import MediaTypeField
from tools_app.kinds.kind import EntryKind, Made
from tools_app.kinds.uri import check_uri

MAX_FILE_BYTES = 1_048_576
_TEXTUAL = (
    "application/json",
    "application/xml",
    "application/yaml",
    "application/javascript",
    "application/toml",
    "image/svg+xml",
)


class FileForm(forms.Form):
    path = forms.CharField(
        label=_("Path"),
        max_length=1024,
        widget=forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false"}),
        help_text=_(
            "Below the folder that the setting MCP_FILES_ROOT names, such as "
            "handbook/hours.md. 1 MiB at most."
        ),
    )
    mime_type = MediaTypeField(
        label=_("Media type"),
        max_length=255,
        required=False,
        help_text=_("Blank: as the name of the file says."),
    )

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            read_file(files_root(), check_path(path), MAX_FILE_BYTES)
        except TooLarge:
            raise ValidationError(
                _("The file has more than %(most)d bytes."),
                code="too_large",
                params={"most": MAX_FILE_BYTES},
            ) from None
        except PermissionError:
            raise ValidationError(
                _("The server may not read this file."), code="unreadable"
            ) from None
        except OSError:
            raise ValidationError(
                _("There is no such file below the folder."), code="missing"
            ) from None
        except ValueError as error:
            raise ValidationError(str(error), code="not_acceptable") from None
        return path


class FileKind(EntryKind):
    name = "file"
    label = _("file")
    summary = _("A resource that is a file of the server, below MCP_FILES_ROOT.")
    makes = "resources"
    form = FileForm

    def build(self, made: Made) -> Resource:
        root, path = files_root(), check_path(made.spec["path"])
        mime_type = made.spec["mime_type"] or guess_type(path.name)[0] or OCTET_STREAM

        def read() -> str | bytes:
            """The file may have changed since it was chosen: all is checked anew."""
            try:
                data = read_file(root, path, MAX_FILE_BYTES)
            except FileNotFoundError:
                raise ResourceNotFound from None
            except TooLarge:
                raise ToolError(
                    f"The file has more than {MAX_FILE_BYTES} bytes and is not served."
                ) from None
            return _text_of(data) if _is_textual(mime_type) else data

        return Resource.of(
            read,
            check_uri(made.key),
            name=made.title or made.key,
            title=made.title or None,
            description=made.description,
            mime_type=mime_type,
        )


def _is_textual(mime_type: str) -> bool:
    plain = mime_type.partition(";")[0].strip().lower()
    return (
        plain.startswith("text/")
        or plain in _TEXTUAL
        or plain.endswith(("+json", "+xml", "+yaml"))
    )


def _text_of(data: bytes) -> str | bytes:
    """Return the text, or the bytes where they are no UTF-8 after all."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data
