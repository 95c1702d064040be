"""Who asks: every page begins with these two questions, so their statements are put together and planned beforehand."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from retention.common import planned
from retention.workspace.models import User

_SESSION = f"SELECT {planned.columns(Session)} FROM django_session WHERE session_key = %s AND expire_date > %s"  # noqa: S608
_PERSON = f"SELECT {planned.columns(User)} FROM workspace_user WHERE id = %s"  # noqa: S608


class SessionStore(db.SessionStore):
    """Django's, in its table; a session ends by the machine's clock, by which it was begun."""

    def _get_session_from_db(self) -> Session | None:
        found = planned.instances(Session, _SESSION, [self.session_key, timezone.now()])
        if not found:
            self._session_key = None
        return found[0] if found else None


class Backend(AuthenticationBackend):  # type: ignore[misc]
    """Signs people in by e-mail address and password."""

    def get_user(self, user_id: Any) -> User | None:
        found = planned.instances(User, _PERSON, [user_id])
        return found[0] if found and self.user_can_authenticate(found[0]) else None
