"""What tests and benchmarks try the programs with."""
