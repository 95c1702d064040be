"""Teams: who is in them, and the customers they look after."""
