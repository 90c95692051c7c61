"""Read and measure what you have."""
