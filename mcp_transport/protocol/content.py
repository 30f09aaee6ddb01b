"""What a tool, resource or prompt may give back, as content on the wire.

Everything is written in the richest form (2026-07-28); the revision that a
peer speaks takes away from it what that revision does not know.

Spec: 2026-07-28 server/tools #tool-result, server/resources #resource-contents.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

Annotations = Mapping[str, Any]  # audience, priority (0 to 1), lastModified
Meta = Mapping[str, Any]
Icon = Mapping[str, Any]  # src, mimeType, sizes, theme

TEXT_PLAIN = "text/plain"
OCTET_STREAM = "application/octet-stream"
APPLICATION_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Text:
    """A block of text."""

    text: str
    annotations: Annotations | None = None
    meta: Meta | None = None

    def to_json(self) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "text", "text": encodable(self.text)}
        return _with_common(block, self.annotations, self.meta)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: its raw bytes and their media type, such as ``image/png``."""

    data: bytes
    mime_type: str
    annotations: Annotations | None = None
    meta: Meta | None = None

    def to_json(self) -> dict[str, Any]:
        return _binary_block("image", self)


@dataclass(frozen=True, slots=True)
class Audio:
    """A sound: its raw bytes and their media type, such as ``audio/wav``."""

    data: bytes
    mime_type: str
    annotations: Annotations | None = None
    meta: Meta | None = None

    def to_json(self) -> dict[str, Any]:
        return _binary_block("audio", self)


@dataclass(frozen=True, slots=True)
class ResourceLink:
    """A resource by its address; it need not be among the listed ones.

    ``size`` is in bytes. Spec: 2026-07-28 server/tools #resource-links.
    """

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    icons: Sequence[Icon] = ()
    annotations: Annotations | None = None
    meta: Meta | None = None

    def to_json(self) -> dict[str, Any]:
        block: dict[str, Any] = {
            "type": "resource_link",
            "uri": self.uri,
            "name": encodable(self.name),
        }
        if self.title is not None:
            block["title"] = encodable(self.title)
        if self.description is not None:
            block["description"] = encodable(self.description)
        if self.mime_type is not None:
            block["mimeType"] = self.mime_type
        if self.size is not None:
            block["size"] = self.size
        if self.icons:
            block["icons"] = [dict(icon) for icon in self.icons]
        return _with_common(block, self.annotations, self.meta)


@dataclass(frozen=True, slots=True)
class EmbeddedResource:
    """A resource with its contents: either ``text`` or ``blob``, never both.

    ``annotations`` belong to the block and ``meta`` to the contents.
    Raises TypeError unless exactly one of ``text`` and ``blob`` is given.
    Spec: 2026-07-28 server/tools #embedded-resources.
    """

    uri: str
    text: str | None = None
    blob: bytes | None = None
    mime_type: str | None = None
    annotations: Annotations | None = None
    meta: Meta | None = None

    def __post_init__(self) -> None:
        if (self.text is None) == (self.blob is None):
            raise TypeError("EmbeddedResource takes either text= or blob=")

    def contents(self) -> dict[str, Any]:
        """Return the contents as ``resources/read`` gives them."""
        contents: dict[str, Any] = {"uri": self.uri}
        if self.mime_type is not None:
            contents["mimeType"] = self.mime_type
        if self.text is not None:
            contents["text"] = encodable(self.text)
        elif self.blob is not None:
            contents["blob"] = _base64(self.blob)
        return _with_common(contents, None, self.meta)

    def to_json(self) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "resource", "resource": self.contents()}
        return _with_common(block, self.annotations, None)


Content = Text | Image | Audio | ResourceLink | EmbeddedResource
CONTENT_TYPES = (Text, Image, Audio, ResourceLink, EmbeddedResource)


def is_content(value: object) -> bool:
    """Tell whether ``value`` is content to show rather than structured data.

    Content is None, a string, a content object, or a list or tuple of content
    objects and strings with at least one content object in it.
    """
    return value is None or isinstance(value, str | Content) or _is_sequence(value)


def to_blocks(value: object) -> list[dict[str, Any]]:
    """Return ``value`` as content blocks.

    What is not content becomes one block of text with its compact JSON.
    Raises TypeError naming the type of what JSON cannot say.
    """
    if value is None:
        return []
    if isinstance(value, str):
        return [{"type": "text", "text": encodable(value)}]
    if isinstance(value, Content):
        return [value.to_json()]
    if _is_sequence(value):
        return [block for item in value for block in to_blocks(item)]  # type: ignore[attr-defined]
    return [{"type": "text", "text": json_text(value)}]


def resource_contents(
    uri: str, value: object, mime_type: str | None = None
) -> list[dict[str, Any]]:
    """Return what reading ``uri`` gave as the ``contents`` of ``resources/read``.

    A string is text, bytes are a blob, an EmbeddedResource speaks for its own
    address, a list or tuple of EmbeddedResource gives several contents, and
    anything else is JSON. Without ``mime_type`` the media type is text/plain,
    application/octet-stream or application/json. Raises TypeError naming the
    type of what JSON cannot say.
    """
    if isinstance(value, EmbeddedResource):
        return [value.contents()]
    if isinstance(value, list | tuple) and any(
        isinstance(item, EmbeddedResource) for item in value
    ):
        return _many_contents(value)
    if isinstance(value, str):
        found = EmbeddedResource(uri, text=value, mime_type=mime_type or TEXT_PLAIN)
    elif isinstance(value, bytes | bytearray | memoryview):
        blob = bytes(value)
        found = EmbeddedResource(uri, blob=blob, mime_type=mime_type or OCTET_STREAM)
    else:
        text = json_text(value)
        found = EmbeddedResource(
            uri, text=text, mime_type=mime_type or APPLICATION_JSON
        )
    return [found.contents()]


def encodable(text: str) -> str:
    """Return ``text`` so that UTF-8 can carry it.

    A pair of surrogates becomes the character that it stands for, and a lone
    surrogate, which no encoding can carry, U+FFFD.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_text(value: object) -> str:
    """Return the compact JSON of ``value``.

    NaN and infinities become null, bytes inside of a structure base64 (URL
    alphabet), and text is made encodable. Raises TypeError naming the type of what JSON
    cannot say.
    """
    if isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(
            f"{type(value).__name__} has no media type: return Image, Audio "
            "or EmbeddedResource"
        )
    try:
        try:
            return _to_json(value).decode()
        except PydanticSerializationError as error:
            if "surrogates not allowed" not in str(error):
                raise
            return _to_json(_jsonable(value)).decode()
    except ValueError as error:
        reason = str(error).removeprefix("Error serializing to JSON: ")
        name = type(value).__name__
        raise TypeError(f"{name} cannot be written as JSON: {reason}") from None


def encodable_tree(value: Any) -> Any:
    """Return ``value`` with every string in its dicts and lists made encodable."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable_tree(k): encodable_tree(item) for k, item in value.items()}
    if isinstance(value, list):
        return [encodable_tree(item) for item in value]
    return value


def _to_json(value: object) -> bytes:
    return to_json(value, inf_nan_mode="null", bytes_mode="base64", fallback=_refuse)


def _jsonable(value: object) -> Any:
    # Keys first, which pydantic would encode; then what only it can take apart.
    clean = encodable_tree(value)
    plain = to_jsonable_python(clean, bytes_mode="base64", fallback=_refuse)
    return encodable_tree(plain)


def _is_sequence(value: object) -> bool:
    return (
        isinstance(value, list | tuple)
        and all(isinstance(item, str | Content) for item in value)
        and any(isinstance(item, Content) for item in value)
    )


def _binary_block(kind: str, value: Image | Audio) -> dict[str, Any]:
    block = {"type": kind, "data": _base64(value.data), "mimeType": value.mime_type}
    return _with_common(block, value.annotations, value.meta)


def _with_common(
    block: dict[str, Any], annotations: Annotations | None, meta: Meta | None
) -> dict[str, Any]:
    if annotations is not None:
        block["annotations"] = dict(annotations)
    if meta is not None:
        block["_meta"] = dict(meta)
    return block


def _many_contents(values: Sequence[object]) -> list[dict[str, Any]]:
    contents = []
    for value in values:
        if not isinstance(value, EmbeddedResource):
            raise TypeError(
                "a list of several contents holds EmbeddedResource only, "
                f"not {type(value).__name__}"
            )
        contents.append(value.contents())
    return contents


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _refuse(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} has no JSON form")
