"""Every page that a person sees."""
