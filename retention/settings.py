"""All settings, read from the environment. A wrong value stops the start with a sentence that says which.

The variables and their defaults are listed in docs/operations.md.
"""

import secrets
import warnings
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from csp.constants import NONCE, NONE, SELF

from retention.common import environment as env
from retention.common.instants import parse_instant
from retention.common.kept import kept
from retention.workspace.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / ".data")

DEBUG = env.flag("DEBUG", False)
DATABASE_URL = env.url("DATABASE_URL", ["postgresql", "postgres"])
DEMO = env.flag("DEMO", not DATABASE_URL)
SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_MADE_UP = not SECRET_KEY
if SECRET_KEY_MADE_UP:
    SECRET_KEY = kept(DATA_DIR / "secret_key", partial(secrets.token_urlsafe, 48))
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
PORT = env.number("PORT", 8000)
# The address customers reach the product at: the base of every link in a message.
PUBLIC_URL = env.url("PUBLIC_URL", ["https", "http"], f"http://localhost:{PORT}").rstrip("/")

ROOT_URLCONF = "retention.urls"
WSGI_APPLICATION = "retention.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "retention.workspace",
    "customers",
    "surveys",
    "loyalty",
    "campaigns",
    "metrics",
    "retention.demo",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.forms",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "retention.workspace.middleware.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "retention.workspace.middleware.HtmxMiddleware",
    "retention.workspace.middleware.WorkspaceMiddleware",
    "retention.workspace.middleware.OnlyFormsMiddleware",
    "customers.duplicates.redirecting.OldIds",
    "retention.workspace.middleware.AgainMiddleware",
    "retention.workspace.middleware.KeyMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "retention.workspace.context_processors.shell",
            ],
        },
    }
]


# Data: PostgreSQL only. Without DATABASE_URL the project runs its own server below DATA_DIR.
def database() -> dict[str, Any]:
    if DATABASE_URL:
        return dict(environ.Env.db_url_config(DATABASE_URL))
    return {
        "ENGINE": "retention.embedded_postgres",
        "NAME": "retention",
        "OPTIONS": {"cluster": DATA_DIR / "postgres", "server": {}},
    }


DATABASES = {"default": database() | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}}

# Uploaded files and everything else that web and worker must both see.
MEDIA_ROOT = DATA_DIR / "files"

# Broker: Redis, or a folder. Messages only wake workers: due work is rows in PostgreSQL.
REDIS_URL = env.url("REDIS_URL", ["redis", "rediss"])
CELERY_BROKER_URL = REDIS_URL or (DATA_DIR / "spool").as_uri().replace("file://", "spool://localhost", 1)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Deliveries take up to two of them for minutes, jobs two for hours; what is to be prompt needs one more.
CELERY_WORKER_CONCURRENCY = env.number("WORKER_PROCESSES", 5, least=1)
CELERY_TASK_TIME_LIMIT = 800
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        "visibility_timeout": 900,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "queue_order_strategy": "priority",
        "priority_steps": [0, 5, 9],
        "socket_keepalive": True,
        "socket_connect_timeout": 5,
        "health_check_interval": 30,
        "global_keyprefix": "retention:",
    }
    if REDIS_URL
    else {}
)
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "route events": {"task": "campaigns.tasks.route", "schedule": timedelta(seconds=5)},
    "deliver": {"task": "campaigns.tasks.deliver", "schedule": timedelta(seconds=5)},
    "sweep": {"task": "campaigns.tasks.sweep", "schedule": timedelta(minutes=1)},
    "duplicates": {"task": "customers.tasks.look_for_duplicates", "schedule": timedelta(seconds=20)},
    "jobs": {"task": "retention.workspace.tasks.resume_jobs", "schedule": timedelta(seconds=10)},
    "answers of the API": {"task": "retention.workspace.tasks.forget_answers", "schedule": timedelta(hours=6)},
    "files of nobody": {"task": "retention.workspace.tasks.sweep_files", "schedule": crontab(hour=4, minute=41)},
    "full pass": {"task": "customers.tasks.look_again", "schedule": crontab(hour=3, minute=17)},
}

# Mail: without EMAIL_URL messages land in an outbox folder that a page shows.
EMAIL_URL = env.url("EMAIL_URL", ["smtp", "smtp+tls", "smtp+ssl"])
EMAIL_CONNECTIONS = env.number("EMAIL_CONNECTIONS", 4)
# For so long a dead worker's messages are left alone; a living one needs it for what it has on the wire.
DELIVERY_LEASE = timedelta(seconds=env.number("DELIVERY_LEASE", 180, least=10))
OUTBOX_DIR = DATA_DIR / "outbox"
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(DATA_DIR / "staff_mail")
if EMAIL_URL:
    vars().update(environ.Env.email_url_config(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Retention <retention@localhost>")

# Sign-in.
AUTH_USER_MODEL = "workspace.User"
AUTHENTICATION_BACKENDS = ["retention.workspace.sessions.Backend"]
SESSION_ENGINE = "retention.workspace.sessions"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
ACCOUNT_ADAPTER = "retention.workspace.sign_in.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,20/5m/ip"}
ACCOUNT_SESSION_REMEMBER = True
MFA_TOTP_ISSUER = "Retention"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# What all processes of the web count together: tries to sign in.
REDIS_CACHE = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
FILE_CACHE = {
    "BACKEND": "retention.common.file_cache.FileCache",
    "LOCATION": DATA_DIR / "cache",
    "OPTIONS": {"MAX_ENTRIES": 100_000},  # fewer, and a flood of tries would wash earlier ones away
}
CACHES = {"default": (REDIS_CACHE if REDIS_URL else FILE_CACHE) | {"KEY_PREFIX": "retention"}}

# The API: see docs/api.md.
API_REQUESTS_PER_MINUTE = env.number("API_REQUESTS_PER_MINUTE", 600, least=1)
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "retention.workspace.api.describing.Described",
    "EXCEPTION_HANDLER": "retention.workspace.api.problem.handle",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Retention",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # the schema has the workspace's fields: it wants a database, a check has none
    "SERVERS": [{"url": PUBLIC_URL}],
}

# Logs.
LOGGING = logging_config(
    style=env.choice("LOG_FORMAT", ["json", "console"], "json" if DATABASE_URL else "console"),
    level=env.choice("LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], "INFO"),
)

# Language and time. Stored instants are UTC; people see their workspace's zone.
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
RETENTION_NOW = parse_instant(env.text("RETENTION_NOW"), variable="RETENTION_NOW")

# Static files and the browser's rules.
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Collected only in the container image; elsewhere files are served from where they are.
COLLECTED = STATIC_ROOT.exists()
WHITENOISE_USE_FINDERS = not COLLECTED
if not COLLECTED:
    warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "retention.workspace.static.Collected" if COLLECTED else "retention.workspace.static.Plain"
    },
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # it wants DENY, but previews stand in a frame of our own pages
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# The largest file that can be uploaded, in bytes.
UPLOAD_LIMIT = env.number("UPLOAD_LIMIT", 2 << 30)
# How long an uploaded file lies in the store after it was last tried or brought in.
IMPORT_FILES_KEPT = timedelta(days=env.number("IMPORT_FILES_DAYS", 90, least=1))
FILE_UPLOAD_HANDLERS = ["retention.common.uploads.LimitedUploadHandler"]

# HTTPS is on unless the address says otherwise.
HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
BEHIND_PROXY = env.flag("BEHIND_PROXY", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
