"""What is answered: the notes, and what load balancer and roller ask."""

import os

from django.http import HttpRequest, JsonResponse
from django.urls import path

from notes.models import Note


def notes(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"notes": list(Note.objects.values_list("text", flat=True))})


def health(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"notes": Note.objects.count()})


def version(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"version": os.environ.get("APPLICATION_VERSION", "")})


urlpatterns = [path("notes", notes), path("health", health), path("version", version)]
