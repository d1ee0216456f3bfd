"""The shell (外壳): everything of Tanpu that touches the world."""
