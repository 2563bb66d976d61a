"""Learning from a teacher: one file a method, one Distiller for all."""
