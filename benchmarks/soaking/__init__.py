"""What a soak is made of: contents, an upstream, clients, troubles, and a test for growth."""
