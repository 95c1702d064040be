"""What load balancers and watchers are told."""

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import override_settings

from retention import celery_app
from retention.workspace import jobs


@pytest.fixture(autouse=True)
def empty_broker() -> None:
    celery_app.control.purge()


def test_it_works(client: Client, db: None) -> None:
    assert client.get("/healthz").json() == {"alive": True}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert told["ready"] is True
    assert told["backlog"] == {"jobs": 0, "events": 0, "messages": 0, "playbook steps": 0, "broker": 0}
    assert "no-store" in answer["Cache-Control"]


def test_the_backlog_is_counted(client: Client, db: None) -> None:
    jobs.enqueue("import", "An import", {})
    assert client.get("/readyz").json()["backlog"]["jobs"] == 1


def test_alive_asks_nothing_of_the_database(client: Client) -> None:
    """No `db` fixture: a query would be refused."""
    assert client.get("/healthz").status_code == 200


def test_without_a_database(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("could not connect")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "ensure_connection", refuse)
        patched.setattr(connection, "close", lambda: None)
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "unreachable"


def test_without_a_broker(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(celery_app.conf, "broker_read_url", "redis://127.0.0.1:9/0")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() | {"backlog": None} == {
        "ready": False,
        "database": "ok",
        "broker": "unreachable",
        "backlog": None,
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_plain_http_is_answered_where_the_rest_wants_https(client: Client, db: None, path: str) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True):
        assert client.get(path).status_code == 200
        assert client.get("/").status_code == 301


@pytest.mark.django_db  # whatever is posted is done in one transaction
def test_a_post_is_refused(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
