"""Every action of customers and loyalty is pressed in the browser by somebody who may, and what it did stands there.

Most are a line here: where, what is typed, which button, and what only the answer says. Those that are part of a way
through a room are pressed in the room's own file, and named below. A view that takes a POST and is in neither is told.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import resolve
from playwright.sync_api import FilePayload, Page, Request, expect

from customers.duplicates import finding
from customers.models import Customer, Playbook, PlaybookStep, Segment
from customers.segments import list_job
from retention.workspace.models import Job, User
from retention.workspace.roles import Role
from tests.browser.conftest import AsRole
from tests.browser.test_roles import OURS, SignIn
from tests.browser.test_roles import real as real  # a fixture
from tests.loyalty.giving import credit, offer, paying
from tests.workspace.test_a_get_changes_nothing import NUMBER

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Act:
    """On a page ("": where the act before led) a button, what only its answer says, what is typed and opened before."""

    at: str
    press: str
    said: str | re.Pattern[str]
    typed: Mapping[str, str] = field(default_factory=dict)
    opened: str = ""


SOON = "2031-05-04"
ASKED = "00000000-0000-4000-8000-000000000002"
ACTS = {
    Role.ACCOUNT_MANAGER: (
        Act("/customers/new/", "Add the customer", "Boreal Bakery", {"Name": "Boreal Bakery", "Id": "boreal"}),
        Act(
            "/customers/?sort=-revenue",
            "Keep the view",
            "By worth",
            {"Keep these filters and this order as": "By worth"},
            "Views",
        ),
        Act(
            "/customers/",
            "Rename the view By worth",
            "is called “Worth most” now.",
            {"Name of the view By worth": "Worth most"},
            "Views",
        ),
        Act(
            "/customers/",
            "Open it so",
            "The list opens with “Worth most” for you.",
            {"For me this list opens with": "Worth most"},
            "Views",
        ),
        Act("/customers/", "Drop the view Worth most", "dropped", {}, "Views"),
        Act("/customers/", "Start", "has begun for 1 customer", {"Pick Boreal Bakery": "", "Playbook": "Renewing"}),
        Act(f"/customers/{NUMBER}/", "Done", "Done: Call"),
        Act(f"/customers/people/{NUMBER}/", "Save", "Head of buying", {"Role": "Head of buying"}),
        Act("/cases/new/", "Open the case", "Cold bread", {"Customer": "boreal", "Subject": "Cold bread"}),
        Act(f"/customers/{NUMBER}/cases/new/", "Open the case", "Stale bread", {"Subject": "Stale bread"}),
        Act(f"/cases/{NUMBER}/edit/", "Save", "Very late", {"Subject": "Very late"}),
        Act("", "Mark as answered", re.compile("^Answered$")),
        Act("", "Resolve", "The customer rates the help"),
        Act("", "Keep the rating", "4 of 5", {"The customer rates the help": "4"}),
        Act("", "Open it again", "Waiting for an answer"),
        Act("/cases/", "Go on", "Of 1 case", {"Pick Stale bread": "", "What to change": "Priority"}),
        Act("", "Change them", "1 case changed", {"Priority": "Urgent"}),
        Act("/customers/duplicates/?q=acme", "Not a duplicate", "No duplicates 1"),
        Act("/customers/duplicates/?show=dismissed", "Suggest again", "No duplicates 0"),
        Act(
            f"/customers/{NUMBER + 1}/merge-group/",
            "Merge those picked",
            "Bolt Two and Bolt Three are now part of Bolt One.",
        ),
        Act(f"/plans/{NUMBER}/edit/", "Save", "Live by June", {"Title": "Live by June"}),
        Act(f"/plans/{NUMBER}/goal/", "Save", "Every branch", {"Goal": "Every branch"}),
        Act(f"/plans/goals/{NUMBER}/", "Save", "Half of them", {"Goal": "Half of them"}),
        Act("", "Remove the goal Half of them", "The goal is gone"),
        Act(f"/plans/milestones/{NUMBER}/", "Save", "Count them", {"Milestone": "Count them", "By": SOON}),
        Act("", "Drop Count them", "Count them: dropped."),
        Act("", "Open Count them again", "Count them: to do."),
        Act("", "Take it back", "The link works no longer."),
        Act("", "Drop the plan", "Take it up again"),
        Act("", "Take it up again", "They agreed"),
        Act("/plans/new/", "Begin the plan", "Second plan", {"Customer": "boreal", "Title": "Second plan"}),
        Act("/playbooks/new/", "Make it", "Asking how it went", {"Name": "Asking how it went"}),
        Act(
            f"/playbooks/{NUMBER}/edit/",
            "Save",
            "When a customer becomes known",
            {"When it starts": "When a customer becomes known"},
        ),
        Act("", "Switch on", "Switch off"),
        Act("", "Switch off", "Switch on"),
        Act("", "Stop all", "Nobody"),
        Act(f"/playbooks/steps/{NUMBER}/", "Save", "Ask them", {"What to do": "Ask them"}),
        Act("", "Remove “Ask them”", "No steps yet"),
        Act("/products/new/", "Add the product", "Bell", {"Name": "Bell", "Product code": "B-1"}),
        Act(f"/products/{NUMBER}/edit/", "Save", "Loud clock", {"Name": "Loud clock", "Currency": "EUR"}),
        Act(f"/subscriptions/{NUMBER}/change/", "Look at what it will do", "MRR", {"Amount": "30"}),
        Act("", "Change it", "What was agreed, and when"),
        Act(f"/subscriptions/{NUMBER}/renew/", "Look at what it will do", "Back to the form", {"Bound until": SOON}),
        Act("", "Renew it", "What was agreed, and when"),
        Act(f"/subscriptions/{NUMBER}/cancel/", "Look at what it will do", "Back to the form", {"Reason": "Closed"}),
        Act("", "Cancel it", "Resume"),
        Act(f"/subscriptions/{NUMBER}/resume/", "Look at what it will do", "Back to the form"),
        Act("", "Resume it", "What was agreed, and when"),
        Act(f"/today/renewals/{NUMBER}/", "Save", "one: at risk.", {"At risk": ""}),
        Act("/loyalty/", "Mark as used", "1 offer", {"Pick a credit of 20.00 EUR for Cora": ""}),
        Act("/loyalty/{offer}/", "Mark as used", re.compile("^Used$")),
        Act(f"/data/{NUMBER}/", "Remove", "Bring in your customers"),
    ),
    Role.ADMINISTRATOR: (
        Act(f"/settings/fields/{NUMBER}/", "Save", "Shoe size", {"Label": "Shoe size"}),
        Act("", "Put Shoe size away", "Bring it back"),
        Act("", "Bring Shoe size back", "is back"),
        Act("/settings/teams/new/", "Save the team", "South", {"Name": "South"}),
        Act(f"/settings/teams/{NUMBER}/", "Save the team", "Far North", {"Name": "Far North"}),
        Act(f"/settings/teams/{NUMBER}/", "Dissolve", "dissolved"),
        Act("/settings/health/bands/", "Save and work out everybody’s health", "Waiting", {"Good from": "71"}),
        Act(
            "/settings/health/new/",
            "Save and work out everybody’s health",
            "Waiting",
            {"Name": "Lists", "Segment": "Short"},
        ),
        Act(
            f"/settings/health/{NUMBER}/", "Save and work out everybody’s health", "Waiting", {"Weight of Recency": "4"}
        ),
        Act("/settings/health/", "Try “Lists” earlier", "Try “Everybody” earlier"),
        Act(f"/settings/health/{NUMBER}/", "Delete", "“Everybody” is deleted"),
        Act("/loyalty/limits/", "Save", "Saved", {"Days an approver has to answer": "17"}),
        Act(
            "/loyalty/limits/new/",
            "Save the limits",
            "The limits of Administrator are saved.",
            {"Discount, in %": "17"},
        ),
        Act(f"/loyalty/limits/{NUMBER}/", "Save the limits", "19 %", {"Discount, in %": "19"}),
        Act(
            f"/loyalty/limits/{NUMBER}/",
            "Remove these limits",
            "The limits of Account manager are removed",
            {},
            "Remove",
        ),
        Act(f"/customers/hand-overs/notes/{NUMBER}/", "Save", "Call first", {"Note": "Call first"}),
        Act(f"/customers/hand-overs/{NUMBER}/", "Take it back", "Taken back"),
        Act(f"/customers/interactions/{NUMBER}/edit/", "Save", "Moved house", {"What was said": "Moved house"}),
    ),
    Role.MARKETER: (
        Act(
            f"/segments/{NUMBER}/edit/",
            "Save segment",
            "Whoever ordered",
            {"Value": "1", "Description": "Whoever ordered"},
        ),
        Act("", "Look again", "was looked at again"),
        Act(
            f"/segments/{NUMBER}/why/{NUMBER}/",
            "Keep out",
            "Their own wish",
            {"Why": "Their own wish"},
            "Decide by hand",
        ),
        Act(f"/segments/{NUMBER}/by-hand/", "Bring the file", "1 of 1 found", {"File": "boreal\n"}),
        Act(f"/jobs/{ASKED}/", "Go on, and let 1 get it", "The file is no longer there."),
        Act(f"/segments/{NUMBER + 2}/delete/", "Delete segment", "“Lonely” is deleted."),
    ),
}


def do(page: Page, act: Act) -> None:
    if act.at:
        page.goto(act.at)
    if act.opened:
        page.locator("summary", has_text=act.opened).first.click()
    for label, value in act.typed.items():
        fill(page, label, value)
    said = page.get_by_text(act.said).or_(page.get_by_role("button", name=act.said)).locator("visible=true")
    expect(said).to_have_count(0)
    page.locator("main").get_by_role("button", name=re.compile(rf"^{re.escape(act.press)}(\s*:.*)?$")).first.click()
    expect(said.first).to_be_visible()


def fill(page: Page, label: str, value: str) -> None:
    where = page.get_by_label(re.compile(rf"^\s*{re.escape(label)}(\s+optional)?\s*$")).first
    match where.evaluate("field => field.type"):
        case "select-one":
            where.select_option(label=value)
        case "checkbox" | "radio":
            where.check()
        case "file":
            where.set_input_files(FilePayload(name="list.csv", mimeType="text/csv", buffer=value.encode()))
        case _:
            where.fill(value)


#: These take a POST and are pressed elsewhere: on somebody's way through a room.
ELSEWHERE = {
    "test_book.py": {"handover_new", "plan_milestone_new", "plan_new", "plan_share"},
    "test_bring_in_a_file.py": {"import_layout", "import_mapping", "import_new", "import_preview", "import_start"}
    | {"import_undo"},
    "test_customers.py": {"list_change", "together_undo"},
    "test_duplicates.py": {"compare", "merge_undo"},
    "test_health.py": {"health_everybody_else"},
    "test_offers.py": {"decide", "new", "withdraw"},
    "test_records.py": {
        "contact_consent",
        "contact_new",
        "contact_remove",
        "contact_restore",
        "custom_field_new",
        "edit",
    }
    | {"interaction_act", "interaction_new"},
    "test_recurring.py": {"subscription_new"},
    "test_segments.py": {"segment_new"},
    "test_segments_compared.py": {"segment_hand_decide", "segment_hand_undo", "segment_list_new", "segment_take"},
    "test_today.py": {"playbook_start", "playbook_step_new", "playbook_stop", "playbook_take", "task_new", "today_act"},
}
#: Notes that good news stands in leave after six seconds: here they wait, however slow the machine is.
NOTES_STAY = (
    "const later = setTimeout; window.setTimeout = (then, wait, ...rest) => wait === 6000 || later(then, wait, ...rest)"
)


@pytest.fixture
def more(real: dict[str, str]) -> dict[str, int]:
    """What else has to be there: of the samples there is one each. Gives the numbers that are not known before."""
    anna = User.objects.create_user("account_manager@example.test", role=Role.ACCOUNT_MANAGER, first_name="Anna")
    cora = paying("Cora")
    granted = [offer(cora, anna, credit(amount)) for amount in (10, 20)]
    for number, name in enumerate(("Short", "Lonely"), NUMBER + 1):
        Segment.objects.create(pk=number, name=name, rule={"all": []})
    PlaybookStep.objects.create(playbook=Playbook.objects.create(name="Renewing"), position=1, title="Write")
    for number, name in enumerate(("Bolt One", "Bolt Two", "Bolt Three", "Acme One", "Acme Two"), NUMBER + 1):
        Customer.objects.create(pk=number, external_id=name, name=name, kind="company", email=f"info@{name[:4]}.test")
    finding.look()
    asks = [{"what": "The campaign", "url": "/campaigns/", "name": "Win back", "customers": 1, "words": "would get it"}]
    spec = {"segment": NUMBER, "act": "in", "reason": "", "file": "gone.csv", "agreed": 0}
    summary = {"asks": asks, "customers": 1}
    Job.objects.create(pk=ASKED, kind=list_job.JOB, title="List", state=Job.State.DONE, spec=spec, summary=summary)
    return {"offer": granted[0].pk}


def pressing(page: Page, posted: set[str]) -> Page:
    """The page, agreeing to whatever it asks first; adds the views that it posts to."""

    def sent(request: Request) -> None:
        if request.method == "POST":
            posted.add(resolve(urlsplit(request.url).path).view_name)

    page.add_init_script(NOTES_STAY)
    page.on("dialog", lambda dialog: dialog.accept())
    page.on("request", sent)
    return page


def taking_posts(client: Client) -> set[str]:
    """The views that take a POST, asked by somebody who may do nothing: what does not is refused for that first."""
    ours = {resolve(url).view_name: client.post(url).status_code for url in OURS}
    return {name for name, status in ours.items() if status != 405 and not name.startswith("api:")}


def test_it_works(as_role: AsRole, signed_in: SignIn, more: dict[str, int]) -> None:
    posted: set[str] = set()
    for role, acts in ACTS.items():
        page = pressing(as_role(role), posted)
        for act in acts:
            do(page, replace(act, at=act.at.format(**more)))
        if role == Role.ACCOUNT_MANAGER:
            page.goto("/customers/?tag=nobody-has-this")
            with page.expect_download() as kept:
                page.get_by_role("button", name="Export").first.click()
            assert kept.value.suggested_filename.endswith(".csv")
    elsewhere = {
        f"{room}:{name}" for names in ELSEWHERE.values() for name in names for room in ("customers", "loyalty")
    }
    assert taking_posts(signed_in(Role.ANALYST)) - posted - elsewhere == set(), "nobody presses these"
    assert all((Path(__file__).parent / name).exists() for name in ELSEWHERE)
