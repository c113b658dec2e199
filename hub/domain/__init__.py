"""Pure rules of the business: no database, no network, no clock."""
