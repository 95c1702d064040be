"""Ask the web server in this container whether it is alive; the exit code tells."""

import os
import urllib.error
import urllib.request

try:
    urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/healthz", timeout=4).close()
except urllib.error.HTTPError as answer:
    # Refused, as where ALLOWED_HOSTS does not name 127.0.0.1, is alive.
    if answer.code >= 500:
        raise
