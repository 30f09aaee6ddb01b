"""The REST interface: ``path("api/", include("tools_app.rest.urls"))``."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from tools_app.rest.access import ACCESS
from tools_app.rest.catalogue import CatalogueView
from tools_app.rest.entries import EntryView
from tools_app.rest.tickets import TicketView
from tools_app.rest.tokens import TokenViewSet

router = SimpleRouter()
router.register("tokens", TokenViewSet, basename="token")

app_name = "api"
urlpatterns = [
    *router.urls,
    path("tickets/", TicketView.as_view(), name="tickets"),
    path("catalogue/", CatalogueView.as_view(), name="catalogue"),
    path("catalogue/<str:kind>/<path:key>/", EntryView.as_view(), name="entry"),
    path(
        "schema/",
        SpectacularAPIView.as_view(**ACCESS),
        name="schema",
    ),
    path(
        "schema/page/",
        SpectacularSwaggerSplitView.as_view(
            **ACCESS,
            url_name="api:schema",
            template_name="tools_app/api.html",
        ),
        name="page",
    ),
]
