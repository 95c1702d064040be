"""The people of the demo: one per role, without a password, let in by one click in demo mode only."""

from dataclasses import dataclass

from retention.workspace.models import User
from retention.workspace.roles import Role


@dataclass(frozen=True)
class DemoRole:
    """A role as the demo's sign-in page offers it."""

    role: Role
    name: str
    icon: str
    question: str

    @property
    def value(self) -> str:
        return self.role.value

    @property
    def label(self) -> str:
        return self.role.label


DEMO_ROLES = (
    DemoRole(Role.ACCOUNT_MANAGER, "Alma Reyes", "checklist", "Which customers need me now?"),
    DemoRole(Role.MARKETER, "Milo Okafor", "send", "What is running, and did it keep customers?"),
    DemoRole(Role.ANALYST, "Ines Falk", "chart-bar", "Are we keeping our customers?"),
    DemoRole(Role.ADMINISTRATOR, "Robin Vale", "settings", "Everything, and the settings"),
)


def demo_person(role: Role) -> User:
    """The demo's person with this role, made where there is none yet."""
    name = next(demo.name for demo in DEMO_ROLES if demo.role == role)
    first, last = name.split(" ", 1)
    email = f"{role.value}@demo.test"
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, role=role, first_name=first, last_name=last)
