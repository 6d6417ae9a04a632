"""A receiver of alerts in Django, in one file: `python django_receiver.py runserver`.

In a project of yours only the view and its line in `urlpatterns` are needed.
"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from exosphere_alerts import VerificationError, verify

SECRET = os.environ["ALERTS_SECRET"]


# The signature says who sent it; there is no form and no cookie that a token could stand for.
@csrf_exempt
@require_POST
def hook(request: HttpRequest) -> HttpResponse:
    try:
        alert = verify(SECRET, request.body, request.headers)
    except VerificationError as error:
        return HttpResponse(str(error), status=401)
    print(alert["id"], alert["type"], alert["workflow"].get("graph_name"))
    return HttpResponse(status=204)


urlpatterns = [path("hook", hook)]

if not settings.configured:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1", "testserver"])
application = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
