"""What runs without Keras: LiteRT on a device, and how a command answers.

Nothing here imports anything of the package around it, so that all of it can be found
under other names, where importing `rvsm_tf` would take too long or is not possible: by
a process that times or runs one file, by the repository's programs, on a device.
"""
