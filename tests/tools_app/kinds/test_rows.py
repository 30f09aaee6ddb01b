from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from tests.tools_app.kinds.page import Page
from tools_app.kinds.fields import LinesField
from tools_app.kinds.rows import EXTRA_ROWS, RowsField

Json = dict[str, Any]


class Stop(forms.Form):
    place = forms.CharField(max_length=10)
    mode = forms.ChoiceField(choices=[("bus", "bus"), ("tram", "tram")], initial="bus")
    barred = forms.BooleanField(required=False)
    lines = LinesField(max_lines=3, required=False)


class Route(forms.Form):
    stops = RowsField(Stop, max_rows=3, label="stops")


STOPS: list[Json] = [
    {"place": "Market", "mode": "tram", "barred": True, "lines": ["4", "5 <x>"]},
    {"place": "Port", "mode": "bus", "barred": False, "lines": []},
]


def sent_by(form: forms.Form) -> QueryDict:
    return Page(form.as_p()).sent


def test_a_page_sends_back_what_it_was_given() -> None:
    sent = sent_by(Route(initial={"stops": STOPS}, prefix="spec"))
    back = Route(sent, initial={"stops": STOPS}, prefix="spec")
    assert back.is_valid(), back.errors
    assert back.cleaned_data == {"stops": STOPS}
    assert not back.has_changed()


def test_blank_rows_are_offered_as_far_as_there_may_be_rows() -> None:
    def rows(count: int) -> str:
        initial = {"stops": [STOPS[1]] * count}
        return str(sent_by(Route(initial=initial))["stops-rows"])

    assert (rows(0), rows(1), rows(3)) == (str(EXTRA_ROWS), "3", "3")


def test_a_row_that_is_filled_in_is_added_and_one_that_is_cleared_is_gone() -> None:
    sent = sent_by(Route(initial={"stops": STOPS}))
    sent["stops-2-place"] = "Hill"
    for field in ("place", "lines"):
        sent[f"stops-0-{field}"] = ""
    sent["stops-0-mode"] = "bus"
    del sent["stops-0-barred"]
    form = Route(sent, initial={"stops": STOPS})
    assert form.is_valid(), form.errors
    assert [row["place"] for row in form.cleaned_data["stops"]] == ["Port", "Hill"]
    assert form.has_changed()


def test_what_was_sent_is_shown_again_with_its_complaints() -> None:
    sent = sent_by(Route(initial={"stops": STOPS}))
    sent["stops-1-place"] = "<b>far too long</b>"
    form = Route(sent)
    assert not form.is_valid()
    (complaint,) = form.errors["stops"]
    assert "row 2, Place" in str(complaint)
    assert sent_by(form) == sent
    assert "<b>" not in form.as_p()


def test_a_count_that_no_page_sends_makes_no_work() -> None:
    for count in ("9999999999", "4", "-1", "x", "٣", ""):
        form = Route(QueryDict(f"stops-rows={count}"))
        assert not form.is_valid()
    sent = sent_by(Route(initial={"stops": [STOPS[1]] * 3}))
    sent["stops-rows"] = "99999"
    sent["stops-3-place"] = "one more"
    assert "3 rows" in str(Route(sent).errors["stops"])


def test_no_row_at_all_is_said() -> None:
    assert "required" in str(Route(sent_by(Route())).errors["stops"])
