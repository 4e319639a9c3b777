"""The measured claims: scripts that print figures and write docs/results/."""
