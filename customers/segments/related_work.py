"""Related rows of account managers' work that rules can count: people, talks, cases, tasks, plans, playbooks."""

from dataclasses import replace

from customers.models import (
    Case,
    Consent,
    ContactConsent,
    Interaction,
    Milestone,
    PlaybookRun,
    SuccessPlan,
    Task,
)
from customers.segments.counting import choice, count, day, instant, number, person, text, yes_no
from customers.segments.fields import Choices, Column, Related, Tally
from customers.segments.operators import Sql


def _named(choices: list[tuple[str, str]]) -> Choices:
    return tuple((str(value), str(label)) for value, label in choices)


_CONSENTS = (*_named(Consent.State.choices), ("never", "Never asked"))
_AGREED = """COALESCE((SELECT agreed.state FROM customers_contactconsent agreed
    WHERE agreed.contact_id = r.id AND agreed.channel = '{channel}'), 'never')"""


def _consent(channel: str, label: str) -> Column:
    return choice(f"consent.{channel}", f"Consent: {label.lower()}", _AGREED.replace("{channel}", channel), _CONSENTS)


_PEOPLE = Related(
    "customers_contact r",
    "r.created_at",
    (
        text("role", "Role", "r.role"),
        text("name", "Name", "r.name"),
        text("email", "E-mail address", "r.email"),
        text("phone", "Phone number", "r.phone"),
        text("language", "Language", "r.language"),
        text("time_zone", "Time zone", "r.time_zone"),
        day("birthday", "Birthday", "r.birthday"),
        yes_no("is_main", "Is the main contact", "r.is_main"),
        *(_consent(str(channel), str(label)) for channel, label in ContactConsent.Channel.choices),
        text("source", "Source", "r.source"),
        instant("at", "Added", "r.created_at"),
    ),
    always=Sql("r.removed_at IS NULL"),
    payload="r.attributes",
)
_TALKS = Related(
    "customers_interaction r",
    "r.happened_at",
    (
        choice("kind", "Kind", "r.kind", _named(Interaction.Kind.choices)),
        choice("sentiment", "Sentiment", "r.sentiment", _named(Interaction.Sentiment.choices)),
        text("outcome", "Outcome", "r.outcome"),
        text("text", "What was said", "r.text"),
        text("contact", "With whom", "(SELECT who.name FROM customers_contact who WHERE who.id = r.contact_id)"),
        text("contact_role", "Their role", "(SELECT who.role FROM customers_contact who WHERE who.id = r.contact_id)"),
        text("next_step", "Next step", "r.next_step"),
        day("next_on", "Next step by", "r.next_on"),
        person("author", "Logged by", "r.author_id"),
        instant("at", "Happened", "r.happened_at"),
    ),
    always=Sql("r.removed_at IS NULL"),
)
_CASES = Related(
    "customers_case r",
    "r.opened_at",
    (
        choice("state", "State", "r.state", _named(Case.State.choices)),
        choice("priority", "Priority", "r.priority", _named(Case.Priority.choices)),
        text("subject", "Subject", "r.subject"),
        number("rating", "Rating", "r.rating"),
        person("assignee", "Handled by", "r.assignee_id"),
        instant("answered_at", "First answered", "r.answered_at"),
        instant("resolved_at", "Resolved", "r.resolved_at"),
        instant("rated_at", "Rated", "r.rated_at"),
        text("source", "Source", "r.source"),
        instant("at", "Opened", "r.opened_at"),
    ),
)
_TASKS = Related(
    "customers_task r",
    "r.created_at",
    (
        choice("state", "State", "r.state", _named(Task.State.choices)),
        text("title", "What to do", "r.title"),
        instant("due_at", "Due", "r.due_at"),
        instant("closed_at", "Closed", "r.closed_at"),
        person("assignee", "For", "r.assignee_id"),
        instant("at", "Opened", "r.created_at"),
    ),
)
_PROGRESS = """(SELECT 100.0 * count(*) FILTER (WHERE step.state = 'done')
    / NULLIF(count(*) FILTER (WHERE step.state <> 'dropped'), 0)
    FROM customers_milestone step WHERE step.plan_id = r.id)"""
_PLANS = Related(
    "customers_successplan r",
    "r.created_at",
    (
        choice("state", "State", "r.state", _named(SuccessPlan.State.choices)),
        number("progress", "Milestones done", _PROGRESS, "percent"),
        text("title", "Title", "r.title"),
        instant("agreed_at", "Agreed", "r.agreed_at"),
        instant("closed_at", "Closed", "r.closed_at"),
        instant("at", "Begun", "r.created_at"),
    ),
)
_MILESTONES = Related(
    "customers_milestone l JOIN customers_successplan r ON r.id = l.plan_id",
    "r.created_at",
    (
        choice("state", "State", "l.state", _named(Milestone.State.choices)),
        day("due_on", "By", "l.due_on"),
        instant("done_at", "Done", "l.done_at"),
        text("title", "Milestone", "l.title"),
        person("ours", "Who sees to it here", "l.ours_id"),
        choice("plan_state", "State of its plan", "r.state", _named(SuccessPlan.State.choices)),
        instant("at", "Plan begun", "r.created_at"),
    ),
)
_RUNS = Related(
    "customers_playbookrun r JOIN customers_playbook p ON p.id = r.playbook_id",
    "r.started_at",
    (
        replace(text("playbook", "Playbook", "p.name"), rests_on="playbooks"),
        choice("state", "State", "r.state", _named(PlaybookRun.State.choices)),
        instant("ended_at", "Ended", "r.ended_at"),
        text("end_reason", "Why it ended", "r.end_reason"),
        instant("at", "Began", "r.started_at"),
    ),
)

TALLIES: tuple[Tally, ...] = (
    count("contact_count", "Contacts", "People", _PEOPLE),
    count("interaction_count", "Calls, meetings, e-mails, chats and notes", "Work", _TALKS),
    count("case_count", "Cases", "Work", _CASES),
    count("task_count", "Tasks", "Work", _TASKS),
    count("plan_count", "Success plans", "Work", _PLANS),
    count("milestone_count", "Milestones", "Work", _MILESTONES),
    count("playbook_count", "Playbooks", "Work", _RUNS),
)
