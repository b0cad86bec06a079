"""Where weights come from, one kind of source a file; each gets its files in through `receive`."""
