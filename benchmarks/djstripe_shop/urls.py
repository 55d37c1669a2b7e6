"""The webhook, and a page that says that the server is up."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("stripe/", include("djstripe.urls", namespace="djstripe")),
    path("healthz", lambda request: HttpResponse("ok")),
]
