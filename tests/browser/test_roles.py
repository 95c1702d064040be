"""What stands on lists and records, role by role: what the server lets somebody do, and nothing else."""

from collections.abc import Iterable

import pytest
from playwright.sync_api import Page, expect

from retention.workspace.models import User
from retention.workspace.roles import Can, Role
from tests.browser.conftest import AsRole
from tests.workspace.test_a_get_changes_nothing import NUMBER, a_record_of_each
from tests.workspace.test_each_role_at_every_button import needed, too_little, too_much

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = (
    "/customers/",
    f"/customers/{NUMBER}/",
    "/cases/",
    f"/cases/{NUMBER}/",
    f"/plans/{NUMBER}/",
    f"/playbooks/{NUMBER}/",
    f"/segments/{NUMBER}/",
)
#: Where each link and each button that can be seen leads, but for buttons that only open something.
SEEN = """() => [...document.querySelectorAll('main a[href], main form button')]
    .filter(each => each.checkVisibility() && each.type !== 'button' && each.form?.method !== 'get')
    .map(each => each.getAttribute('href') || each.getAttribute('formaction') || each.form.getAttribute('action') || '')
"""
Seen = dict[str, dict[str, str]]


def seen_by(page: Page, urls: Iterable[str]) -> Seen:
    """By page, the views of ours that can be seen to be led to, with what each needs."""
    found: Seen = {}
    for url in urls:
        page.goto(url)
        expect(page.locator("main [hx-trigger=load] > a:text-is('Show')")).to_have_count(0)  # its panels are there
        addresses: list[str] = page.evaluate(SEEN)
        found[url] = needed(address or url for address in addresses)
    return found


def wrong(seen: Seen, administrators: Seen, role: str) -> dict[str, set[str]]:
    """By page, what is seen by somebody who may not, and not by somebody who may."""
    each = {url: too_much(seen[url], role) | too_little(seen[url], administrators[url], role) for url in seen}
    return {url: views for url, views in each.items() if views}


def test_it_works(as_role: AsRole) -> None:
    administrator = as_role(Role.ADMINISTRATOR)
    a_record_of_each(User.objects.get(role=Role.ADMINISTRATOR))
    all_of_it = seen_by(administrator, PAGES)
    doing = {name for views in all_of_it.values() for name, needs in views.items() if needs != Can.READ}
    assert len(doing) > 20, doing
    for role in (Role.ACCOUNT_MANAGER, Role.MARKETER, Role.ANALYST):
        seen = seen_by(as_role(role), PAGES)
        assert wrong(seen, all_of_it, role) == {}, role
        assert wrong(all_of_it, seen, role), "an administrator is offered more than that"
