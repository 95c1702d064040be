"""Customers who may be the same are suggested, each with its reasons; what was said to be two stays two."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.duplicates import finding, grouping, suggesting, traits
from customers.models import Contact, Customer, Likeness, MatchKey, Unmatched
from retention.common import clock
from tests.baseline import assert_query_count

SignIn = Callable[[str], Client]
pytestmark = pytest.mark.django_db


def two(one: dict[str, str], other: dict[str, str]) -> tuple[Customer, Customer]:
    made = [Customer.objects.create(external_id=f"c{n}", **given) for n, given in enumerate((one, other))]
    return made[0], made[1]


def found() -> list[tuple[str, str, int, list[str]]]:
    """Whoever is marked is compared; the suggestions, the surest first."""
    finding.look()
    return [
        (one.low.external_id, one.high.external_id, one.score, [each["why"] for each in one.reasons])
        for one in suggesting.suggestions()
    ]


def reasons(one: dict[str, str], other: dict[str, str]) -> list[str]:
    two(one, other)
    return [why for *_, whys in found() for why in whys]


def test_it_works(signed_in: SignIn) -> None:
    two(
        {"name": "Ada Lovelace", "email": "Ada@Example.test", "phone": "020 7946 0958", "country": "United Kingdom"},
        {"name": "Ada  LOVELACE", "email": " ada@example.test", "phone": "+44 20 7946 0958"},
    )
    assert found() == [("c0", "c1", 98, ["Same e-mail address", "Same phone number", "Same name"])]
    page = signed_in("analyst").get("/customers/duplicates/").content.decode()
    assert "Very likely" in page
    assert "+442079460958" in page


COMPANY = {"kind": "company"}
CASES: list[tuple[str, dict[str, str], dict[str, str], list[str]]] = [
    ("e-mail", {"email": "a@one.test"}, {"email": "A @ONE.test\t"}, ["Same e-mail address"]),
    ("other e-mail", {"email": "a@one.test"}, {"email": "b@two.test"}, []),
    ("phone", {"phone": "030 1234567", "country": "DE"}, {"phone": "0049 (30) 123-4567"}, ["Same phone number"]),
    ("phone elsewhere", {"phone": "0301234567", "country": "DE"}, {"phone": "0301234567", "country": "FR"}, []),
    ("phone by a country's own name", {"phone": "0301234567", "country": "Deutschland"}, {"phone": "+49301234567"},
     ["Same phone number"]),
    ("phones that nobody can tell apart from others", {"phone": "12345"}, {"phone": "12345"}, []),
    ("domain of companies", COMPANY | {"email": "a@acme.test"}, COMPANY | {"email": "b@ACME.test"},
     ["Same company domain"]),
    ("domain of people", {"email": "a@acme.test"}, {"email": "b@acme.test"}, []),
    ("free mail", COMPANY | {"email": "a@gmail.com"}, COMPANY | {"email": "b@gmail.com"}, []),
    ("name of companies", COMPANY | {"name": "ACME Industries, Ltd."}, COMPANY | {"name": "Acme industries GmbH"},
     ["Same name"]),
    ("nearly the name", COMPANY | {"name": "Acme Industies"}, COMPANY | {"name": "ACME Industries Ltd"},
     ["Similar name"]),
    ("accents", COMPANY | {"name": "Café Müller"}, COMPANY | {"name": "cafe muller"}, ["Same name"]),
    ("words in another order", {"name": "Lovelace, Ada"}, {"name": "Ada Lovelace"}, ["Same name"]),
    ("nearly the name of people", {"name": "Katherine Johnson"}, {"name": "Katharine Johnson"}, []),
    ("nearly the name at one domain", {"name": "Katherine Johnson", "email": "k@acme.test"},
     {"name": "Katharine Johnson", "email": "kj@acme.test"}, ["Same company domain", "Similar name"]),
    ("another name", COMPANY | {"name": "Acme Steel"}, COMPANY | {"name": "Acme Flowers"}, []),
    ("nothing", {}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "whys"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_reason(one: dict[str, str], other: dict[str, str], whys: list[str]) -> None:
    assert reasons(one, other) == whys


def test_only_what_changed_is_compared() -> None:
    ada, bob = two({"email": "a@one.test"}, {"email": "b@two.test"})
    assert not found()
    Customer.objects.filter(pk=bob.pk).update(tags=["vip"])
    assert not Unmatched.objects.exists()
    Customer.objects.filter(pk=bob.pk).update(email="a@one.test")
    assert [each.customer_id for each in Unmatched.objects.all()] == [bob.pk]
    assert len(found()) == 1
    Customer.objects.filter(pk=ada.pk).update(email="c@three.test")
    assert not found()
    assert not MatchKey.objects.filter(customer=ada, value=traits.hashed("a@one.test")).exists()


def test_what_many_share_tells_nobody_apart() -> None:
    Customer.objects.bulk_create(Customer(external_id=f"c{n}", phone="+442079460958") for n in range(finding.CROWD + 1))
    assert not found()
    Customer.objects.first().delete()  # type: ignore[union-attr]
    Customer.objects.filter(external_id="c1").update(phone="+44 20 7946 0958")
    assert len(found()) == finding.CROWD - 1


def test_as_many_queries_for_many(django_assert_num_queries: Callable[..., CaptureQueriesContext]) -> None:
    Customer.objects.bulk_create(Customer(external_id=f"c{n}", email=f"{n // 2}@x{n}.test") for n in range(40))
    with CaptureQueriesContext(connection) as queries:
        finding.look()
    Customer.objects.bulk_create(Customer(external_id=f"d{n}", email=f"{n // 2}@x{n}.test") for n in range(400))
    with django_assert_num_queries(len(queries)):
        finding.look()


def test_no_duplicate_stays_said(signed_in: SignIn) -> None:
    ada, bob = two({"email": "a@one.test"}, {"email": "a@one.test"})
    assert found()
    pair, manager = Likeness.objects.get(), signed_in("account_manager")
    assert manager.post(f"/customers/duplicates/{pair.pk}/dismiss/").status_code == 302
    Customer.objects.filter(pk__in=[ada.pk, bob.pk]).update(phone="+442079460958")
    assert not found()
    page = manager.get("/customers/duplicates/?show=dismissed").content.decode()
    assert "account_manager@example.test" in page
    manager.post(f"/customers/duplicates/{pair.pk}/dismiss/", {"again": "1"})
    assert len(found()) == 1


def test_who_may(signed_in: SignIn) -> None:
    two({"email": "a@one.test"}, {"email": "a@one.test"})
    finding.look()
    pair = Likeness.objects.get()
    for role in ("analyst", "marketer"):
        client = signed_in(role)
        assert "Not a duplicate" not in client.get("/customers/duplicates/").content.decode()
        assert client.post(f"/customers/duplicates/{pair.pk}/dismiss/").status_code == 403
    assert Likeness.objects.get().dismissed_at is None


def test_searching(signed_in: SignIn) -> None:
    two({"email": "a@one.test", "name": "Ada"}, {"email": "a@one.test", "name": "Countess"})
    finding.look()
    client = signed_in("analyst")
    assert "Countess" in client.get("/customers/duplicates/?q=coun", headers={"HX-Target": "list"}).content.decode()
    assert "Nothing found" in client.get("/customers/duplicates/?q=bob").content.decode()


def test_pages_at_a_fixed_cost(signed_in: SignIn) -> None:
    client = signed_in("analyst")
    assert "No duplicates" in client.get("/customers/duplicates/").content.decode()
    Customer.objects.bulk_create(Customer(external_id=f"c{n}", email=f"{n // 2}@x.test") for n in range(40))
    finding.look()
    assert_query_count("duplicates", client, "/customers/duplicates/")
    assert_query_count("duplicates of a customer", client, f"/customers/{Customer.objects.all()[0].pk}/duplicates/")


def test_a_batch_is_no_larger_than_asked_for() -> None:
    Customer.objects.bulk_create(Customer(external_id=f"c{n}", email=f"{n // 2}@x.test") for n in range(300))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_unmatched")
    assert [finding.look(limit=120) for _ in range(4)] == [120, 120, 60, 0]
    assert Likeness.objects.count() == 150


def test_a_person_at_both_is_a_reason() -> None:
    acme, other = two(COMPANY | {"name": "Acme"}, COMPANY | {"name": "Blue Sky", "email": "ada@blue.test"})
    assert not found()
    ada = Contact.objects.create(customer=acme, name="Ada", email="ADA@blue.test")
    assert found() == [("c0", "c1", 50, ["Same e-mail address of a person there"])]
    Contact.objects.filter(pk=ada.pk).update(removed_at=clock.now())
    assert not found()
    Contact.objects.filter(pk=ada.pk).update(removed_at=None)
    Customer.objects.filter(pk=other.pk).update(email="")
    Contact.objects.create(customer=other, name="Ada", email="ada@blue.test")
    assert [whys for *_, whys in found()] == [["Same e-mail address of a person there"]]
    ada.delete()
    assert not found()


def test_who_may_all_be_the_same_is_one_group(signed_in: SignIn) -> None:
    one, *others = Customer.objects.bulk_create(
        Customer(external_id=f"d{n}", name=f"Acme {n}", email="a@one.test", kind="company") for n in range(4)
    )
    two({"email": "x@two.test", "name": "Xenia"}, {"email": "x@two.test", "phone": "+442079460958"})
    finding.look()
    assert Likeness.objects.count() == 7
    client = signed_in("account_manager")
    page = client.get("/customers/duplicates/").content.decode()
    assert "2 groups" in page
    for other in others:
        assert page.count(f"/customers/{one.pk}/merge/{other.pk}/") == 1
    assert "1 group<" in client.get("/customers/duplicates/?q=xen").content.decode()
    pair = Likeness.objects.get(low=one, high=others[0])
    client.post(f"/customers/duplicates/{pair.pk}/dismiss/", {"of": others[0].pk})
    assert Likeness.objects.filter(dismissed_at=None).count() == 4, "none of the other three is the same either"
    (group,) = grouping.groups([one.pk])
    assert {member.customer for member in group.others} == set(others[1:])


def test_a_chain_is_one_group_too() -> None:
    """The last is like two who are not like each other."""
    made = [Customer.objects.create(external_id=f"c{n}") for n in range(3)]
    for low, high in ((0, 2), (1, 2)):
        Likeness.objects.create(low=made[low], high=made[high], score=50, reasons=[])
    assert [each["low"] for each in grouping.firsts()] == [made[0].pk]
    (group,) = grouping.groups([made[0].pk])
    assert [(each.customer, each.with_first) for each in group.others] == [(made[1], False), (made[2], True)]
