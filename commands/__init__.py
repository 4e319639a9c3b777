"""What every command has in common: how it answers wrong input, and writes files."""
