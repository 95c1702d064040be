"""Brings a file of customers in and prints this process's peak of memory in MB: `importer.py DATABASE FILE`."""

import os
import re
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402


def main(database: str, file: str) -> None:
    connection.settings_dict["NAME"] = database
    call_command("import", "customers", file)
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) // 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
