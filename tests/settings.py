"""The product's own settings, with a second cluster that need not survive a power cut and a cheap password hash."""

from retention.settings import *  # noqa: F403
from retention.settings import BASE_DIR, DATABASE_URL, DATABASES, REDIS_URL

DATA_DIR = BASE_DIR / ".test-data"
if not DATABASE_URL:
    server = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
    DATABASES["default"]["OPTIONS"] = {"cluster": DATA_DIR / "postgres", "server": server}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MEDIA_ROOT = DATA_DIR / "files"
OUTBOX_DIR = DATA_DIR / "outbox"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = REDIS_URL or "memory://"
DEMO = False
PUBLIC_URL = "http://testserver"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
