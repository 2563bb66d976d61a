"""fit, the only training loop; what it minimizes, how fast it steps, and how it survives being killed."""
