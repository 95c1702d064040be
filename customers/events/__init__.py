"""The timeline: which kinds of event exist, how one is recorded, how the router takes them up."""
