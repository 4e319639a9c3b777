"""What faults do to the programs: kills at random moments, damage to their files."""
