"""Supervises the programs it is given: python -m tests.platform.programs.toys '{"name": ["/path", "argument"]}'."""

import json
import sys

from retention.supervisor import supervisor

if __name__ == "__main__":
    supervisor.GRACE = 3.0
    sys.exit(supervisor.Supervisor().keep(json.loads(sys.argv[1]).items()))
