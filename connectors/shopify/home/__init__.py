"""The page of the app inside Shopify's admin: connects the shop, shows how things stand."""
