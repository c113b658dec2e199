"""Pages around connecting: a merchant's form, and a buyer's page while the shop is asked."""
