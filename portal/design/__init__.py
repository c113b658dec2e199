"""The design system: tokens, components and the layout that all surfaces share."""
