"""How machines agree and where lessons come from. Knows no Qt."""
