"""What can be done about a line of Today or a customer's task: the same few forms, many times on a page."""

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from customers.work.attention import Need
from customers.work.lines import Reader
from retention.workspace.fragments import Fragment, options, text
from retention.workspace.roles import Can
from retention.workspace.templatetags.shell import icon, when

register = template.Library()
FORM = Fragment("customers/work/acts_row.html")
#: As many ways to put a line off as there are where no renewal is near.
ALL = 4


@register.simple_tag(takes_context=True)
def need_line(context: Context, need: Need) -> SafeString | str:
    """A line of Today, told to its `reader`."""
    reader: Reader = context["reader"]
    acts = need_acts(context, need, "#needs") if context["can"].get(Can.WORK_TASKS) else ""
    return reader.row(need, need.rank, acts) if need.rank else ""


@register.simple_tag(takes_context=True)
def need_acts(context: Context, need: Need, target: str) -> SafeString:
    """Sent to `act_url`; the answer goes into `target`. On Today `whose` and `number` say which list to answer with."""
    return FORM(
        act_url=context["act_url"],
        target=target,
        label=f"{need.name}: {need.action}" + (f", place {need.place}" if need.place else ""),
        token=context["csrf_token"],
        key=need.key,
        place=_place(context),
        check=icon("check"),
        clock=icon("clock"),
        user=icon("user"),
        snoozes=_snoozes(need),
        until=_until(need),
        id=f"to-{need.key.replace(':', '-')}",
        options=options(context["workers"], need.told.person),
    )


def _place(context: Context) -> SafeString | str:
    if not context.get("whose"):
        return ""
    whose, number = text(context["whose"]), text(context["number"])
    return SafeString(
        f'<input type="hidden" name="whose" value="{whose}"><input type="hidden" name="page" value="{number}">'
    )


def _snoozes(need: Need) -> SafeString:
    button = '<button type="submit" class="btn btn-sm" name="act" value="snooze-{}">{}</button>'
    return SafeString("".join(button.format(days, text(words)) for days, words in need.put_off.items()))


def _until(need: Need) -> SafeString | str:
    """Why there are fewer ways than usual."""
    if need.renews_at is None or len(need.put_off) >= ALL:
        return ""
    return SafeString(f'<span class="soft">Renews {when(need.renews_at)}: no later than that.</span>')
