"""A package of its own, since a dependency installs another `tests` beside us and would win against a plain folder."""
