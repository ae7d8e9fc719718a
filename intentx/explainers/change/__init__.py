"""What would change a ranking, and which query would give the same one."""
