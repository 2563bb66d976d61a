"""Figures and tables, from results.csv and the tables beside it alone: no model, no torch, no run folder."""
