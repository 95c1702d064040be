"""Scores in words, as the metrics say them."""

from django import template

from retention.workspace.templatetags.shell import number

register = template.Library()
MINUS = "\N{MINUS SIGN}"


@register.filter
def points(score: float | None) -> str:
    """`+20.3`, `−4.0`: with its sign and one decimal."""
    if score is None:
        return "no data"
    text = number(score, 1)
    return text.replace("-", MINUS) if score < 0 else f"+{text}" if score > 0 else text
