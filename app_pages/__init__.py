"""One plain script per page of the dashboard."""
