"""The moment at which somebody asks, and what stands for it in a statement that is put together once for all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from django.db.models import CharField, DateField, DateTimeField, Expression, Field, IntegerField


@dataclass(frozen=True)
class Moment:
    """When it is asked, the workspace's zone, in which days begin at midnight, and who asks: 0 for nobody."""

    now: datetime
    zone: tzinfo
    me: int = 0

    @property
    def tomorrow(self) -> datetime:
        """The midnight that ends today."""
        return self.midnight_in(1)

    def midnight_in(self, days: int) -> datetime:
        """The midnight that ends the day so many days, less one, ahead."""
        today = self.now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return today + timedelta(days=days)

    def day_in(self, days: int) -> date:
        """The date in so many days; 0 is today."""
        return self.now.astimezone(self.zone).date() + timedelta(days=days)


class Then(Expression):
    """A parameter that is known when the statement is run: what `of` says of that moment."""

    def __init__(self, of: Callable[[Moment], Any], output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.of = of

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002
        return "%s", (self,)


class Whenever:
    """Any moment, for querysets that are compiled once: it has what a moment has, as parameters."""

    now = Then(lambda moment: moment.now, DateTimeField())
    tomorrow = Then(lambda moment: moment.tomorrow, DateTimeField())
    zone = Then(lambda moment: str(moment.zone), CharField())
    me = Then(lambda moment: moment.me, IntegerField())

    def midnight_in(self, days: int) -> Then:
        return Then(lambda moment: moment.midnight_in(days), DateTimeField())

    def day_in(self, days: int) -> Then:
        return Then(lambda moment: moment.day_in(days), DateField())

    def ago(self, days: int) -> Then:
        return Then(lambda moment: moment.now - timedelta(days=days), DateTimeField())


WHENEVER = Whenever()


def filled(params: Iterable[Any], moment: Moment) -> list[Any]:
    """The parameters of a compiled statement as they are at a moment."""
    return [param.of(moment) if isinstance(param, Then) else param for param in params]
