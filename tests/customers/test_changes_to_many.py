"""Changes to many at once: told in the history, kept, taken back; of customers and of cases."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.models import Case, Customer, CustomField, Event, ManyChange
from customers.together import changing
from retention.common import clock
from retention.workspace import jobs
from retention.workspace.models import Job, User
from retention.workspace.roles import Role
from tests.customers.known import crowd, customer

SignIn = Callable[[str], Client]


def ask(client: Client, action: str, **said: Any) -> Any:
    return client.post("/customers/change/", {"action": action, **said})


def take_back(client: Client) -> str:
    """Take the latest change back; what the page says then."""
    address = f"/customers/changes/{ManyChange.objects.latest('pk').pk}/undo/"
    return client.post(address, follow=True).content.decode()


def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    before = User.objects.create_user("before@example.test", role=Role.ACCOUNT_MANAGER)
    ada, bob, cyd = customer("ada", owner=before), customer("bob"), customer("cyd", owner=me)
    ask(client, "owner", owner=me.pk, pick=[ada.pk, bob.pk, cyd.pk])
    change = ManyChange.objects.get()
    assert f'href="/customers/changes/{change.pk}/"' in client.get("/customers/").content.decode()
    told = Event.objects.filter(kind="customer.changed")
    assert {event.customer_id for event in told} == {ada.pk, bob.pk}
    assert "changed many at once: Assign to" in client.get(f"/customers/{ada.pk}/timeline/").content.decode()
    Customer.objects.filter(pk=bob.pk).update(owner=before)  # somebody else takes him over meanwhile
    assert "Taken back for 1 customer. 1 were changed since" in take_back(client)
    owners = dict(Customer.objects.values_list("external_id", "owner"))
    assert owners == {"ada": before.pk, "bob": before.pk, "cyd": me.pk}
    assert "It has been taken back already" in take_back(client)
    assert "Taken back" in client.get("/customers/changes/").content.decode()


@pytest.mark.parametrize(
    ("action", "said", "was", "then"),
    [
        ("tag", {"tag": "vip"}, {"tags": ["a"]}, ["a", "vip"]),
        ("untag", {"tag": "a"}, {"tags": ["a"]}, []),
        ("persona", {"persona": "Saver"}, {"persona": "Owner"}, "Saver"),
        ("key", {}, {"is_key_account": False}, True),
        ("custom", {"field": "tier", "custom": "Gold"}, {"attributes": {"x": 1}}, {"x": 1, "tier": "Gold"}),
        ("custom", {"field": "tier", "custom": ""}, {"attributes": {"tier": "Gold"}}, {}),
        ("custom", {"field": "likes", "custom": "b, a"}, {"attributes": {"likes": ["a"]}}, {"likes": ["a", "b"]}),
        ("custom", {"field": "seats", "custom": "12.5"}, {"attributes": {"seats": 3}}, {"seats": 12.5}),
    ],
)
def test_each_kind_of_change_is_taken_back(
    signed_in: SignIn, action: str, said: dict[str, str], was: dict[str, Any], then: Any
) -> None:
    kind = CustomField.Type
    for place, (key, type_, choices) in enumerate(
        [("tier", kind.CHOICE, ["Gold"]), ("likes", kind.CHOICES, ["a", "b"]), ("seats", kind.NUMBER, [])]
    ):
        CustomField.objects.create(
            about="customer", key=key, label=key.title(), type=type_, choices=choices, position=place
        )
    ada, client = customer("ada", **was), signed_in("account_manager")
    ((column, first),) = was.items()
    for _ in range(2):  # the second time changes nothing
        ask(client, action, pick=[ada.pk], **said)
        ada.refresh_from_db()
        assert getattr(ada, column) == then
    assert [change.rows.count() for change in ManyChange.objects.order_by("pk")] == [1, 0]
    changing.undo(ManyChange.objects.earliest("pk").pk, User.objects.get(role="account_manager"))
    ada.refresh_from_db()
    assert getattr(ada, column) == first


def test_a_value_that_is_none_of_the_fields_is_refused(signed_in: SignIn) -> None:
    CustomField.objects.create(about="customer", key="seats", label="Seats", type="number", position=0)
    ada, client = customer("ada"), signed_in("account_manager")
    ask(client, "custom", field="seats", custom="many", pick=[ada.pk])
    assert "Seats: Enter a number. Nothing was changed." in client.get("/customers/").content.decode()
    assert not ManyChange.objects.exists()


def test_only_who_made_a_change_takes_it_back_or_an_administrator(signed_in: SignIn) -> None:
    ada, client = customer("ada"), signed_in("account_manager")
    ask(client, "key", pick=[ada.pk])
    other = Client()
    other.force_login(User.objects.create_user("other@example.test", role=Role.ACCOUNT_MANAGER))
    address = f"/customers/changes/{ManyChange.objects.get().pk}/"
    assert "Take it back" in client.get(address).content.decode()
    assert "Take it back" not in other.get(address).content.decode()
    assert other.post(f"{address}undo/").status_code == 403
    assert signed_in("analyst").post(f"{address}undo/").status_code == 403
    assert "Taken back for 1 customer" in take_back(signed_in("administrator"))


def test_a_large_change_is_taken_back_by_a_job(signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changing, "AT_A_TIME", 10)
    crowd(30)
    client = signed_in("account_manager")
    ask(client, "tag", tag="vip", scope="all", query="", confirmed="1")
    jobs.run(Job.objects.get(kind="customers.bulk").pk)
    take_back(client)
    row = Job.objects.get(kind="together.undo")
    jobs.run(row.pk)
    row.refresh_from_db()
    assert row.summary["number"] == 30
    assert not Customer.objects.filter(tags=["vip"]).exists()


def test_cases_are_changed_together_and_set_back(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    ada, now = customer("ada", name="Ada Lovelace"), clock.now()
    some = [Case.objects.create(customer=ada, external_id=f"T{n}", subject=f"No {n}", opened_at=now) for n in range(3)]
    for action, said in (("assignee", me.pk), ("priority", "urgent"), ("resolve", "")):
        asked = {"action": action, action: said, "pick": [some[0].pk, some[1].pk], "query": "q=ada"}
        assert client.post("/cases/change/", asked)["Location"] == "/cases/?q=ada"
    columns = ("assignee", "priority", "state")
    assert list(Case.objects.order_by("pk").values_list(*columns)) == [
        *[(me.pk, "urgent", "resolved")] * 2,
        (None, "normal", "open"),
    ]
    assert Event.objects.filter(kind="case.resolved").count() == 2
    assert Event.objects.filter(kind="case.changed", payload__subject="No 1").count() == 2
    for _ in range(3):
        changing.undo(ManyChange.objects.filter(undone_at=None).latest("pk").pk, me)
    assert set(Case.objects.values_list(*columns, "resolved_at")) == {(None, "normal", "open", None)}
    assert Event.objects.filter(kind="case.reopened").count() == 2


def test_all_cases_that_match_are_changed_by_a_job(signed_in: SignIn) -> None:
    client, ada, now = signed_in("account_manager"), customer("ada"), clock.now()
    for n in range(4):
        subject = "Crane" if n else "Lamp"
        Case.objects.create(customer=ada, external_id=f"T{n}", subject=subject, opened_at=now)
    said = {"action": "priority", "priority": "high", "scope": "all", "query": "q=crane"}
    assert "<strong>3 cases</strong>" in client.post("/cases/change/", said).content.decode()
    client.post("/cases/change/", {**said, "confirmed": "1"})
    jobs.run(Job.objects.get().pk)
    assert set(Case.objects.values_list("subject", "priority")) == {("Crane", "high"), ("Lamp", "normal")}
    assert signed_in("analyst").post("/cases/change/", said).status_code == 403
    assert "Set priority" not in signed_in("analyst").get("/cases/").content.decode()


@pytest.mark.parametrize(
    "said", [{"action": "assignee"}, {"action": "priority", "priority": "x"}, {"action": "delete"}]
)
def test_a_change_of_cases_that_makes_no_sense_is_refused(said: dict[str, str], signed_in: SignIn) -> None:
    case = Case.objects.create(customer=customer(), external_id="T", subject="S", opened_at=clock.now())
    client = signed_in("account_manager")
    client.post("/cases/change/", {"pick": [case.pk], **said})
    assert "Nothing was changed" in client.get("/cases/").content.decode()
