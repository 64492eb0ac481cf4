"""What is done by the clock or from the command line, without a reader."""
