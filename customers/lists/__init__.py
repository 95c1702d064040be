"""Lists with a search, filters, an order, pages and a file: cases, offers, orders, people, products, subscriptions."""
