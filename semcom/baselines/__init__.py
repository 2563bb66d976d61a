"""Separate source and channel coding: the rival of every codec that learned to send sentences."""
