"""Own or rented GPUs: what fits, how long it takes, what it serves."""
