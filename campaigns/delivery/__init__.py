"""Messages on their way: claimed, prepared, past the point of no return, on the wire, settled.

PostgreSQL is the queue; a trigger keeps every message to the arrows. Whatever is killed, repeated or delayed, nobody
gets a message twice and nobody is forgotten.
"""
