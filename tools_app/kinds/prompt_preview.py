"""How a prompt reads before it is saved, with values to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.translation import gettext

from mcp_transport.protocol.errors import ProtocolError
from tools_app.kinds.prompt import PromptForm, PromptKind, filled_in

# The prefixes of what the page of the entry sends, and of the values to try.
SPEC, SAMPLE = "spec", "sample"


class PromptPreviewAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What an admin of CatalogueEntry is besides: the page of an entry sends its
    form here, to be looked at and not saved.
    """

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_preview"
        return [path("preview/", view, name=name), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        source = getattr(context["adminform"].form, "source", "")
        context["may_preview"] = source == PromptKind.name and self._may(request)
        return super().render_change_form(request, context, *args, **options)

    def _may(self, request: HttpRequest) -> bool:
        may_add = self.has_add_permission(request)
        return may_add or self.has_change_permission(request)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        if not self._may(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        form = PromptForm(request.POST, prefix=SPEC)
        context = (
            _previewed(request, form.cleaned_data)
            if form.is_valid()
            else {"complaints": _complaints(form)}
        )
        return render(
            request,
            "tools_app/prompt_preview.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": gettext("Preview"),
                "sent": [
                    (name, value)
                    for name, value in request.POST.items()
                    if name.startswith(f"{SPEC}-")
                ],
                **context,
            },
        )


def _previewed(request: HttpRequest, spec: Mapping[str, Any]) -> dict[str, Any]:
    samples = _sample_form(spec["arguments"])
    tried = any(name.startswith(f"{SAMPLE}-") for name in request.POST)
    form = samples(request.POST if tried else None, prefix=SAMPLE)
    context: dict[str, Any] = {"form": form}
    values = {
        name: form.cleaned_data[name] if tried and form.is_valid() else field.initial
        for name, field in form.fields.items()
    }
    try:
        context["prompt_messages"] = filled_in(spec, values)
    except ProtocolError as error:
        context["complaints"] = [str(error)]
    return context


def _sample_form(arguments: list[dict[str, Any]]) -> type[forms.Form]:
    """Return a form with a field for each argument, and something to begin with."""
    fields = {
        argument["name"]: forms.CharField(
            label=argument["name"],
            help_text=argument["description"],
            required=False,
            strip=False,
            initial=_sample(argument),
            widget=forms.TextInput(attrs={"class": "vTextField"}),
        )
        for argument in arguments
    }
    return type("SampleForm", (forms.Form,), fields)


def _sample(argument: dict[str, Any]) -> str:
    if argument["values"]:
        first: str = argument["values"][0]
        return first
    return f"[{argument['name']}]" if argument["required"] else ""


def _complaints(form: forms.Form) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]
