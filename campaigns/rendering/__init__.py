"""From a person's Liquid text to the bytes that go on the wire. User text is rendered in a process apart."""
