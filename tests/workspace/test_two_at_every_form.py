"""Every form that changes something there is refuses the second of two people, and keeps what they typed.

The forms are found, not listed: whatever page shows what there is in fields of its own and posts them to itself.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.test import Client

from customers.models import Contact, Goal, PlaybookStep, Team
from retention.common import clock
from retention.common.opened import OpenedForm
from retention.workspace.models import User
from retention.workspace.roles import Role
from tests.addresses import patterns
from tests.workspace.test_a_get_changes_nothing import NUMBER, one_of_each
from tests.workspace.test_a_get_changes_nothing import client as client  # a fixture

MARKS = {"opened", "version"}


@dataclass
class Form:
    """A form of a page: where it goes, and its fields with what stands in them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._within = self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "form":
            self.found.append(Form(said.get("action", ""), said.get("method", "get")))
            self._within = "form"
        elif not self._within:
            return
        elif tag == "input" and name:
            self._input(name, said)
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in said or self._select not in self._form.fields):
            self._form.fields[self._select] = said.get("value", "")
        elif tag == "textarea":
            self._area = name
            self._form.fields[name] = ""
            self._form.texts.append(name)

    def _input(self, name: str, said: dict[str, str]) -> None:
        kind = said.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in said:
                self._form.fields[name] = said.get("value", "on")
        elif kind not in ("submit", "file", "search"):
            self._form.fields[name] = said.get("value", "")
            if kind == "text":
                self._form.texts.append(name)

    @property
    def _form(self) -> Form:
        return self.found[-1]

    def handle_data(self, data: str) -> None:
        if self._area:
            self._form.fields[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._within = ""
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._form.fields[self._area] = self._form.fields[self._area].removeprefix("\n")
            self._area = ""


@dataclass(frozen=True)
class Edit:
    """A page with a form on something that is there, posted to itself."""

    url: str
    form: Form

    @property
    def is_guarded(self) -> bool:
        return any(self.form.fields.get(mark) for mark in MARKS)

    @property
    def changed(self) -> str:
        """The field that both people type something else into."""
        return CHANGED.get(self.url, "") or self.form.texts[0]


#: Where no text is typed: what is.
CHANGED = {
    "/settings/health/bands/": "good_from",
    "/loyalty/limits/": "days_to_answer",
    f"/loyalty/limits/{NUMBER}/": "discount_most",
    f"/subscriptions/{NUMBER}/renew/": "day",
    f"/settings/people/{NUMBER}/": "first_name",
    f"/data/{NUMBER}/mapping/": "email_text",
}
TYPED = {"good_from": ("61", "62"), "days_to_answer": ("17", "18"), "discount_most": ("17", "18")}
TEXTS = ("Theirs", "Ours")
DAYS = tuple(f"{clock.now() + timedelta(days=days):%Y-%m-%d}" for days in (400, 500))
#: What else such a form insists on, where what there is in the samples is too little to be saved.
ALSO = {
    f"/surveys/{NUMBER}/edit/": {"question": "?", "follow_up": "Why?", "thanks": "Thanks."},
    f"/segments/{NUMBER}/edit/": {"r-0.value": "1"},
    f"/products/{NUMBER}/edit/": {"currency": "EUR"},
    **{f"/subscriptions/{NUMBER}/{act}/": {"confirmed": "1"} for act in ("change", "renew", "cancel")},
    f"/today/renewals/{NUMBER}/": {"forecast": "likely"},
    f"/settings/people/{NUMBER}/": {"last_name": "B"},
    f"/settings/health/{NUMBER}/": {"weight_recency": "3"},
    f"/data/{NUMBER}/mapping/": {"customer_id_column": "id"},
    "/settings/": {"postal_address": "Quay Street 1", "sender_name": "Ana"},
}
#: Forms on something that is there which save nothing of it, or nothing that somebody else could have changed.
NOTHING_TO_LOSE = {
    f"/surveys/{NUMBER}/preview/": "is answered by nobody",
    f"/campaigns/{NUMBER}/launch/": "is a step, not a text: refused once the campaign was changed",
    f"/subscriptions/{NUMBER}/resume/": "is a step: refused unless it has ended",
}


def edits(client: Client, real: Callable[[str], str]) -> Iterator[Edit]:
    """Every form that posts to its own address, on something that has a number or is there once."""
    for pattern, sample in patterns():
        url = real(sample)
        once = f"/{NUMBER}/" not in sample and not sample.startswith(("/settings/", "/loyalty/limits/"))
        if not hasattr(pattern.callback, "admits") or once or sample.endswith("/new/") or sample in BEGINNINGS:
            continue
        response = client.get(url)
        if response.status_code == 200 and not response.streaming and "html" in response["Content-Type"]:
            for form in Forms(response.content.decode()).found:
                if form.method == "post" and form.action in ("", url):
                    yield Edit(url, form)


#: Below something that has a number, these begin something new.
BEGINNINGS = {
    f"/plans/{NUMBER}/goal/",
    f"/plans/{NUMBER}/milestone/",
    f"/customers/{NUMBER}/merge/{NUMBER}/",
    "/settings/fields/new/x/",
    "/settings/health/everybody-else/",
}


def second(client: Client, edit: Edit) -> list[str]:
    """What is wrong with how the second of two people is answered; nothing is kept."""
    name = edit.changed
    theirs, ours = DAYS if name == "day" else TYPED.get(name, TEXTS)
    typed = edit.form.fields | ALSO.get(edit.url, {})
    with transaction.atomic():
        first = client.post(edit.url, typed | {name: theirs})
        refused = client.post(edit.url, typed | {name: ours})
        page, later = refused.content.decode(), client.get(edit.url).content.decode()
        transaction.set_rollback(True)
    wrong = {
        f"the first could not save ({first.status_code})": first.status_code != 302,
        "the second saved over it": refused.status_code == 302,
        "the second is not told": not re.search("[Ss]omebody|saved elsewhere|meanwhile", page),
        "what the second typed is gone": not _stands(ours, page),
        "what the second typed is stored": _stands(ours, later),
    }
    return [what for what, holds in wrong.items() if holds]


def _stands(text: str, page: str) -> bool:
    return any(text in form.fields.values() for form in Forms(page).found)


def test_it_works(client: Client) -> None:
    real = one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    found = [each for each in edits(client, lambda url: real.get(url, url)) if each.url not in NOTHING_TO_LOSE]
    assert len(found) > 20
    assert [each.url for each in found if not each.is_guarded] == [], "two people may overwrite each other here"
    wrong = {each.url: second(client, each) for each in found}
    assert {url: what for url, what in wrong.items() if what} == {}


def test_what_is_said_of_something_removed_meanwhile_is_handed_back(client: Client) -> None:
    one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    said = {"opened": "o-17", "text": "Renew <early>", "title": "Renew <early>", "name": "Renew <early>"}
    for url, gone in (
        (f"/plans/goals/{NUMBER}/", Goal.objects.all()),
        (f"/playbooks/steps/{NUMBER}/", PlaybookStep.objects.all()),
        (f"/settings/teams/{NUMBER}/", Team.objects.all()),
        (f"/customers/people/{NUMBER}/", Contact.objects.all()),
    ):
        gone.filter(pk=NUMBER).delete()
        answer = client.post(url, said)
        page = answer.content.decode()
        assert (answer.status_code, page.count("Renew &lt;early&gt;"), "o-17" in page) == (404, 3, False), url
    assert "is not saved" not in client.get(f"/plans/goals/{NUMBER}/").content.decode()
    assert client.post("/no/such/address/", said).status_code == 404


def test_a_form_that_looks_at_nothing_is_found(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a form whose mark is never compared."""
    one_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    monkeypatch.setattr(OpenedForm, "_mark", lambda self: "same")
    url = f"/plans/goals/{NUMBER}/"
    (form,) = [each for each in Forms(client.get(url).content.decode()).found if each.action == url]
    goal = Edit(url, form)
    assert "the second saved over it" in second(client, goal)
    del form.fields["opened"]
    assert not goal.is_guarded
