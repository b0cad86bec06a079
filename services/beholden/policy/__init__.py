"""The law and the engines that answer by it."""
