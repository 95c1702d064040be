"""How many queries each page takes, pinned: a page takes the same number whatever the size of the data.

    def test_the_list_takes_a_fixed_number_of_queries(signed_in: SignIn) -> None:
        assert_query_count("customers list", signed_in("analyst"), "/customers/")

The figures are in query_counts.json. After a change that is meant, write them anew:
`PIN_QUERY_COUNTS=1 pytest tests`.
"""

import json
import os
from pathlib import Path

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

PINNED = Path(__file__).parent / "query_counts.json"


def assert_query_count(name: str, client: Client, url: str) -> None:
    """The page at `url` answers 200 and takes just as many queries as are pinned for `name`."""
    client.get(url)  # what is read once per process is read now
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, f"{url} answered {response.status_code}"
    counts = json.loads(PINNED.read_text()) if PINNED.exists() else {}
    if os.environ.get("PIN_QUERY_COUNTS"):
        PINNED.write_text(json.dumps({**counts, name: len(queries)}, indent=2, sort_keys=True) + "\n")
        return
    told = "\n".join(str(query["sql"])[:300] for query in queries.captured_queries)
    assert len(queries) == counts.get(name), f"{name}: {len(queries)} queries, pinned {counts.get(name)}\n{told}"
