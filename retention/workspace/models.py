"""The people who work here, the workspace they share, and the long work it does for them."""

import uuid
import zoneinfo
from datetime import tzinfo
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from retention.common import clock, planned
from retention.workspace.roles import GRANTS, Can, Role

COLOUR = "^#[0-9a-fA-F]{6}$"
CURRENCY = "^[A-Z]{3}$"


class People(UserManager["User"]):
    """Users are known by e-mail address, whatever its case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":  # type: ignore[override]
        return self.create_user(email, password, role=Role.ADMINISTRATOR, is_superuser=True, is_staff=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    username = None  # type: ignore[assignment]
    email = models.EmailField("e-mail address", unique=True)
    role = models.CharField(max_length=20, choices=Role, default=Role.ANALYST)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Empty: the workspace's.")

    #: Of who is signed in: read along with them.
    workspace: "Workspace"
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[People] = People()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique")]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def can(self, what: Can | str) -> bool:
        return what in GRANTS.get(self.role, ())


class Basis(models.TextChoices):
    """What makes a customer count as active (METRICS, Conventions)."""

    CONTRACTUAL = "contractual", "a subscription in force"
    ORDERS = "orders", "an order in the activity window"
    USAGE = "usage", "a usage event in the activity window"


def _known_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name} is not a time zone, for example Europe/Berlin.")


class Workspace(models.Model):
    """The one company this installation serves: exactly one row, made by the first migration."""

    name = models.CharField(max_length=100, default="Your company")
    logo = models.FileField(upload_to="branding/", blank=True)
    colour = models.CharField(
        max_length=7,
        default="#206bc4",
        validators=[RegexValidator(COLOUR, "Give the colour as #rrggbb, such as #206bc4.")],
        help_text="The one accent colour, as #rrggbb.",
    )
    time_zone = models.CharField(max_length=64, default="UTC", validators=[_known_zone])
    currency = models.CharField(
        max_length=3, default="EUR", validators=[RegexValidator(CURRENCY, "Give three letters, such as EUR.")]
    )
    basis = models.CharField(max_length=12, choices=Basis, default=Basis.ORDERS)
    activity_window = models.PositiveSmallIntegerField(
        "activity window, in days", default=90, validators=[MinValueValidator(1), MaxValueValidator(3_650)]
    )
    margin_share = models.DecimalField(
        "margin, in % of revenue",
        max_digits=5,
        decimal_places=2,
        default=40,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    sender_name = models.CharField(max_length=100, blank=True, help_text="Empty: the workspace's name.")
    sender_address = models.EmailField(default="hello@example.test")
    postal_address = models.CharField(max_length=200, blank=True, help_text="Printed below marketing mail.")
    messages_per_day = models.PositiveSmallIntegerField(
        "messages per customer and day, at most", default=1, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="workspace_is_single"),
            models.CheckConstraint(condition=Q(colour__regex=COLOUR), name="workspace_colour_is_hex"),
            models.CheckConstraint(condition=Q(currency__regex=CURRENCY), name="workspace_currency_is_code"),
            models.CheckConstraint(
                condition=Q(activity_window__gte=1, messages_per_day__gte=1, margin_share__range=(0, 100)),
                name="workspace_figures_in_range",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="workspace_quiet_hours_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> "Workspace":
        """Read for each page, so by a statement that need not be put together, nor planned, first."""
        return planned.instances(cls, f"SELECT {planned.columns(cls)} FROM workspace_workspace WHERE id = 1", [])[0]  # noqa: S608

    @property
    def imprint(self) -> str:
        """Name and postal address as customers read them; the name once, where the address begins with it."""
        if self.postal_address.casefold().startswith(self.name.casefold()):
            return self.postal_address
        return " · ".join(part for part in (self.name, self.postal_address) if part)

    @property
    def zone(self) -> tzinfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class SavedView(models.Model):
    """Filters and order of a list, kept under a name: for one person, or shared with everybody."""

    person = models.ForeignKey(User, models.CASCADE, related_name="views")
    place = models.CharField(max_length=60, help_text="Which list, as the name of its view.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2_000, blank=True, help_text="The list's query string.")
    shared = models.BooleanField("for everybody", default=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("person", "place", Lower("name"), name="view_named_once")]

    def __str__(self) -> str:
        return self.name

    #: Whether the person who looks has the list open with it; told by `saved_views.for_list`.
    is_default: bool


class DefaultView(models.Model):
    """The view that somebody's list opens with: their own, or one that another shares. Nobody else chooses it."""

    person = models.ForeignKey(User, models.CASCADE, related_name="+")
    place = models.CharField(max_length=60)
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "place"], name="list_opens_with_one_view")]

    def __str__(self) -> str:
        return f"{self.place}: {self.view}"


class Job(models.Model):
    """Long work with a progress bar: it runs in a worker, survives a reload and a killed worker, can be cancelled.

    `kind` names the function that does it (see retention.workspace.jobs); `spec` is its input, `summary` its result.
    Whoever runs it holds an advisory lock, so a killed worker's job is free at once for the sweep to take up again.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=200)
    spec = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    stage = models.CharField(max_length=100, blank=True, help_text="What it is doing now, in words.")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    summary = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    cancel_asked = models.BooleanField(default=False)
    begun = models.PositiveIntegerField(default=0, help_text="How often: more than once where a worker died at it.")
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="job_open")]

    def __str__(self) -> str:
        return self.title

    @property
    def open(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int | None:
        """How far it is, 0–100, or None where the whole is not known."""
        return None if not self.total else min(100, 100 * self.done // self.total)


class ApiKey(models.Model):
    """What lets a program in: it acts in a person's name and may at most what they may.

    The key itself is kept nowhere, only its SHA-256 `digest`; `prefix` is its beginning, to tell keys apart by. A key
    that is withdrawn stays, as a note of who made it and when it was last used.
    """

    name = models.CharField(max_length=60, help_text="What uses it, such as the shop's nightly export.")
    person = models.ForeignKey(User, models.CASCADE, related_name="api_keys", verbose_name="acts for")
    role = models.CharField("may do what the role may", max_length=20, choices=Role, default=Role.ANALYST)
    writes = models.BooleanField("may write", default=False, help_text="Off: it reads only.")
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now)
    last_used_at = models.DateTimeField(null=True, help_text="To the minute.")
    revoked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["revoked_at", "name", "id"]
        constraints = [
            models.UniqueConstraint(Lower("name"), condition=Q(revoked_at=None), name="api_key_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def can(self, what: Can | str) -> bool:
        """At most what its role may and what its person may."""
        granted = what in GRANTS.get(self.role, ()) and self.person.can(what)
        return granted and (self.writes or what == Can.READ)


class KeptAnswer(models.Model):
    """The answer to a request that a program may send twice: whoever asks again under the same name gets it again."""

    asker = models.CharField(max_length=40, help_text="The key or person that asked.")
    name = models.CharField(max_length=200, help_text="The request's Idempotency-Key.")
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked.")
    status = models.PositiveSmallIntegerField(default=0)
    body = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asker", "name"], name="answer_once")]

    def __str__(self) -> str:
        return f"{self.asker} {self.name}"
