"""``kampungnet demo``: the whole house on one machine, with simulated villages behind it."""
