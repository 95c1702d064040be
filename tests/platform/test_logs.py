"""What a log line holds, and what never gets into one."""

import io
import json
import logging
from logging.config import DictConfigurator

from hypothesis import given
from hypothesis import strategies as st

from retention.common.links import sign
from retention.workspace.logs import MASK, logging_config, masked


class Lines:
    """A logger that writes as the product does, and what it wrote."""

    def __init__(self) -> None:
        config = logging_config("json", "INFO")
        formatter = DictConfigurator(config).configure_formatter(config["formatters"]["structured"])
        self.written = io.StringIO()
        handler = logging.StreamHandler(self.written)
        handler.setFormatter(formatter)
        self.log = logging.Logger("tests.logs")
        self.log.addHandler(handler)

    def last(self) -> dict[str, object]:
        line: dict[str, object] = json.loads(self.written.getvalue().splitlines()[-1])
        return line


def test_it_works() -> None:
    lines = Lines()
    lines.log.warning("import finished", extra={"rows": 12, "kind": "orders"})
    line = lines.last()
    assert line["timestamp"]
    assert {"event": "import finished", "rows": 12, "kind": "orders", "level": "warning"}.items() <= line.items()


def test_fields_with_telling_names_are_dropped() -> None:
    lines = Lines()
    lines.log.warning(
        "sent", extra={"recipient": "x", "first_name": "Ann", "email_address": "y", "task_name": "deliver"}
    )
    line = lines.last()
    assert "Ann" not in str(line)
    assert {"recipient", "first_name", "email_address"}.isdisjoint(line)
    assert line["task_name"] == "deliver"


def test_rows_that_the_database_quotes_are_masked() -> None:
    lines = Lines()
    told = "duplicate key\nDETAIL:  Failing row contains (7, c1, Ada Lovelace,\n  Ockham Park).\nmore"
    try:
        raise ValueError(told)
    except ValueError:
        lines.log.exception("it failed")
    line = str(lines.last())
    assert "Ada" not in line
    assert "Ockham" not in line
    assert "duplicate key" in line


def test_keys_in_links_are_masked() -> None:
    lines = Lines()
    lines.log.warning("Gone: %s", f"/s/{sign('survey', 123)}/")
    lines.log.warning("Gone: %s at 2026-11-21T10:11:12", "/account/password/reset/key/2-c0ffee-a1b2c3/")
    said = lines.written.getvalue()
    assert sign("survey", 123).split(":")[0] not in said
    assert "c0ffee" not in said
    assert "/s/[key]/" in said
    assert "2026-11-21T10:11:12" in said


def test_addresses_are_masked_in_messages_and_tracebacks() -> None:
    lines = Lines()
    try:
        raise ValueError("Key (email)=(bob@example.org) already exists")
    except ValueError:
        lines.log.exception("could not write to %s", "Ann <ann+x@example.co.uk>", extra={"to": ["c%40example.com"]})
    line = str(lines.last())
    assert "example." not in line
    assert "ValueError: Key" in line
    assert line.count(MASK) >= 3


@given(st.from_regex(r"[a-z0-9.+'_-]{1,20}@[a-z0-9-]{1,10}\.[a-z]{2,5}", fullmatch=True), st.text(), st.text())
def test_no_address_survives(address: str, before: str, after: str) -> None:
    assert address not in str(masked({"note": [f"{before} {address} {after}", {"deeper": address}]}))
