"""Bank partners: one profile file each, and the dialects that they speak."""
