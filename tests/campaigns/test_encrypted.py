"""E-mail to servers that want it encrypted, and only to those whose certificate is trusted."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import environ
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from campaigns.delivery.channels import Fate, smtp
from campaigns.delivery.running import deliver
from campaigns.enrolment import take_in
from campaigns.models import Message
from tests.campaigns import people
from tests.campaigns.sink import Sink, serving

pytestmark = pytest.mark.django_db
BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, BEGIN, END)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture(params=["smtp+ssl", "smtp+tls"])
def sink(request: pytest.FixtureRequest, settings: Any, certificate: Path) -> Iterator[Sink]:
    """A server that takes nothing in the clear: encrypted from the first byte, or after the greeting."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    how: dict[str, Any] = {"tls_context": context, "require_starttls": True}
    if request.param == "smtp+ssl":
        how = {"ssl_context": context}
    with serving(made := Sink(), **how) as port:
        url = environ.Env.email_url_config(f"{request.param}://127.0.0.1:{port}")
        for name, value in url.items():
            setattr(settings, name, value)
        settings.EMAIL_URL = url
        yield made


def test_it_works(sink: Sink, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "_trust", lambda: ssl.create_default_context(cafile=certificate))
    take_in(people.campaign(people.segment(rows=people.customers(9))))
    done = deliver(30)
    assert (done.fates[Fate.SENT], done.trouble) == (9, "")
    assert sorted(sink.recipients) == [f"c{n}@example.test" for n in range(1, 10)]


def test_a_server_that_anybody_could_be_gets_nothing(sink: Sink) -> None:
    take_in(people.campaign(people.segment(rows=people.customers(2))))
    assert "certificate verify failed" in deliver(30).trouble
    assert not sink.accepted
    assert set(Message.objects.values_list("state", flat=True)) == {"pending"}
