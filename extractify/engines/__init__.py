"""Engines of many machines; each has a module of its own, and is imported only there."""
