"""Texts to begin with: what a person usually wants, to be changed in their own words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadyMade:
    """A campaign to begin with."""

    key: str
    title: str
    purpose: str
    subject: str
    preheader: str
    body: str
    goal_days: int = 30
    asks: bool = False


WIN_BACK = ReadyMade(
    key="win-back",
    title="Win back",
    purpose="For customers who used to order and have gone quiet.",
    subject="We miss you, {{ customer.first_name | default: customer.name | default: 'friend' }}",
    preheader="A lot is new since your last order.",
    body="""<p>Dear {{ customer.name | default: 'customer' }},</p>
{% if orders.last_on != '' %}
<p>your last order was on {{ orders.last_on | date: '%-d %B %Y' }}. Since then we have added a lot that goes with
what you liked.</p>
{% else %}
<p>we have not heard from you for a while, and a lot is new.</p>
{% endif %}
<p><a href="https://example.com/">See what is new</a></p>
<p>If something went wrong last time, just answer this e-mail: a person reads it.</p>
<p>Your team at {{ company.name }}</p>
""",
)
ASK = ReadyMade(
    key="ask",
    title="Ask for a score",
    purpose="One question, begun with a tap in the e-mail: how likely are they to recommend you?",
    subject="One question, {{ customer.first_name | default: customer.name | default: 'please' }}",
    preheader="It takes five seconds.",
    body="""<p>Dear {{ customer.name | default: 'customer' }},</p>
<p>how likely are you to recommend {{ company.name }} to a friend or colleague?</p>
<p>
{% for url in survey.score_urls %}
<a href="{{ url }}" style="display:inline-block;min-width:20px;padding:8px;margin:2px;border:1px solid #c5cad3;\
border-radius:6px;text-align:center;text-decoration:none;color:#1d2433">{{ forloop.index0 }}</a>
{% endfor %}
</p>
<p style="font-size:13px;color:#5c6470">0 = not at all likely, 10 = extremely likely</p>
<p>Thank you,<br>your team at {{ company.name }}</p>
""",
    asks=True,
)
BLANK = ReadyMade(
    key="blank",
    title="Blank",
    purpose="Begin with an empty e-mail.",
    subject="",
    preheader="",
    body="<p>Dear {{ customer.name | default: 'customer' }},</p>\n",
)
ALL = {each.key: each for each in (WIN_BACK, ASK, BLANK)}
