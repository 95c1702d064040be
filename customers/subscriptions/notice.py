"""Until when notice of a contract can be given."""

from datetime import tzinfo

from django.db.models import DateTimeField, DurationField, Func, Value
from django.db.models.expressions import Combinable


class NoticeUntil(Func):
    """So many days before a renewal, at the same time of day in the workspace's zone.

    Days, not times 24 hours: with a change to or from summer time in between that would be the day before, or after.
    """

    function = "date_subtract"
    output_field = DateTimeField()

    def __init__(self, renewal: str | Combinable, days: str | Combinable, zone: tzinfo | Combinable) -> None:
        span = Func(days, template="make_interval(days => %(expressions)s)", output_field=DurationField())
        super().__init__(renewal, span, Value(str(zone)) if isinstance(zone, tzinfo) else zone)
