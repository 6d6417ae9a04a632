"""Listeners for workflow platforms, one module each. None is imported unless it is used."""
