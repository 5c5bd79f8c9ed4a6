"""One object through every format there is: what each keeps, costs and risks."""
