"""Runs each line of SQL it reads on the embedded PostgreSQL in FOLDER and prints the answer's first value.

python -m tests.platform.programs.ask FOLDER [SETTING=VALUE...]
"""

import sys

import django
from django.conf import settings
from django.db import DatabaseError, connection


def configure(folder: str, server: dict[str, str]) -> None:
    options = {"cluster": folder, "server": server}
    database = {"ENGINE": "retention.embedded_postgres", "NAME": "retention", "OPTIONS": options}
    settings.configure(DATABASES={"default": database}, USE_TZ=True)
    django.setup()


def answer(sql: str) -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return str(cursor.fetchone()[0]) if cursor.description else "done"
    except DatabaseError as error:
        connection.close()
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    configure(sys.argv[1], dict(setting.split("=") for setting in sys.argv[2:]))
    for line in sys.stdin:
        print(answer(line).replace("\n", " "), flush=True)
