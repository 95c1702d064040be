"""The search over everything."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from django.db import connection
from django.db.models import Value
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from customers import finding as rooms
from customers.models import Case, Contact, Customer, Interaction, Order, Product, Segment
from customers.records.filters import Filters, matching
from customers.records.pools import CONTACTS, CUSTOMERS, NOTES
from retention.common import clock, word_index
from retention.common.asking import Asking, hear, kept
from retention.common.marking import around, has_all, spans
from retention.common.text_search import BREAKS, SearchWords, folded, words_of
from retention.common.word_index import COMMON, Sample, beside, every, few, some
from retention.workspace import finding
from retention.workspace.templatetags.shell import marked
from tests.baseline import assert_query_count
from tests.customers.known import crowd, customer

SignIn = Callable[[str], Client]
BOX = {"HX-Request": "true", "HX-Target": "found"}


def shown(client: Client, typed: str) -> str:
    """What the box shows, without the marks."""
    text = client.get("/search/", {"q": typed}, headers=BOX).content.decode()
    return text.replace("<mark>", "").replace("</mark>", "")


def test_it_works(signed_in: SignIn) -> None:
    ada = customer("c-77", name="Ada Lovelace", email="ada@example.test")
    Order.objects.create(external_id="INV-900", customer=ada, ordered_at=clock.now(), currency="EUR")
    client = signed_in("marketer")
    part = client.get("/search/?q=love", headers=BOX).content.decode()
    assert "<html" not in part
    assert f'href="/customers/{ada.pk}/"' in part
    assert "Ada <mark>Love</mark>lace" in part
    assert "ada@example.test" in part
    page = client.get("/search/?q=INV-9").content.decode()
    assert "<html" in page
    assert "<mark>INV</mark>-<mark>9</mark>00" in page


def test_customers_contacts_notes_and_cases_are_found_with_the_place(signed_in: SignIn) -> None:
    acme = customer("acme", name="Acme", phone="+49 30 5550", attributes={"city": "Köln", "tags": ["Größe L"]})
    Contact.objects.create(customer=acme, name="Renée Ünal", role="Buyer", email="renee@acme.example")
    said = "We talked for an hour. " * 20 + "She wants the blue crane by May. " + "Then lunch. " * 20
    note = Interaction.objects.create(customer=acme, kind="note", happened_at=clock.now(), text=said)
    case = Case.objects.create(customer=acme, external_id="T-9", subject="Crane stuck", opened_at=clock.now())
    client = signed_in("analyst")
    found = shown(client, "crane")
    assert f'href="/customers/interactions/{note.pk}/"' in found
    assert "She wants the blue crane by May." in found
    assert len(found) < 2_000
    assert f'href="/cases/{case.pk}/"' in found
    assert "City: Köln" in shown(client, "koln")
    assert "Tags: Größe L" in shown(client, "GROSSE")
    assert "Phone: +49 30 5550" in shown(client, "5550")
    assert "Renée Ünal" in shown(client, "unal rene")
    assert "E-mail: renee@acme.example" in shown(client, "renee@acme.exa")
    assert "Buyer, Acme" in shown(client, "buyer")


def test_numbers_are_found_by_what_people_have_of_them(signed_in: SignIn) -> None:
    """Kept in E.164 or as somebody typed them: by the last digits, as dialled at home, and from the country's code."""
    customer("acme", name="Acme", phone="+493055501234")
    customer("bolt", name="Bolt", phone="(030) 666-05678")
    carl = customer("carl", name="Carl")
    Contact.objects.create(customer=carl, name="Carla", phone="+44 20 7946 0958")
    client = signed_in("analyst")
    for typed in (
        "1234",
        "50-1234",
        "030 5550 1234",
        "0305550",
        "+49 30 5550 1234",
        "+49 (30) 555",
        "0049 30 55501234",
    ):
        assert ("Phone: +493055501234" in shown(client, typed)) == (typed != "0305550"), typed
        assert ("Acme" in client.get("/customers/", {"q": typed}).content.decode()) == (typed != "0305550"), typed
    for typed in ("05678", "+49 30 66605678", "030 666 05678"):
        assert "Phone: (030) 666-05678" in shown(client, typed), typed
    for typed in ("0958", "020 7946 0958", "+44 20 7946 0958"):
        assert "+44 20 7946 0958" in shown(client, typed), typed
    for typed in ("234", "9999 1234", "x1234"):
        assert "Acme" not in shown(client, typed)
    for typed in ("1234", "030 5550 1234"):
        assert "Carla" not in shown(client, typed)


def test_whose_name_begins_so_comes_first_however_common_the_word_is(signed_in: SignIn) -> None:
    """Of so many that the words are not asked for; whose name goes on otherwise is found where they are few."""
    acme = customer("acme")
    crowd = [Customer(external_id=f"k{n:03}", name=f"Zoe {n:03}", email=f"mara{n}@x.test") for n in range(90)]
    Customer.objects.bulk_create([*crowd, *(Customer(external_id=f"m{n:02}", name=f"Mara {n:02}") for n in range(40))])
    Contact.objects.bulk_create(Contact(customer=acme, name=f"Zoe Mara {n:02}") for n in range(90))
    Contact.objects.bulk_create(Contact(customer=acme, name=f"Mara {n:02}", role="Buyer") for n in range(40))
    Contact.objects.filter(name="Mara 00").update(removed_at=clock.now())
    client = signed_in("analyst")
    found = re.findall(r">((?:Zoe )?Mara \d+)<", shown(client, "mara"))
    first = [f"Mara {n:02}" for n in range(finding.FEW + 1)]
    assert found == [*first[:-1], *first[1:]], "customers, then contacts without the one who was removed"
    assert "Zoe 007" in shown(client, "mara7@")
    assert "Zoe Mara 07" in shown(client, "mara 07 z")


def test_what_was_removed_is_not_found(signed_in: SignIn) -> None:
    acme, now = customer("acme", name="Acme"), clock.now()
    Contact.objects.create(customer=acme, name="Gone Person", removed_at=now)
    Interaction.objects.create(customer=acme, kind="note", happened_at=now, text="Gone note", removed_at=now)
    assert "Nothing has" in shown(signed_in("analyst"), "gone")


def test_the_best_come_first(signed_in: SignIn) -> None:
    customer("other", name="Somebody Jo", email="x@example.test")
    customer("x2", name="Joan Late")
    customer("x3", name="Jo")
    customer("jo", name="Zed")
    found = shown(signed_in("analyst"), "jo")
    places = [found.index(name) for name in ("Zed", ">Jo<", "Joan Late", "Somebody Jo")]
    assert places == sorted(places)


def test_of_many_notes_the_latest_come_first(signed_in: SignIn) -> None:
    ada, now = customer("ada"), clock.now()
    Interaction.objects.bulk_create(
        Interaction(customer=ada, kind="note", text=f"Crane {n:02}.", happened_at=now + timedelta(days=n - 60))
        for n in range(50)
    )
    client = signed_in("analyst")
    found = shown(client, "crane")
    places = [found.index(f"Crane {n}.") for n in (49, 48, 47, 46, 45, 44)]
    assert places == sorted(places)


@pytest.mark.parametrize("model", [Product, Segment])
def test_of_many_with_the_word_whose_name_it_is_comes_first(
    model: type[Product | Segment], signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["Lamp", "Lamp oil", *(f"Any lamp {number}" for number in range(2 * finding.FEW))]
    for number, name in enumerate(reversed(names)):
        more: dict[str, Any] = {"sku": f"x{number}"} if model is Product else {"rule": {}}
        model._default_manager.create(name=name, **more)
    client = signed_in("analyst")
    found = shown(client, "lamp")
    places = [found.index(f">{name}<") for name in names[:3]]
    assert places == sorted(places)
    monkeypatch.setattr(rooms, "_fit_of", lambda *_: Value(0))
    for question in (rooms._products, rooms._segments):
        monkeypatch.setattr(rooms, question.__name__, question.__wrapped__)  # put together anew
    assert ">Lamp<" not in shown(client, "lamp"), "the planted bug is found"


def test_too_little_and_nothing_are_said_so(signed_in: SignIn) -> None:
    customer("ada")
    client = signed_in("marketer")
    assert client.get("/search/?q=", headers=BOX).content == b""
    assert ">Ada<" in shown(client, "a")
    assert "Nothing has a word that begins with “zzz”" in shown(client, "zzz")
    assert "by the beginnings of their words" in client.get("/search/").content.decode()
    customer("wang", name="王")
    assert ">王<" in shown(client, "王")


def test_few_of_many_are_shown_and_more_on_the_page(signed_in: SignIn) -> None:
    crowd(40)
    client = signed_in("marketer")
    few_shown = client.get("/search/?q=person", headers=BOX).content.decode()
    assert few_shown.count('<a class="found-link" href') == finding.FEW
    assert 'href="/customers/?q=person"><span>See all customers for “person”' in few_shown
    assert "See all" not in client.get("/search/?q=person+0001", headers=BOX).content.decode()
    several = client.get("/search/?q=person+0001+example", headers=BOX).content.decode()
    assert 'href="/customers/?q=person%200001%20example"' in several.replace("+", "%20")
    assert client.get("/search/?q=person").content.decode().count('<a class="found-link" href') == finding.MANY


@pytest.mark.parametrize("planted", [False, True])
def test_of_three_common_words_the_latest_notes_come_first(
    planted: bool, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list has the rest of them, so that the few in the sample will not do."""
    monkeypatch.setattr(word_index, "COMMON", 1)
    if planted:
        monkeypatch.setattr(rooms, "NOTES", replace(NOTES, listed=True))
    ada, now = customer("ada"), clock.now()
    Interaction.objects.bulk_create(
        Interaction(id=10_000 + n, customer=ada, kind="note", text=f"Crane {n}. Delivery late.", happened_at=at)
        for n, at in enumerate(now - timedelta(hours=200 - n) for n in range(200))
    )
    found = signed_in("analyst").get("/search/?q=crane+delivery+late").content.decode().replace("<mark>", "")
    latest = re.findall(r"Crane</mark> (\d+)", found)
    assert (latest == [str(n) for n in range(199, 199 - finding.MANY, -1)]) is not planted


def test_who_has_the_address_comes_first_however_common_its_words_are(
    signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(word_index, "COMMON", 1)
    acme, bolt = customer("acme"), customer("bolt")
    alike = [Contact(customer=acme, name="Ann", email=f"ann@acme.example.{n}") for n in range(rooms.CANDIDATES + 10)]
    gone = Contact(customer=bolt, name="Gone Ann", email="ann@acme.example", removed_at=clock.now())
    right = Contact(customer=acme, name="Zoe", email="Ann@acme.example")
    Contact.objects.bulk_create([*alike, gone, right])
    found = shown(signed_in("analyst"), "ann@ACME.example")
    assert found.index(">Zoe<") < found.index(">Ann<")
    assert "Gone Ann" not in found


@pytest.mark.django_db
@pytest.mark.parametrize(("often", "hits"), [(500, 16), (100, 30), (900, 9), (1_000, 8), (COMMON, 30)])
def test_rows_are_looked_at_no_longer_than_asking_for_the_common_words_would_take(often: int, hits: int) -> None:
    """Three letters, of which the sample has three rows; where every word is common all three are asked for."""
    asking = few(CONTACTS, "p u l", 30, 7)
    next(asking)
    with pytest.raises(StopIteration) as done:
        asking.send([[{"pks": [1, 2, 3], "often": [COMMON, often, COMMON]}]])
    assert done.value.value["hits"] == hits
    assert (done.value.value["rest"] is None) == (often == COMMON)


def test_places_are_found_by_who_may_open_them(signed_in: SignIn) -> None:
    assert 'href="/settings/"' in shown(signed_in("administrator"), "setti")
    assert 'href="/settings/"' not in shown(signed_in("analyst"), "setti")


def test_what_is_typed_and_what_is_found_stay_text(signed_in: SignIn) -> None:
    customer("x", name="<script>x</script> <b>bold</b>")
    assert "<script>x" not in signed_in("marketer").get("/search/?q=<script>x").content.decode()
    assert "&lt;<mark>script</mark>&gt;" in signed_in("marketer").get("/search/?q=script").content.decode()
    assert signed_in("marketer").get("/search/?q=%27%22%5C").status_code == 200


def test_the_number_of_queries_is_fixed(signed_in: SignIn) -> None:
    client = signed_in("marketer")
    crowd(3)
    assert_query_count("search", client, "/search/?q=person")
    assert_query_count("search", client, "/search/?q=zzzz")
    assert_query_count("search for several words", client, "/search/?q=person+zzz+example")


@pytest.mark.parametrize(
    ("text", "typed", "found"),
    [
        ("Łódź Æther Straße", "lodz", ["Łódź"]),
        ("Łódź Æther Straße", "aeth strass", ["Æth", "Straß"]),
        ("Zoe\u0308 Zoë", "zoe", ["Zoe", "Zoë"]),
        ("O'Brien", "bri", ["Bri"]),
        ("Mara MARLO remark mar_mar", "mar", ["Mar", "MAR", "mar", "mar"]),
        ("Mara & Marlo", "mar marl", ["Mar", "Marl"]),
        ("A kilo", "\u212a \u017f", ["k"]),
        ("nothing", "thing", []),
    ],
)
def test_words_are_marked_whatever_their_accents(text: str, typed: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in spans(text, words_of(typed))] == found
    assert re.findall("<mark>(.*?)</mark>", marked(text, words_of(typed))) == [escape(each) for each in found]
    assert re.sub("</?mark>", "", marked(text, words_of(typed))) == escape(text)


def test_a_snippet_has_the_word() -> None:
    assert around("x " * 500 + "needle" + " y" * 500, ["needle"]).count("needle") == 1
    assert len(around("a" * 5_000 + " needle", ["needle"])) < 250


@given(text=st.text("aZéÑøŁßæŒİıđÜo\u0308 -@._'/<1", max_size=40))
@settings(max_examples=25)
@pytest.mark.django_db
def test_the_database_takes_a_text_for_the_same_words_as_we_do(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT tsvector_to_array({SearchWords.template % {'expressions': 'said'}})"
            " FROM (SELECT %s::text AS said) t",
            [text],
        )
        (words,) = cursor.fetchone()
    assert set(words_of(text)) <= set(words)
    assert len(words) == len({word for word in BREAKS.split(folded(text)) if word})


@pytest.fixture
def mixed() -> list[Customer]:
    """Three hundred with one of seven names, one of three cities, and one word that all have."""
    names, cities = ("Anna", "Bernd", "Çelik", "Dora", "Anneke", "Bo", "Ute"), ("Bonn", "Ulm", "Dörpen")
    made = Customer.objects.bulk_create(
        Customer(
            external_id=f"k{n}", name=f"{names[n * n % 7]} {cities[n % 3]}", attributes={"no": n}, email="a@b.test"
        )
        for n in range(300)
    )
    return [*made, *crowd(5)]


@pytest.mark.parametrize("limits", [(1, 1, 1, 0), (2, 4, 2, 1), (16, 1_024, 256, 100)])
@pytest.mark.django_db
def test_every_way_of_searching_finds_the_same(
    mixed: list[Customer], limits: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the sample, by the rare word alone, by all words, by walking: each gives what has all of the words."""
    for name, limit in zip(("RARE", "COMMON", "WALKED", "READ"), limits, strict=True):
        monkeypatch.setattr(word_index, name, limit)
    some_words = ("a", "an", "anna ulm", "celik dorp", "test bo", "person", "299", "zzz", "zzz b", "b u d a", "a an")
    addresses = (mixed[0].email, mixed[-1].email, "a@test", "anna@exa", "b@u", "@test b", "zzz@example.test")
    for typed in (*some_words, "anna ulm b", *addresses):
        words = words_of(typed)
        right = {row.pk for row in mixed if has_all(f"{row} {row.email} {row.external_id} {row.attributes}", words)}
        assert set(matching(Filters(q=typed)).values_list("pk", flat=True)) >= right
        for filtered in (every(CUSTOMERS, words), beside(CUSTOMERS, words), beside(CUSTOMERS, words, "id")):
            assert set(Customer.objects.filter(filtered).values_list("pk", flat=True)) == right
        ten, enough = hear([_chosen(typed, 0), _chosen(typed, 4)])
        assert ten <= right
        named = {row.pk for row in mixed if row.name.lower().startswith(typed)}
        assert len(ten | named) >= min(10, len(right))
        assert len(ten & named) >= min(10, len(named))
        assert len(ten - named) <= 10
        assert enough <= right
        at_least = 4 if len(words) < word_index.SEVERAL else 1
        assert min(at_least, len(right)) <= len(enough) <= 20


def test_a_word_with_more_rows_than_it_spares_is_not_asked_for() -> None:
    """As the name in an address of which the rest is nowhere in the sample."""
    assert Sample([], {"priya": 291, "vergilund": 0}).seeking() == ["vergilund"]
    assert Sample([], {"priya": 291, "vergilund": 30}).seeking() == ["priya", "vergilund"]


def _chosen(typed: str, enough: int) -> Asking[set[int]]:
    """Ten at most by their names and ten by their words."""
    chosen = yield from few(CUSTOMERS, typed, 10, enough)
    (rows,) = yield [kept(Customer.objects.filter(some(CUSTOMERS, 10)).values("id")).asked(**chosen)]
    return {row["id"] for row in rows}
