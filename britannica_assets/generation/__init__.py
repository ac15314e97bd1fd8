"""Articles that the registered student writes."""
