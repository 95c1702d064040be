"""A Django database backend that brings its own PostgreSQL.

    DATABASES = {
        "default": {
            "ENGINE": "retention.embedded_postgres",
            "NAME": "retention",
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "cluster": DATA_DIR / "postgres",
                # Server settings, given to the server when it next starts. Tests: {"fsync": "off"}.
                "server": {},
            },
        }
    }

The server starts with a process's first connection, so that a command which asks nothing of the database
starts none. Every process that connected keeps a shared lock on the cluster's folder until it ends, however
it ends; a small keeper process (`keeper.py`), which is the server's parent, waits for that lock and stops
the server when the last of them is gone.

The server listens only on a socket in the cluster's folder, which nobody but its owner may enter.
`USER`, `PASSWORD`, `HOST` and `PORT` are therefore left out. Runs on Linux.
"""
