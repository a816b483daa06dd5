"""Deliveries to the app: signed HTTP, Socket Mode, or a call in the same process; one answer handling for all."""
