"""`{% once %}…{% endonce %}`: a part of a template that is the same in every page, rendered once per process.

What is inside depends on the release alone: addresses, static files, icons, words. It knows nothing of the request.
"""

from django import template
from django.template import Context, Node, NodeList
from django.template.base import Parser, Token
from django.utils.safestring import SafeString

register = template.Library()


class Once(Node):
    def __init__(self, nodes: NodeList) -> None:
        self.nodes = nodes
        self.rendered: SafeString | None = None

    def render(self, context: Context) -> SafeString:
        if self.rendered is None:
            empty = Context()
            empty.template = context.template
            self.rendered = self.nodes.render(empty)
        return self.rendered


@register.tag
def once(parser: Parser, _: Token) -> Once:
    nodes = parser.parse(("endonce",))
    parser.delete_first_token()
    return Once(nodes)
