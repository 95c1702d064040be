"""A worker of its own: delivers to a mail server until it is killed. Arguments: database, port."""

import os
import sys

import django
from django.conf import settings


def main() -> None:
    database, port = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    settings.DATABASES["default"]["NAME"] = database
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(port)
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    django.setup()
    from campaigns.delivery.running import deliver  # noqa: PLC0415  # needs Django set up

    deliver(120)


if __name__ == "__main__":
    main()
