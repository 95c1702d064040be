"""What comes back from a message: opens, clicks, unsubscribes, on signed public addresses."""
