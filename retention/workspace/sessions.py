"""Who asks: every page begins with these two questions, so their statements are put together and planned beforehand."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from retention.common import planned
from retention.workspace.models import User, Workspace

_SESSION = f"SELECT {planned.columns(Session)} FROM django_session WHERE session_key = %s AND expire_date > %s"  # noqa: S608
_COLUMNS = f"{planned.columns(User)}, {planned.columns(Workspace)}"
_PERSON = f"SELECT {_COLUMNS} FROM workspace_user, workspace_workspace WHERE workspace_user.id = %s"  # noqa: S608


class SessionStore(db.SessionStore):
    """Django's, in its table; a session ends by the machine's clock, by which it was begun."""

    def _get_session_from_db(self) -> Session | None:
        found = planned.instances(Session, _SESSION, [self.session_key, timezone.now()])
        if not found:
            self._session_key = None
        return found[0] if found else None


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Signs people in by e-mail address and password, and reads the workspace along with who is signed in."""

    def get_user(self, user_id: Any) -> User | None:
        for user, workspace in planned.beside(User, Workspace, _PERSON, [user_id]):
            user.workspace = workspace
            return user if self.user_can_authenticate(user) else None
        return None
