"""A page of the admin, as a browser sends back what stands in its fields."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.http import QueryDict

LINE_END = re.compile(r"\r?\n")
NOT_SENT = ("submit", "button", "file")


class Page(HTMLParser):
    """What a browser would send of the fields of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent = QueryDict(mutable=True)
        self._select = self._area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        kind = of.get("type", "text") if tag == "input" else tag
        if "name" not in of and tag != "option":
            return
        if kind == "checkbox" and "checked" in of:
            self.sent[of["name"]] = of.get("value", "on")
        elif tag == "input" and kind != "checkbox" and kind not in NOT_SENT:
            self.sent[of["name"]] = of.get("value", "")
        elif tag == "select":
            self._select = of["name"]
        elif tag == "option" and "selected" in of:
            self.sent[self._select] = of["value"]
        elif tag == "textarea":
            self._area = of["name"]
            self.sent[self._area] = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            # The first line break after the tag is none of the text.
            text = LINE_END.sub("\r\n", data).removeprefix("\r\n")
            self.sent[self._area] = f"{self.sent[self._area]}{text}"

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""
