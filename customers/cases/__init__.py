"""Cases: what customers asked for help with, opened, answered, resolved and rated."""
