"""What training runs on: a processor, a GPU, several, several machines."""
