"""The same with Django: django_login.py PORT database|cookie FOLDER."""

from __future__ import annotations

import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path
from pages import ABOUT, FORM, ITEMS, SECRET, greeting, item
from werkzeug.serving import make_server

ENGINES = {"database": "db", "cookie": "signed_cookies"}


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(greeting(request.session.get("username")))


def login(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        request.session["username"] = request.POST["username"]
        return HttpResponseRedirect("/", status=303)
    get_token(request)
    return HttpResponse(FORM)


def logout(request: HttpRequest) -> HttpResponse:
    request.session.flush()
    return HttpResponseRedirect("/", status=303)


def visits(request: HttpRequest) -> HttpResponse:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse({"visits": request.session["visits"]})


def items(request: HttpRequest, number: int) -> HttpResponse:
    return JsonResponse(item(number)) if 0 < number <= ITEMS else HttpResponse("no such item", status=404)


def about(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ABOUT, headers={"Cache-Control": "public, max-age=60"})


urlpatterns = [
    path("", index),
    path("login", login),
    path("logout", logout),
    path("visits", visits),
    path("items/<int:number>", items),
    path("about", about),
]

if __name__ == "__main__":
    settings.configure(
        ALLOWED_HOSTS=["*"],
        SECRET_KEY=SECRET,
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.sessions"],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        SESSION_ENGINE=f"django.contrib.sessions.backends.{ENGINES[sys.argv[2]]}",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{sys.argv[3]}/database"}},
        USE_TZ=True,
    )
    django.setup()
    if sys.argv[2] == "database":
        call_command("migrate", verbosity=0)
    make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), threaded=True).serve_forever()
