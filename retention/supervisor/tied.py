"""Become a program that is asked to end (SIGTERM) when the process that started it dies.

    python tied.py PARENT PROGRAM ARGUMENT...

A program of its own, with nothing but the standard library, because running Python between fork and exec is not safe
in a process that has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent has died already")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  # the supervisor names the program
