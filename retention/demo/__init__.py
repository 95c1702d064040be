"""The demo workspace: a coffee supplier's two years, simulated, with truths planted for the product to find again.

Nothing here is random twice: the same seed and the same day give the same business. Each module is one part of it
(people, subscriptions, usage, buying, listening, campaign) and says what it plants.
"""
