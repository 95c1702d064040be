"""Supervises the programs it is given, and lets them take so many seconds to stop.

python -m tests.platform.programs.toys '{"name": ["/path", "argument"]}' SECONDS
"""

import json
import sys

from retention.supervisor import supervisor

if __name__ == "__main__":
    supervisor.GRACE = float(sys.argv[2])
    sys.exit(supervisor.Supervisor().keep(json.loads(sys.argv[1]).items()))
