"""What Django looks for in a database backend: `DatabaseWrapper`."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base, client

from .cluster import Cluster, binaries, cluster_in
from .keeper import NAME


def cluster_of(settings_dict: dict[str, Any]) -> Cluster:
    options = settings_dict["OPTIONS"]
    return cluster_in(Path(options["cluster"]), options.get("server", {}))


class DatabaseClient(client.DatabaseClient):
    """`manage.py dbshell` on the psql that came with the server."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        cluster = cluster_of(settings_dict)
        cluster.start()
        # psql is another process: it comes to the socket through our open folder.
        place = {"HOST": cluster.host(str(os.getpid())), "USER": NAME}
        command, environment = super().settings_to_cmd_args_env({**settings_dict, **place}, parameters)
        return [str(binaries() / "psql"), *command[1:]], environment


class DatabaseWrapper(base.DatabaseWrapper):
    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        cluster = cluster_of(self.settings_dict)
        ours = {"cluster", "server"}
        params = {name: value for name, value in super().get_connection_params().items() if name not in ours}
        return {**params, "host": cluster.host(), "user": NAME}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            # Usually nobody has started the server yet, or it was killed.
            cluster_of(self.settings_dict).start()
            return super().get_new_connection(conn_params)
