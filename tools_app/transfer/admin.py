"""Export and import in the admin of the catalogue."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tools_app.catalogue.entry import CatalogueEntry
from tools_app.transfer.document import BadDocument, Item, exported, read, written
from tools_app.transfer.importing import Action, Outcome, Refused, bring_in, preview

FILE_NAME = "catalogue.json"
_SAID = {
    Action.CREATED: _("created"),
    Action.CHANGED: _("changed"),
    Action.UNCHANGED: _("unchanged"),
    Action.REFUSED: _("refused"),
}


class FileForm(forms.Form):
    file = forms.FileField(
        label=_("File"), help_text=_("As another stage has exported it.")
    )

    def clean_file(self) -> str:
        return _checked(self.cleaned_data["file"].read())


class DocumentForm(forms.Form):
    """The text of a file that was looked at, on its way back to be imported."""

    document = forms.CharField(widget=forms.HiddenInput, strip=False)

    def clean_document(self) -> str:
        return _checked(self.cleaned_data["document"].encode())


class TransferAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What an admin of CatalogueEntry is besides, for entries to come and to go."""

    @admin.action(description=_("Export selected entries"), permissions=["view"])
    def export_selected(
        self, request: HttpRequest, queryset: QuerySet[CatalogueEntry]
    ) -> HttpResponse:
        text = written(exported(queryset))
        response = HttpResponse(text, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
        return response

    def has_import_permission(self, request: HttpRequest) -> bool:
        """An import makes entries and changes them."""
        return self.has_add_permission(request) and self.has_change_permission(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_import = self.has_import_permission(request)
        return super().changelist_view(
            request, {"may_import": may_import, **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_import"
        return [path("import/", view, name=name), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file, show what it would change, and on a second POST change it."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method == "POST" and "document" in request.POST:
            document = DocumentForm(request.POST)
            if document.is_valid():
                return self._import(request, document.cleaned_data["document"])
            complaints = document.errors["document"]
            return self._page(request, FileForm(), complaints=complaints)
        sent = request.method == "POST"
        form = FileForm(request.POST, request.FILES) if sent else FileForm()
        if form.is_valid():
            text = form.cleaned_data["file"]
            return self._show(request, text, preview(_items(text), request.user))
        return self._page(request, form)

    def _import(self, request: HttpRequest, text: str) -> HttpResponse:
        try:
            outcomes = bring_in(
                _items(text),
                lambda outcome: self._record(request, outcome),
                request.user,
            )
        except Refused as error:
            # What was shown is no longer so: others have changed entries meanwhile.
            return self._show(request, text, error.outcomes)
        counts = Counter(outcome.action for outcome in outcomes)
        said = gettext(
            "Imported: %(created)d created, %(changed)d changed, "
            "%(unchanged)d unchanged."
        ) % {action.value: counts[action] for action in Action}
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(
            reverse(
                f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist",
                current_app=self.admin_site.name,
            )
        )

    def _record(self, request: HttpRequest, outcome: Outcome) -> None:
        """Enter what an import does to an entry in its history."""
        if outcome.row is None:
            return
        if outcome.action is Action.CREATED:
            self.log_addition(request, outcome.row, gettext("Imported."))
        else:
            said = gettext("Imported: %s.") % ", ".join(outcome.fields)
            self.log_change(request, outcome.row, said)

    def _show(self, request: HttpRequest, text: str, outcomes: Any) -> HttpResponse:
        rows = [
            {
                "action": outcome.action.value,
                "said": _SAID[outcome.action],
                "kind": outcome.item.kind,
                "key": outcome.item.key,
                "details": outcome.problems or outcome.fields,
            }
            for outcome in outcomes
        ]
        actions = {outcome.action for outcome in outcomes}
        context = {
            "rows": rows,
            "refused": Action.REFUSED in actions,
            "changes": bool(actions & {Action.CREATED, Action.CHANGED}),
            "document": DocumentForm(initial={"document": text}),
        }
        return self._page(request, FileForm(), **context)

    def _page(
        self, request: HttpRequest, form: forms.Form, **context: Any
    ) -> HttpResponse:
        return render(
            request,
            "tools_app/entries_import.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": gettext("Import entries"),
                "form": form,
                **context,
            },
        )


def _checked(data: bytes) -> str:
    """Raises ValidationError, naming all that is wrong."""
    try:
        read(data)
    except BadDocument as error:
        raise ValidationError(
            [ValidationError(problem, code="bad") for problem in error.problems]
        ) from None
    return data.decode()


def _items(text: str) -> list[Item]:
    return read(text.encode())
