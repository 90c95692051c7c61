"""The command, thin: one module per verb."""
