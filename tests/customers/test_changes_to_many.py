"""Changes to many at once: told in the history, kept, taken back; of customers and of cases."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from customers.cases import handling
from customers.custom import definitions
from customers.custom.definitions import Draft
from customers.models import Case, Customer, CustomField, Event, ManyChange, Team
from customers.teams.keeping import dissolve
from customers.together import changing
from retention.common import clock
from retention.workspace import jobs
from retention.workspace.models import Job, User
from retention.workspace.roles import Role
from tests.customers.known import crowd, customer

SignIn = Callable[[str], Client]


def ask(client: Client, action: str, **said: Any) -> Any:
    """As the page that tells what will change sends it."""
    return client.post("/customers/change/", {"action": action, "confirmed": "1", **said})


def take_back(client: Client) -> str:
    """Take the latest change back; what the page says then."""
    address = f"/customers/changes/{ManyChange.objects.latest('pk').pk}/undo/"
    return client.post(address, follow=True).content.decode()


def test_it_works(signed_in: SignIn) -> None:
    client = signed_in("account_manager")
    me = User.objects.get(role="account_manager")
    before = User.objects.create_user("before@example.test", role=Role.ACCOUNT_MANAGER)
    ada, bob, cyd = customer("ada", owner=before), customer("bob"), customer("cyd", owner=me)
    ask(client, "owner", value=me.pk, pick=[ada.pk, bob.pk, cyd.pk])
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
    opened = client.get(f"/customers/changes/{change.pk}/").content.decode()
    assert f'href="/customers/{ada.pk}/"' in opened
    assert f'href="/customers/{cyd.pk}/"' not in opened


@pytest.mark.parametrize(
    ("action", "said", "was", "then"),
    [
        ("tag", {"value": "vip"}, {"tags": ["a"]}, ["a", "vip"]),
        ("untag", {"value": "a"}, {"tags": ["a"]}, []),
        ("persona", {"value": "Saver"}, {"persona": "Owner"}, "Saver"),
        ("key", {}, {"is_key_account": False}, True),
        ("custom.tier", {"value": "Gold"}, {"attributes": {"x": 1}}, {"x": 1, "tier": "Gold"}),
        ("custom.tier", {"value": ""}, {"attributes": {"tier": "Gold"}}, {}),
        ("custom.likes", {"value": ["b", "a"]}, {"attributes": {"likes": ["a"]}}, {"likes": ["a", "b"]}),
        ("custom.seats", {"value": "12.5"}, {"attributes": {"seats": 3}}, {"seats": 12.5}),
    ],
)
def test_each_kind_of_change_is_taken_back(
    signed_in: SignIn, action: str, said: dict[str, Any], was: dict[str, Any], then: Any
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


@pytest.mark.parametrize(
    ("type_", "control"),
    [
        ("date", 'type="date"'),
        ("number", 'inputmode="decimal"'),
        ("yes_no", '<option value="yes">Yes</option>'),
        ("choice", '<option value="Gold">Gold</option>'),
        ("choices", 'type="checkbox" name="value" value="Gold"'),
        ("long_text", "<textarea"),
        ("link", 'inputmode="url"'),
    ],
)
def test_a_custom_field_is_asked_for_by_its_type(type_: str, control: str, signed_in: SignIn) -> None:
    choices = ["Gold"] if "choice" in type_ else []
    CustomField.objects.create(about="customer", key="x", label="X", type=type_, choices=choices, position=0)
    ada, client = customer("ada"), signed_in("account_manager")
    assert '<option value="custom.x">X</option>' in client.get("/customers/").content.decode()
    page = client.post("/customers/change/", {"action": "custom.x", "pick": [ada.pk]}).content.decode()
    assert control in page


def test_a_long_text_is_kept_whole(signed_in: SignIn) -> None:
    CustomField.objects.create(about="customer", key="story", label="Story", type="long_text", position=0)
    ada, story = customer("ada"), "word " * 400 + "end"
    ask(signed_in("account_manager"), "custom.story", value=story, pick=[ada.pk])
    ada.refresh_from_db()
    assert ada.attributes == {"story": story}
    changing.undo(ManyChange.objects.get().pk, User.objects.get(role="account_manager"))
    ada.refresh_from_db()
    assert ada.attributes == {}


def test_a_value_that_is_none_of_the_fields_is_refused(signed_in: SignIn) -> None:
    CustomField.objects.create(about="customer", key="seats", label="Seats", type="number", position=0)
    ada, client = customer("ada"), signed_in("account_manager")
    response = ask(client, "custom.seats", value="many", pick=[ada.pk])
    assert response.status_code == 422
    assert "Enter a number." in response.content.decode()
    assert 'value="many"' in response.content.decode()
    assert not ManyChange.objects.exists()


def test_a_team_that_is_gone_does_not_come_back(signed_in: SignIn) -> None:
    south, north = Team.objects.create(name="South"), Team.objects.create(name="North")
    ada, client = customer("ada", team=south), signed_in("account_manager")
    ask(client, "team", value=north.pk, pick=[ada.pk])
    dissolve(south)
    assert "Taken back for 1 customer" in take_back(client)
    ada.refresh_from_db()
    assert ada.team is None


def test_a_choice_that_is_none_any_more_does_not_come_back(signed_in: SignIn) -> None:
    kind = CustomField.Type.CHOICE
    field = CustomField.objects.create(about="customer", key="tier", label="Tier", type=kind, choices=["Gold", "Tin"])
    ada, client = customer("ada", attributes={"tier": "Tin"}), signed_in("account_manager")
    ask(client, "custom.tier", value="Gold", pick=[ada.pk])
    definitions.change(field.pk, Draft("Tier", choices=("Gold",)))
    assert "Taken back for 0 customers" in take_back(client)
    ada.refresh_from_db()
    assert ada.attributes == {"tier": "Gold"}


def test_a_long_value(signed_in: SignIn) -> None:
    CustomField.objects.create(about="customer", key="note", label="Note", type=CustomField.Type.LONG_TEXT)
    ada, client = customer("ada"), signed_in("account_manager")
    ask(client, "custom.note", value="x" * 5_000, pick=[ada.pk])
    assert "Taken back for 1 customer" in take_back(client)


def test_a_change_that_is_being_made_is_not_taken_back(signed_in: SignIn) -> None:
    ada, client = customer("ada"), signed_in("account_manager")
    ask(client, "key", pick=[ada.pk])
    ManyChange.objects.update(job=Job.objects.create(kind="customers.bulk", title="Key", state=Job.State.RUNNING))
    assert "It is still being made" in take_back(client)
    Job.objects.update(state=Job.State.CANCELLED)
    assert "Taken back for 1 customer" in take_back(client)


def test_a_tag_has_no_comma(signed_in: SignIn) -> None:
    """The form has several with commas between them: saved there, one such tag would be two."""
    ada, client = customer("ada"), signed_in("account_manager")
    ask(client, "tag", value="big, loud", pick=[ada.pk])
    ada.refresh_from_db()
    assert ada.tags == []


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
    ask(client, "tag", value="vip", scope="all", query="", confirmed="1")
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
        asked = {"action": action, "value": said, "confirmed": "1", "pick": [some[0].pk, some[1].pk], "query": "q=ada"}
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


def test_a_case_that_was_resolved_anew_stays_resolved(signed_in: SignIn) -> None:
    client, ada = signed_in("account_manager"), customer("ada")
    again, left = (Case.objects.create(customer=ada, external_id=f"T{n}", opened_at=clock.now()) for n in range(2))
    client.post("/cases/change/", {"action": "resolve", "pick": [again.pk, left.pk], "confirmed": "1"})
    handling.reopen(again.pk)
    handling.resolve(again.pk)
    assert "Taken back for 1 case. 1 were changed since" in take_back(client)
    assert set(Case.objects.values_list("pk", "state")) == {(again.pk, "resolved"), (left.pk, "open")}


def test_all_cases_that_match_are_changed_by_a_job(signed_in: SignIn) -> None:
    client, ada, now = signed_in("account_manager"), customer("ada"), clock.now()
    for n in range(4):
        subject = "Crane" if n else "Lamp"
        Case.objects.create(customer=ada, external_id=f"T{n}", subject=subject, opened_at=now)
    said = {"action": "priority", "value": "high", "scope": "all", "query": "q=crane"}
    assert "<strong>3 cases</strong>" in client.post("/cases/change/", said).content.decode()
    client.post("/cases/change/", {**said, "confirmed": "1"})
    jobs.run(Job.objects.get().pk)
    assert set(Case.objects.values_list("subject", "priority")) == {("Crane", "high"), ("Lamp", "normal")}
    assert signed_in("analyst").post("/cases/change/", said).status_code == 403
    assert "What to change" not in signed_in("analyst").get("/cases/").content.decode()


@pytest.mark.parametrize("said", [{"action": "assignee"}, {"action": "priority", "value": "x"}, {"action": "delete"}])
def test_a_change_of_cases_that_makes_no_sense_is_refused(said: dict[str, str], signed_in: SignIn) -> None:
    case = Case.objects.create(customer=customer(), external_id="T", subject="S", opened_at=clock.now())
    client = signed_in("account_manager")
    response = client.post("/cases/change/", {"pick": [case.pk], "confirmed": "1", **said}, follow=True)
    assert response.status_code == 422 or "Nothing was changed" in response.content.decode()
    assert not ManyChange.objects.exists()


def test_the_tags_there_are_offered(signed_in: SignIn) -> None:
    """To take one away, those of the customers it is for; to add one, those of anybody."""
    ada, bob = customer("ada", tags=["fair", "vip"]), customer("bob")
    customer("cyd", tags=["old"])
    client = signed_in("account_manager")

    def page(action: str, **whom: Any) -> str:
        return client.post("/customers/change/", {"action": action, **whom}).content.decode()

    taking = page("untag", pick=[ada.pk, bob.pk])
    assert '<option value="fair">fair</option>' in taking
    assert '<option value="old">' not in taking
    assert "None of them has a tag." in page("untag", pick=[bob.pk])
    assert '<option value="old">old</option>' in page("untag", scope="all")
    refused = page("untag", pick=[ada.pk], value="gone", confirmed="1")
    assert "Select a valid choice." in refused
    assert '<option value="old"></option>' in page("tag", pick=[bob.pk])
