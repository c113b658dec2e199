"""What a till prints below a sale: how its buyer gets the invoice."""
