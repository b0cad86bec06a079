"""Finding things in pictures, without saying who."""
