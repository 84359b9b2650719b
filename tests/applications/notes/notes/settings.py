"""Django's settings, for an instance and for a desk."""

import os
import secrets
from pathlib import Path

STATE = Path(os.environ.get("STATE_DIRECTORY", "."))

# Behind a load balancer the Host header may be an address; docs/packaging.md of bakeroll names all of them.
ALLOWED_HOSTS = ["*"]
SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(32)
INSTALLED_APPS = ["django.contrib.staticfiles", "notes"]
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "notes.urls"
WSGI_APPLICATION = "notes.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": STATE / "notes.sqlite"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = STATE / "static"
