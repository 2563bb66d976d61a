"""What a run keeps: its folder, its database, its table, and how damage to them is found."""
