"""How a line of Today reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from customers.models import Stage
from customers.records.rows import STAGE_MARKS
from customers.work.attention import Need
from customers.work.needs import Line
from customers.work.ranking import Rank, Who
from retention.workspace.fragments import Fragment, text
from retention.workspace.places import page_of
from retention.workspace.templatetags.shell import day, icon, money, number, when

ROW = Fragment("customers/work/need_row.html")
#: Up to this score somebody was asked in vain whether they would recommend us.
DETRACTOR = 6


@dataclass(frozen=True)
class Reader:
    """Who reads the list, of whose work, and when: what all of its lines are told by.

    `total`: how long the list is, where that is known; `edits`: may begin plans and log what was talked about.
    """

    me: int
    whose: str
    total: int | None
    now: datetime
    currency: str
    edits: bool

    def row(self, need: Need, rank: Rank, acts: SafeString | str) -> SafeString:
        """A line as HTML; `acts` is what can be done about it."""
        who = rank.who
        return ROW(
            url=page_of("customers:detail", who.pk),
            name=who.name,
            stage=STAGE_MARKS[who.stage],
            owner="" if self.whose == "mine" else " · " + (who.owner or "nobody's"),
            contact=self._contact(who, need),
            action=_link(self._leads_to(need, who), need.action),
            reason=_block("need-reason", need.reason),
            why=_joined(f"<li>{text(each)}</li>" for each in self._reasons(need, who)),
            money=self._money(need, who),
            place=number(need.place),
            total=f" of {number(self.total)}" if self.total is not None else "",
            band=rank.name,
            urgency=number(rank.line.urgency, 1),
            stake=money(rank.stake, self.currency),
            score=number(rank.score),
            foreign=self._foreign(need),
            acts=acts,
        )

    def _leads_to(self, need: Need, who: Who) -> str:
        """Where the next action is done: who may log no talks is shown the customer."""
        return _talk(who, need, self.whose) if need.takes_a_talk and self.edits else need.url

    def _contact(self, who: Who, need: Need) -> SafeString | str:
        links = [*_ways(who), *(_edits(who, need, self.whose) if self.edits else ())]
        return _block("need-contact", _joined(links)) if links else ""

    def _reasons(self, need: Need, who: Who) -> Iterator[SafeString | str]:
        if need.task:
            yield from self._of_task(need.task)
        else:
            yield SafeString(f'<span class="word">{text(need.label)}</span>')
        if who.nps_score is not None and who.nps_score <= DETRACTOR:
            yield _joined([f"Gave {who.nps_score} of 10, ", when(who.nps_at)])
        if need.renews_at:
            yield _joined(["Renews ", when(need.renews_at)])
        if who.is_key_account:
            yield "Key account"
        if who.stage == Stage.AT_RISK:
            yield from _quiet(who)
        if need.task and need.task.person and need.task.person != self.me:
            yield f"For {need.task.about['assignee']}"

    def _of_task(self, task: Line) -> Iterator[SafeString]:
        due = '<span class="bad">Late:</span> due ' if task.at < self.now else "Due "
        yield _joined([due, when(task.at)])
        if task.about["run"]:
            yield _link(page_of("customers:playbook_run", task.about["run"]), task.about["playbook"])

    def _money(self, need: Need, who: Who) -> SafeString | str:
        if need.line and need.line.money and not need.task:
            return _amount(money(need.line.money, need.line.currency), "a year of this contract")
        recurring = 12 * who.mrr
        known = max(recurring, who.revenue_365d)
        if not known:
            return ""
        return _amount(
            money(known, self.currency), "recurring in a year" if recurring == known else "ordered in a year"
        )

    def _foreign(self, need: Need) -> SafeString | str:
        currency = need.line.currency if need.line else ""
        if not currency or currency == self.currency:
            return ""
        return SafeString(f"<p>Money in {text(currency)} is not weighed, since nothing is converted.</p>")


def _quiet(who: Who) -> Iterator[SafeString | str]:
    if who.stage_since:
        yield _joined(["At risk since ", day(who.stage_since)])
    if who.mrr:
        yield f"Used it {who.usage_30d} times in 30 days, {who.usage_prior_30d} in the 30 before"
    elif who.last_order_at:
        yield _joined(["Last order ", when(who.last_order_at)])


def _ways(who: Who) -> Iterator[str]:
    ways = (("mailto", "Write to", "mail", who.email), ("tel", "Call", "phone", who.phone))
    for scheme, verb, sign, to in ways:
        if to:
            yield f'<a href="{scheme}:{text(to)}" aria-label="{verb} {text(who.name)}">{icon(sign)}</a>'


def _edits(who: Who, need: Need, whose: str) -> Iterator[str]:
    log, plan = text(_talk(who, need, whose)), page_of("customers:plan_new", who.pk)
    told, words = text(f"Log a talk with {who.name}"), text(f"Begin a plan with {who.name}")
    yield f'<a href="{log}" aria-label="{told}" title="Log a talk, and be done with it">{icon("notes")}</a>'
    yield f'<a href="{plan}" aria-label="{words}" title="{words}">{icon("target")}</a>'


def _talk(who: Who, need: Need, whose: str) -> str:
    """The form that logs a talk, and is done with the line."""
    return f"{page_of('customers:interaction_new', who.pk)}?kind=call&need={need.key}&whose={whose}"


def _link(url: str, words: str) -> SafeString:
    return SafeString(f'<a href="{text(url)}">{text(words)}</a>' if url else text(words))


def _block(name: str, words: Any) -> SafeString | str:
    return SafeString(f'<div class="{name}">{text(words)}</div>') if words else ""


def _amount(amount: str, of: str) -> SafeString:
    return SafeString(f'{text(amount)}<div class="soft">{of}</div>')


def _joined(parts: Any) -> SafeString:
    """Of parts that are safe, though their type may not say so."""
    return SafeString("".join(parts))
