"""Each list of customers and loyalty as test_every_list.py tries it, by the numbers of `much`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from customers.duplicates import merge_pages
from customers.duplicates import pages as duplicates_pages
from customers.handover import pages as handover_pages
from customers.ingest import pages as ingest_pages
from customers.interactions import pages as interaction_pages
from customers.models.cases import ANSWER_WITHIN
from customers.plans import pages as plan_pages
from customers.playbooks import pages as playbook_pages
from customers.products import buyer_pages
from customers.renewals import pages as renewal_pages
from customers.segments import hand_pages
from customers.segments import pages as segment_pages
from customers.together import pages as together_pages
from retention.workspace.roles import Can
from tests.browser.much import HOUR, LATE, PRIORITIES, ROWS, STANDS, Much, renews

By = Callable[[int], Any]


@dataclass(frozen=True)
class Narrowed:
    """What is chosen or typed in a control, and which rows that leaves."""

    to: str
    leaves: By
    chip: bool = True


@dataclass(frozen=True)
class Listed:
    """A list: where, which rows it has, in which order; its controls by name, its headings by their words.

    `sorts` give what goes by, upwards; `usual` is the one it has by itself, with a minus for downwards. `tabs` are
    links that narrow it. `file` has columns of its file by the list's headings, that of the title first; `size` how its
    pages are shortened. `picks` is the right to change what is picked, `needs` that to see it.
    """

    at: str
    usual: str = ""
    has: By = lambda n: True
    by: By = lambda n: n
    sorts: Mapping[str, By] = field(default_factory=dict)
    filters: Mapping[str, Narrowed] = field(default_factory=dict)
    tabs: Mapping[str, By] = field(default_factory=dict)
    file: Mapping[str, str] | None = None
    size: tuple[Any, str, int] | None = None
    row: str = "main tbody tr"
    picks: Can | None = None
    needs: Can = Can.READ

    @property
    def rows(self) -> list[int]:
        return self.in_order(self.usual)

    def in_order(self, sort: str, leaves: By | None = None) -> list[int]:
        by = self.sorts.get(sort.removeprefix("-"), self.by)
        found = sorted(filter(leaves or self.has, ROWS), key=lambda n: (by(n), n))
        return found[::-1] if sort.startswith("-") else found


def lists(there: Much) -> dict[str, Listed]:
    """By the views' names."""
    now, mine = there.now, Narrowed("Mine", lambda n: n % 2)
    latest: By = lambda n: -n  # noqa: E731 - a key like those beside it
    return {
        "customers:list": Listed(
            "/customers/?column=health&column=custom.size",
            "Customer",
            sorts={
                "Customer": lambda n: n,
                "Revenue": lambda n: n * 7 % 27,
                "MRR": lambda n: n * 5 % 27,
                "Last order": lambda n: -(n * 11 % 27),
                "Health": lambda n: n,
                "Size": lambda n: n % 7 > 0,
            },
            filters={
                "column": Narrowed("team", lambda n: True, chip=False),
                "q": Narrowed("customer 07", lambda n: n == 7),
                "stage": Narrowed("At risk", lambda n: n % 3 == 1),
                "health": Narrowed("Poor", lambda n: n % 4 == 1),
                "owner": Narrowed("Nobody", lambda n: n % 2 == 0),
                "segment": Narrowed("Picked", lambda n: n % 5 == 1),
                "country": Narrowed("DE", lambda n: n % 2),
                "tag": Narrowed("vip", lambda n: n % 4 == 0),
                "team": Narrowed("North", lambda n: n % 3 == 0),
                "persona": Narrowed("Baker", lambda n: n % 5 == 0),
                "key": Narrowed("yes", lambda n: n % 6 == 0),
                "custom.size": Narrowed("L", lambda n: n % 7 == 0),
            },
            file={name: name for name in ("Customer", "Stage", "Owner")},
            picks=Can.EDIT_CUSTOMERS,
        ),
        "customers:cases": Listed(
            "/cases/",
            "Answer due",
            has=lambda n: n % 3 != 2,
            sorts={
                "Customer": lambda n: n,
                "Priority": lambda n: -(n % 4),
                "Opened": latest,
                "Answer due": lambda n: (n % 3, ANSWER_WITHIN[PRIORITIES[n % 4]] - HOUR * n),
            },
            filters={
                "q": Narrowed("case 07", lambda n: n == 7),
                "state": Narrowed("Answered", lambda n: n % 3 == 1),
                "priority": Narrowed("High", lambda n: n % 3 != 2 and n % 4 == 2),
                "person": Narrowed("Mine", lambda n: n % 3 != 2 and n % 2),
            },
            file={name: name for name in ("Case", "Customer", "State", "Priority")},
            picks=Can.EDIT_CUSTOMERS,
        ),
        "customers:orders": Listed(
            "/orders/",
            "-When",
            sorts={"When": latest, "Amount": lambda n: n * 7 % 27},
            filters={
                "q": Narrowed("o-07", lambda n: n == 7),
                "state": Narrowed("Cancelled", lambda n: n % 5 == 0),
                "since": Narrowed("Last 30 days", lambda n: n < 10),
                "person": mine,
            },
            file={name: name for name in ("Order", "Customer", "State")},
        ),
        "customers:contacts": Listed(
            "/customers/people/",
            "-Added",
            sorts={"Added": lambda n: -(n * 7 % 27), "Name": lambda n: n},
            filters={
                "q": Narrowed("contact 07", lambda n: n == 7),
                "main": Narrowed("Main contacts only", lambda n: n % 2 == 0),
                "consent": Narrowed("Never asked", lambda n: n % 3),
                "person": mine,
            },
            file={name: name for name in ("Customer", "Role", "E-mail", "Phone", "E-mail consent")},
        ),
        "customers:subscriptions": Listed(
            "/subscriptions/",
            "Renews",
            sorts={"Renews": lambda n: renews(now, n) or LATE},
            filters={
                "q": Narrowed("plan 07", lambda n: n == 7),
                "state": Narrowed("Running", lambda n: STANDS[n % 4] == "running"),
                "person": mine,
            },
            file={"Customer": "Customer", "State": "State"},
        ),
        "customers:products": Listed(
            "/products/",
            "Product",
            sorts={
                "Product": lambda n: n,
                "Code": lambda n: n,
                "Category": lambda n: n % 3 > 0,
                "Price": lambda n: -1 if n % 9 == 8 else n * 7 % 27,
                "Margin": lambda n: n * 5 % 27,
            },
            filters={
                "q": Narrowed("product 07", lambda n: n == 7),
                "category": Narrowed("Bells", lambda n: n % 3 == 0),
            },
            file={name: name for name in ("Product", "Code", "Category")},
        ),
        "loyalty:list": Listed(
            "/loyalty/",
            "-When",
            sorts={"When": latest, "Customer": lambda n: n, "Cost": lambda n: n * 7 % 27},
            filters={
                "q": Narrowed("customer 07", lambda n: n == 7),
                "state": Narrowed("Granted", lambda n: n % 9 == 4),
                "kind": Narrowed("Training session", lambda n: n % 5 == 0),
                "reason": Narrowed("Something went wrong on our side", lambda n: n % 3 == 0),
                "outcome": Narrowed("Not known yet", lambda n: n % 9 == 4),
                "by": Narrowed("Ben", lambda n: n % 4 == 0),
            },
            file={name: name for name in ("Customer", "Reason", "By")},
            picks=Can.GRANT_OFFERS,
        ),
        "customers:product_buyers": Listed(
            f"/products/{there.product}/customers/",
            "-Revenue",
            has=lambda n: n % 5,
            sorts={
                "Customer": lambda n: n,
                "Orders": lambda n: 1,
                "Pieces": lambda n: n * 11 % 27,
                "Revenue": lambda n: n * 11 % 27,
                "Last bought": latest,
            },
            size=(buyer_pages, "PAGE", 20),
        ),
        "customers:renewals_list": Listed(
            "/today/renewals/list/?whose=everyones",
            has=lambda n: n % 4 < 2,
            by=lambda n: renews(now, n) or now + 20 * 24 * HOUR,
            size=(renewal_pages, "PAGE", 10),
            file={"Customer": "Customer", "Stage": "Stage"},
        ),
        "customers:plans": Listed(
            "/today/plans/?whose=everyones",
            tabs={"Mine": lambda n: n % 2, "Everyone's": lambda n: True},
            size=(plan_pages, "PAGE", 25),
        ),
        "customers:duplicates": Listed(
            "/customers/duplicates/",
            has=lambda n: n < 14 and n % 2 == 0,
            filters={"q": Narrowed("customer 06", lambda n: n == 6, chip=False)},
            tabs={
                "No duplicates": lambda n: n >= 14 and n < 26 and n % 2 == 0,
                "Suggested": lambda n: n < 14 and n % 2 == 0,
            },
            size=(duplicates_pages, "PAGE_SIZE", 5),
            row="main .twins > li",
        ),
        "customers:merges": Listed("/customers/merges/", size=(merge_pages, "PAGE_SIZE", 25)),
        "customers:changes": Listed("/customers/changes/", size=(together_pages, "PAGE", 25)),
        "customers:together": Listed(f"/customers/changes/{there.change}/", size=(together_pages, "PAGE", 25)),
        "customers:handover": Listed(
            f"/customers/hand-overs/{there.handed}/",
            by=lambda n: (-(n * 5 % 27), n),
            size=(handover_pages, "PAGE", 25),
        ),
        "customers:playbook": Listed(
            f"/playbooks/{there.playbook}/",
            has=lambda n: n % 3,
            tabs={"Ended": lambda n: n % 3 == 0, "Running": lambda n: n % 3},
            size=(playbook_pages, "PAGE", 10),
            row="main table.as-cards tbody tr",
        ),
        "customers:imports": Listed("/data/", size=(ingest_pages, "PAGE", 25), needs=Can.IMPORT),
        "customers:import_refused": Listed(
            f"/data/{there.imported}/refused/", size=(ingest_pages, "PAGE", 25), needs=Can.IMPORT
        ),
        "customers:interactions": Listed(
            f"/customers/{there.customer}/interactions/", size=(interaction_pages, "PAGE", 25), row="main .talks > li"
        ),
        "customers:segment": Listed(
            f"/segments/{there.segment}/",
            has=lambda n: n % 5 == 1,
            size=(segment_pages, "PAGE_SIZE", 3),
            filters={"on": Narrowed(f"{now - 2 * 24 * HOUR:%Y-%m-%d}", lambda n: n % 5 == 1 and n > 1, chip=False)},
            row="[aria-labelledby=members] tbody tr",
        ),
        "customers:segment_hand": Listed(
            f"/segments/{there.segment}/by-hand/",
            by=latest,
            size=(hand_pages, "PAGE_SIZE", 25),
            row="[aria-labelledby=decided] tbody tr",
        ),
    }
