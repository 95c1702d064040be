"""`python -m retention.supervisor.prepare`: bring the database up to date, and load the demo into an empty one."""

import os
import sys

import django
from django.conf import settings
from django.core.management import CommandError, call_command

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention.settings")
    django.setup()
    try:
        call_command("migrate", interactive=False, verbosity=0)
        if settings.DEMO:
            call_command("load_demo", if_empty=True)
    except CommandError as error:
        sys.exit(str(error))
