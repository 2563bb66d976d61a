"""Figures and tables, from results.csv alone: no model, no torch, no run folder."""
