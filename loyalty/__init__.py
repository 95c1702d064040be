"""What we give customers so that they stay, what it costs, who may give it, and what came of it."""
