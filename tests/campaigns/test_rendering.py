"""Users' texts: filled in, limited, and never able to reach a header or a secret."""

import email
import email.policy
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rendering import sandbox as sandboxing
from campaigns.rendering.composing import Addresses, BadAddress, compose, frame, wire_address
from campaigns.rendering.sandbox import Broken, Rendered, Sandbox, Texts, Unfit
from campaigns.rendering.variables import CATALOGUE, about
from retention.common import clock
from retention.workspace.models import Workspace
from tests.campaigns import people

# A program that says it is ready, waits for work, and then does what follows.
READY = "import os; os.write(1, b'\\0\\0\\0\\x07\"ready\"'); os.read(0, 4);"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    made = Sandbox()
    yield made
    made.close()


def body(sandbox: Sandbox, text: str, **variables: object) -> str:
    """The HTML of a text, or what is wrong with it."""
    (result,) = sandbox.render(Texts("", "", text), [variables], strict=True)
    return result.reason if isinstance(result, Unfit) else "".join(result.pieces)


def test_it_works(sandbox: Sandbox) -> None:
    text = Texts(
        "Hello {{ customer.name }}",
        "For {{ customer.name }}",
        '<p>Hi {{ customer.name }}: <a href="{{ u }}">go</a></p>',
    )
    (result,) = sandbox.render(text, [{"customer": {"name": "Ann & <b>Bob</b>"}, "u": "https://a.example/?x=1&y=2"}])
    assert isinstance(result, Rendered)
    assert result.subject == "Hello Ann & <b>Bob</b>"
    assert result.pieces == [
        '<p>Hi Ann &amp; &lt;b&gt;Bob&lt;/b&gt;: <a href="',
        "https://a.example/?x=1&y=2",
        '">go</a></p>',
    ]
    assert result.text == "Hi Ann & <b>Bob</b>: go (https://a.example/?x=1&y=2)"


def test_an_unknown_variable_is_an_error_in_preview_only(sandbox: Sandbox) -> None:
    assert body(sandbox, "<p>\n{{ custmer.name }}</p>") == "'custmer' is undefined (line 2)"
    assert body(sandbox, "{{ a.b | default: 'nothing' }}", a={}) == "nothing"
    (lenient,) = sandbox.render(Texts("", "", "[{{ custmer.name }}]"), [{}])
    assert isinstance(lenient, Rendered)
    assert lenient.pieces == ["[]"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ (1..100000000) | join: 'x' }}",
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..999) %}{% for j in (1..999) %}{% for k in (1..999) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}"
        + "{% assign a = a | append: a | append: a | append: a | append: a | append: a | append: a %}" * 12
        + "{{ a }}",
        "{% for i in (1..900) %}{% capture a %}{{ (1..9000) | join: 'yyyyyyyyyyyyyyy' }}{% endcapture %}{% endfor %}",
    ],
)
def test_what_would_never_end_is_stopped(sandbox: Sandbox, text: str) -> None:
    began = time.monotonic()
    reason = body(sandbox, text)
    assert "too much" in reason or "limit" in reason
    assert time.monotonic() - began < 30
    assert body(sandbox, "still {{ a }}", a="here") == "still here"


def test_one_bad_customer_does_not_spoil_the_batch(sandbox: Sandbox) -> None:
    people_ = [{"n": 1}, {"n": 100_000_000}, {"n": 2}]
    results = sandbox.render(Texts("", "", "{{ (1..n) | join: ',' }}"), people_)
    assert [isinstance(result, Rendered) for result in results] == [True, False, True]


def test_a_text_that_always_takes_too_much_does_not_hold_a_worker_up(sandbox: Sandbox) -> None:
    began = time.monotonic()
    results = sandbox.render(Texts("", "", "{{ (1..100000000) | join: ',' }}"), [{}] * 200)
    assert all(isinstance(result, Unfit) for result in results)
    assert time.monotonic() - began < 60  # a second for each of them would be 200


@pytest.mark.parametrize(
    "text",
    [
        "{{ customer.__class__ }}",
        "{{ customer.name.__class__.__mro__ }}",
        "{{ settings.SECRET_KEY }}",
        "{{ request.user.password }}",
        "{% include '/etc/passwd' %}",
        "{% render '../retention/settings.py' %}",
        "{% load static %}",
        "{{ ''.__class__ }}",
        "{{ customer | map: '__class__' }}",
    ],
)
def test_nothing_but_the_variables_can_be_reached(sandbox: Sandbox, text: str) -> None:
    (result,) = sandbox.render(Texts("", "", text), [{"customer": {"name": "Ann"}}])
    shown = result.reason if isinstance(result, Unfit) else "".join(result.pieces)
    for secret in ("class '", "object at", "root:", "SECRET", "django"):
        assert secret not in shown


def test_the_rendering_process_has_no_environment(sandbox: Sandbox) -> None:
    sandbox.render(Texts("", "", ""), [{}])
    process = sandbox._process
    assert process is not None
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"DJANGO" not in environment
    assert b"SECRET" not in environment
    assert os.environ.get("PATH", "").encode() not in environment


def test_it_is_started_again_after_a_kill(sandbox: Sandbox) -> None:
    body(sandbox, "x")
    assert sandbox._process is not None
    sandbox._process.kill()
    sandbox._process.wait()
    assert body(sandbox, "y") == "y"


@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        ("raise SystemExit(1)", "does not start"),
        (READY + "os.kill(os.getpid(), 9)", "was killed"),
        (READY + "os.kill(os.getpid(), 15)", "was killed"),
    ],
)
def test_a_text_is_not_judged_by_a_process_that_is_broken(
    program: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(sandboxing, "PROGRAM", tmp_path / "program.py")
    sandbox = Sandbox()
    for _ in range(2):
        with pytest.raises(Broken, match=complaint):
            sandbox.render(Texts("", "", "x"), [{}])
    monkeypatch.undo()
    assert body(sandbox, "x") == "x"
    sandbox.close()


def test_a_process_that_says_nothing_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "program.py").write_text("import time; time.sleep(600)")
    monkeypatch.setattr(sandboxing, "PROGRAM", tmp_path / "program.py")
    monkeypatch.setattr(sandboxing, "PATIENCE", 1)
    with pytest.raises(Broken, match="said nothing for 1 seconds"):
        Sandbox().render(Texts("", "", "x"), [{}])


def test_styles_are_put_where_mail_programs_read_them(sandbox: Sandbox) -> None:
    assert 'style="color: red;"' in body(sandbox, "<style>p { color: red }</style><p>x</p>")


@pytest.mark.django_db
def test_the_catalogue_names_what_there_is() -> None:
    (customer,) = people.customers(1, attributes={"size": 5, "nested": {"no": 1}}, tags=["a"])
    values = about([customer.pk], Workspace.current(), clock.now())[customer.pk]
    for variable in CATALOGUE:
        room, _, name = variable.name.partition(".")
        if room in ("survey", "unsubscribe_url"):
            continue  # a message's own
        assert name.removesuffix(".…") in values[room], variable.name
    assert values["customer"]["attributes"] == {"size": 5}
    assert values["customer"]["first_name"] == "Customer"


EVIL = st.text(alphabet=st.sampled_from('ab \r\n\0\x0b\x85\u2028:<>@=?é.,\t\\"'), max_size=60)
WORDS = ["x", "", "https://a.example"]


@given(subject=EVIL, name=EVIL, text=EVIL, preheader=EVIL)
def test_no_text_can_add_a_header_or_break_a_line(subject: str, name: str, text: str, preheader: str) -> None:
    around = frame(
        Workspace(name=name, sender_name=name, postal_address=name, sender_address="a@b.example"), clock.now()
    )
    rendered = Rendered(subject, preheader, [text, "https://a.example/", text], text)
    addresses = Addresses(["https://c.example/"], "https://u.example/", "https://o.example/x.gif")
    content = compose(around, rendered, "to@c.example", "k" * 64, addresses)
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
    assert max(map(len, content.split(b"\r\n"))) <= 998
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert mail.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "MIME-Version",
        "Content-Type",
    ]
    assert mail["To"] == "to@c.example"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert "https://u.example/" in str(mail["List-Unsubscribe"])


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b.c",
        "a@",
        "a b@c.d",
        "a@b c",
        "a\r\nb@c.d",
        "a@b\n.c",
        "<a@b.c>",
        "a@b.c>",
        "a,b@c.d",
        "é@b.c",
        '"a"@b.c',
    ],
)
def test_what_is_no_address_goes_nowhere(address: str) -> None:
    with pytest.raises(BadAddress):
        wire_address(address)


def test_a_domain_of_other_letters_goes_in_ascii() -> None:
    assert wire_address("info@münchen.example") == "info@xn--mnchen-3ya.example"
