"""Several faces of one human being, made and searched as one."""
