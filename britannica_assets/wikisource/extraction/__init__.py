"""What of a rendered page is running text: rules by structure for everything that stands in it and around it."""
